"""Slack's views: modals and the Home tab."""

from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from clearml_chatops.bot.frontends.slack.api_errors import translate_errors

View = dict[str, Any]


class Views:
    """The API calls for views. All raise `DeliveryFailedError`; its reason is Slack's error code."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def open(self, trigger_id: str, view: View) -> str:
        """Open a modal and return its view id. A trigger_id works once, within 3 seconds."""
        with translate_errors():
            response = await self._client.views_open(trigger_id=trigger_id, view=view)
        opened_view: View = response["view"]
        return str(opened_view["id"])

    async def update(self, view_id: str, view: View) -> None:
        """Update an open modal. The reason is `not_found` if it was closed meanwhile."""
        with translate_errors():
            await self._client.views_update(view_id=view_id, view=view)

    async def publish(self, user_id: str, view: View) -> None:
        """Publish a view as a person's Home tab."""
        with translate_errors():
            await self._client.views_publish(user_id=user_id, view=view)
