"""The Home tab: what `/home` replies, made anew when the tab is opened and after what was done in it."""

import logging

from clearml_chatops.bot.frontends.front_end import DeliveryFailedError, DestinationGoneError
from clearml_chatops.bot.frontends.slack.answering import Answering
from clearml_chatops.bot.frontends.slack.dialogs import Dialogs
from clearml_chatops.bot.frontends.slack.incoming import Heard, Payload, pressed_line, who_acts
from clearml_chatops.bot.frontends.slack.modals import home_view
from clearml_chatops.bot.frontends.slack.outgoing import Outgoing
from clearml_chatops.bot.frontends.slack.views import Views
from clearml_chatops.bot.frontends.slack.work import STOPPED

logger = logging.getLogger(__name__)

HOME_LINE = "/home"
_HOME = "home"


class Home:
    def __init__(self, *, answering: Answering, dialogs: Dialogs, views: Views, outgoing: Outgoing) -> None:
        self._answering = answering
        self._dialogs = dialogs
        self._views = views
        self._outgoing = outgoing

    async def opened(self, body: Payload) -> None:
        event = body["event"]
        if event.get("tab") == _HOME:
            await self.publish(event["user"], body.get("team_id", ""), event["channel"])

    async def pressed(self, body: Payload) -> None:
        """A button in the tab. It stands in no conversation; the answer comes as a direct message."""
        person = who_acts(body)
        try:
            channel = await self._outgoing.direct_channel(person.user_id)
        except (DeliveryFailedError, DestinationGoneError) as error:
            # Slack takes a person's id as the channel of his direct messages.
            logger.warning("No direct messages yet: %s", error, extra={"action": "slack_fallback"})
            channel = person.user_id
        heard = Heard(
            *person,
            channel=channel,
            line=pressed_line(body),
            trigger=body.get("trigger_id", ""),
            pressed=True,
            in_home=True,
        )
        await self._dialogs.answer(heard)
        await self.refresh(heard)

    async def refresh(self, heard: Heard) -> None:
        """Makes the tab anew after something that was asked for in it."""
        if heard.in_home:
            await self.publish(heard.user_id, heard.team_id, heard.channel)

    async def publish(self, user_id: str, team_id: str, channel: str) -> None:
        reply = await self._answering.reply_to(Heard(user_id, "", team_id, channel, HOME_LINE))
        if reply is STOPPED:
            # What the tab shows stays there until it is opened again.
            return
        try:
            await self._views.publish(user_id, home_view(reply))
        except (DeliveryFailedError, DestinationGoneError) as error:
            logger.warning("The Home tab is not made anew: %s", error, extra={"action": "slack_home"})
