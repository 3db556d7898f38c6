"""Slack's views: the windows that open over a conversation, and the Home tab."""

from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from clearml_chatops.bot.frontends.slack.api_errors import translate_errors

View = dict[str, Any]


class Views:
    """All of these raise `DeliveryFailedError` where Slack does not do it, with Slack's word as the reason."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def open(self, trigger_id: str, view: View) -> str:
        """Opens a window for whoever pulled the trigger, within 3 seconds and once; gives the view's id."""
        with translate_errors():
            response = await self._client.views_open(trigger_id=trigger_id, view=view)
        opened_view: View = response["view"]
        return str(opened_view["id"])

    async def update(self, view_id: str, view: View) -> None:
        """Has an open window show another view; `not_found` where it was closed meanwhile."""
        with translate_errors():
            await self._client.views_update(view_id=view_id, view=view)

    async def publish(self, user_id: str, view: View) -> None:
        """Has a person's Home tab show this."""
        with translate_errors():
            await self._client.views_publish(user_id=user_id, view=view)
