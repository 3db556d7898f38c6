"""Answers at the response address of a command or a button: for one person, or for all where asked for."""

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
    "The card is in your direct messages: it could not be posted here. Is the bot in this channel?"
)
_FILES_IN_DIRECT_MESSAGES_TEXT = "What belongs to it is in your direct messages with the bot."
_FILES_FAILED_TEXT = "What belongs to this answer did not get to Slack; ask again later."


@dataclass(slots=True)
class EphemeralReply:
    """An ephemeral message that one person sees.

    `replaces` tells whether a second one may take the place of the first: at the response address of a
    button it would take the place of the message with the button instead, as one `in_place` shall. Files, and
    what no longer can be whispered, go into the direct messages, for a whisper is stored nowhere. A card is no
    whisper at all, as it could not be edited: it is posted in the `channel`, or in the direct messages where
    the bot is not in it.
    """

    api: SlackApi
    response_url: str
    user_id: str
    can_replace: bool
    channel: str = ""
    in_place: bool = False
    _has_responded: bool = False

    async def show_typing_indicator(self) -> None:
        # A list stays until its next page is there.
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
        """Puts the files of an answer into the direct messages."""
        try:
            await DirectMessage(self.api, self.user_id).upload_files(rendered)
        except (DeliveryFailedError, DestinationGoneError) as error:
            logger.warning("A file did not get to Slack: %s", error, extra={"action": "slack_file"})
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
                # A card that stays as it is, rather than no answer.
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
    """A real message in the channel of a slash command.

    The bot may not be in that channel; the response address then still makes a message that all see, though
    none that can be edited later.
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
