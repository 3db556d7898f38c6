"""Replies sent to the response_url of a command or button: ephemeral, or public on request."""

import logging
from contextlib import suppress
from dataclasses import dataclass

from clearml_chatops.bot.frontends.front_end import DeliveryFailedError, DestinationGoneError
from clearml_chatops.bot.frontends.slack.rendering import RenderedMessage, build_notice, build_typing_indicator
from clearml_chatops.bot.frontends.slack.reply_targets import ChannelMessage, DirectMessage, PostedMessage
from clearml_chatops.bot.frontends.slack.slack_api import SlackApi

logger = logging.getLogger(__name__)

_CARD_IN_CHANNEL_TEXT = "The card is in the channel."
_CARD_IN_DIRECT_MESSAGES_TEXT = (
    "The bot couldn't post the card here, so it's in your direct messages. "
    "To get cards here, add the bot to this channel."
)
_FILES_IN_DIRECT_MESSAGES_TEXT = "The files are in your direct messages with the bot."
_FILES_FAILED_TEXT = "The files couldn't be uploaded to Slack. Try again later."


@dataclass(slots=True)
class EphemeralReply:
    """A message that only one person sees.

    `can_replace`: a second message may replace the first. Not for buttons: at their response_url it would
    replace the message that has the button, which only `in_place` replies do.

    Slack stores no ephemeral messages. So files go to the direct messages, and so does a reply after its
    response_url has expired. A card must be editable later: it is posted in `channel`, or in the direct
    messages if the bot isn't in that channel.
    """

    api: SlackApi
    response_url: str
    user_id: str
    can_replace: bool
    channel: str = ""
    in_place: bool = False
    _has_responded: bool = False

    async def show_typing_indicator(self) -> None:
        # A list stays visible until its next page is ready.
        if not self.in_place:
            await self._respond(build_typing_indicator())

    async def show(self, rendered: RenderedMessage) -> PostedMessage:
        if rendered.is_card:
            return await self._show_card(rendered)
        try:
            await self._respond(
                rendered.with_line(_FILES_IN_DIRECT_MESSAGES_TEXT) if rendered.has_files else rendered
            )
        except (DeliveryFailedError, DestinationGoneError):
            return await DirectMessage(self.api, self.user_id).show(rendered)
        if rendered.has_files:
            await self.upload_files(rendered)
        return PostedMessage()

    async def upload_files(self, rendered: RenderedMessage) -> None:
        """Upload the files of a reply to the direct messages."""
        try:
            await DirectMessage(self.api, self.user_id).upload_files(rendered)
        except (DeliveryFailedError, DestinationGoneError) as error:
            logger.warning("A file couldn't be uploaded to Slack: %s", error, extra={"action": "slack_file"})
            with suppress(DeliveryFailedError, DestinationGoneError):
                await self.api.respond(
                    self.response_url, build_notice(_FILES_FAILED_TEXT), public=False, replace=False
                )

    async def _show_card(self, rendered: RenderedMessage) -> PostedMessage:
        try:
            posted, notice = await ChannelMessage(self.api, self.channel).show(rendered), ""
        except (DeliveryFailedError, DestinationGoneError):
            try:
                posted, notice = (
                    await DirectMessage(self.api, self.user_id).show(rendered),
                    _CARD_IN_DIRECT_MESSAGES_TEXT,
                )
            except (DeliveryFailedError, DestinationGoneError):
                # A card that can't be updated is better than no reply.
                await self._respond(rendered)
                return PostedMessage()
        if self._has_responded and self.can_replace:
            notice = notice or _CARD_IN_CHANNEL_TEXT
        if notice:
            with suppress(DeliveryFailedError, DestinationGoneError):
                await self._respond(build_notice(notice))
        return posted

    async def _respond(self, rendered: RenderedMessage) -> None:
        if self.in_place or (self.can_replace and self._has_responded):
            with suppress(DeliveryFailedError, DestinationGoneError):
                await self.api.respond(self.response_url, rendered, public=False, replace=True)
                return
        await self.api.respond(self.response_url, rendered, public=False, replace=False)
        self._has_responded = True


@dataclass(slots=True)
class PublicReply:
    """A public message in the channel of a slash command.

    If the bot isn't in that channel, the response_url still posts a message that everybody sees, but that
    can't be edited later.
    """

    message: ChannelMessage
    ephemeral_reply: EphemeralReply
    _is_in_channel: bool = True
    _has_responded: bool = False

    async def show_typing_indicator(self) -> None:
        if self._is_in_channel:
            try:
                await self.message.show_typing_indicator()
            except DestinationGoneError:
                self._is_in_channel = False
        if not self._is_in_channel:
            await self._respond(build_typing_indicator())

    async def show(self, rendered: RenderedMessage) -> PostedMessage:
        if self._is_in_channel:
            try:
                return await self.message.show(rendered)
            except DestinationGoneError:
                self._is_in_channel = False
        try:
            await self._respond(rendered)
        except (DeliveryFailedError, DestinationGoneError):
            return await DirectMessage(self.message.api, self.ephemeral_reply.user_id).show(rendered)
        if rendered.has_files:
            await self.ephemeral_reply.upload_files(rendered)
        return PostedMessage()

    async def _respond(self, rendered: RenderedMessage) -> None:
        response_url, replace = self.ephemeral_reply.response_url, self._has_responded
        await self.message.api.respond(response_url, rendered, public=True, replace=replace)
        self._has_responded = True
