"""The Home tab: shows the reply to `/home`, refreshed when it is opened and after each action in it."""

import logging

from clearml_chatops.bot.frontends.front_end import DeliveryFailedError, DestinationGoneError
from clearml_chatops.bot.frontends.slack.form_modals import FormModals
from clearml_chatops.bot.frontends.slack.incoming_requests import (
    Payload,
    SlackRequest,
    read_actor,
    read_button_command,
)
from clearml_chatops.bot.frontends.slack.modal_views import build_home_view
from clearml_chatops.bot.frontends.slack.responder import Responder
from clearml_chatops.bot.frontends.slack.running_commands import STOPPED_REPLY
from clearml_chatops.bot.frontends.slack.slack_api import SlackApi
from clearml_chatops.bot.frontends.slack.views import Views
from clearml_chatops.models.replies import Reply

logger = logging.getLogger(__name__)

HOME_COMMAND = "/home"
_HOME_TAB = "home"


class HomeTab:
    def __init__(self, *, responder: Responder, form_modals: FormModals, views: Views, api: SlackApi) -> None:
        self._responder = responder
        self._form_modals = form_modals
        self._views = views
        self._api = api

    async def handle_opened(self, body: Payload) -> None:
        event = body["event"]
        if event.get("tab") == _HOME_TAB:
            await self.publish(event["user"], body.get("team_id", ""), event["channel"])

    async def handle_button(self, body: Payload) -> None:
        """Handle a button in the tab. A tab is no conversation, so the answer is a direct message."""
        actor = read_actor(body)
        try:
            channel = await self._api.open_direct_channel(actor.user_id)
        except (DeliveryFailedError, DestinationGoneError) as error:
            # Slack accepts a user id as the channel of that person's direct messages.
            logger.warning("The direct messages couldn't be opened: %s", error, extra={"action": "slack_fallback"})
            channel = actor.user_id
        request = SlackRequest(
            *actor,
            channel=channel,
            command_line=read_button_command(body),
            trigger_id=body.get("trigger_id", ""),
            is_interaction=True,
            is_from_home_tab=True,
        )
        await self._form_modals.answer(request)
        await self.refresh(request)

    async def show_reply(self, body: Payload, reply: Reply) -> None:
        """Show the reply to a button in the tab as a direct message."""
        actor = read_actor(body)
        await self._responder.show_reply(SlackRequest(*actor, actor.user_id, read_button_command(body)), reply)

    async def refresh(self, request: SlackRequest) -> None:
        """Publish the tab again if the request came from it."""
        if request.is_from_home_tab:
            await self.publish(request.user_id, request.team_id, request.channel)

    async def publish(self, user_id: str, team_id: str, channel: str) -> None:
        reply = await self._responder.get_reply(SlackRequest(user_id, "", team_id, channel, HOME_COMMAND))
        if reply is STOPPED_REPLY:
            # The tab keeps its content until it is opened again.
            return
        try:
            await self._views.publish(user_id, build_home_view(reply))
        except (DeliveryFailedError, DestinationGoneError) as error:
            logger.warning("The Home tab couldn't be updated: %s", error, extra={"action": "slack_home"})
