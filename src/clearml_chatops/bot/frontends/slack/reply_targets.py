"""Targets of replies: a channel message or direct messages. Showing again replaces what was shown before."""

import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from clearml_chatops.bot.frontends.front_end import (
    DeliveryFailedError,
    DestinationGoneError,
    OnDelivered,
    ignore_delivery,
)
from clearml_chatops.bot.frontends.slack.incoming_requests import PLATFORM
from clearml_chatops.bot.frontends.slack.rendering import (
    File,
    RenderedMessage,
    build_notice,
    build_typing_indicator,
)
from clearml_chatops.bot.frontends.slack.slack_api import SlackApi
from clearml_chatops.models.messages import Conversation, SentMessage

logger = logging.getLogger(__name__)

_NOT_EDITABLE_CODES = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
"""Slack's error codes for a message that can no longer be updated: deleted, not the bot's, or too old."""
_UPLOAD_FAILED_TEXT = "{file} couldn't be uploaded to Slack. Try again later."


class PostedMessage(NamedTuple):
    """Identifies a posted message. All fields are empty if it can't be referred to later."""

    channel: str = ""
    thread: str = ""
    message_id: str = ""


class ReplyTarget(Protocol):
    async def show_typing_indicator(self) -> None:
        """Show that the bot is working, unless that would replace something people still need."""

    async def show(self, rendered: RenderedMessage) -> PostedMessage:
        """Show the message in place of what was shown before.

        Raises:
            DestinationGoneError: the bot can no longer write there.
            DeliveryFailedError: it couldn't be written this time.
        """
        ...


@dataclass(slots=True)
class ChannelMessage:
    """An editable message that everybody in the channel or thread sees.

    With a `message_id` it is already posted, so even the first `show` updates it. `on_delivered` is awaited
    as soon as Slack has the message.
    """

    api: SlackApi
    channel: str
    thread: str = ""
    message_id: str = ""
    on_delivered: OnDelivered = ignore_delivery

    async def show_typing_indicator(self) -> None:
        await self._post_or_update(build_typing_indicator())

    async def show(self, rendered: RenderedMessage) -> PostedMessage:
        if rendered.is_only_file and rendered.file and not self.message_id:
            await self.api.upload(self.channel, self.thread, (rendered.file,), comment=rendered.text)
            await self.on_delivered()
            return PostedMessage(self.channel, self.thread)
        await self._post_or_update(rendered)
        await self.on_delivered(SentMessage(Conversation(PLATFORM, self.channel, self.thread), self.message_id))
        await self.upload_files(rendered)
        return PostedMessage(self.channel, self.thread, self.message_id)

    async def try_to_update(self, rendered: RenderedMessage) -> bool:
        """Update the posted message. Return False if it can no longer be updated."""
        try:
            await self.api.update(self.channel, self.message_id, rendered)
        except DeliveryFailedError as error:
            if error.reason not in _NOT_EDITABLE_CODES:
                raise
            return False
        return True

    async def upload_files(self, rendered: RenderedMessage) -> None:
        """Upload the files of a message. If that fails, post a notice; the message itself stays."""
        await self._upload(
            self.thread, rendered.pictures, "The picture" if len(rendered.pictures) == 1 else "The pictures"
        )
        if rendered.file:
            # Details go into the thread, except in direct messages, where people don't expect threads.
            thread = self.thread if self.channel.startswith("D") else self.thread or self.message_id
            await self._upload(thread, (rendered.file,), "The file")

    async def _post_or_update(self, rendered: RenderedMessage) -> None:
        if not self.message_id or not await self.try_to_update(rendered):
            self.message_id = await self.api.post(self.channel, self.thread, rendered)

    async def _upload(self, thread: str, files: tuple[File, ...], file_description: str) -> None:
        if not files:
            return
        try:
            await self.api.upload(self.channel, thread, files)
        except (DeliveryFailedError, DestinationGoneError) as error:
            logger.warning("A file couldn't be uploaded to Slack: %s", error, extra={"action": "slack_file"})
            with suppress(DeliveryFailedError, DestinationGoneError):
                await self.api.post(
                    self.channel, thread, build_notice(_UPLOAD_FAILED_TEXT.format(file=file_description))
                )


@dataclass(slots=True)
class DirectMessage:
    """The direct messages with a person."""

    api: SlackApi
    user_id: str

    async def show_typing_indicator(self) -> None:
        """Do nothing: direct messages are a fallback, used when the answer is ready."""

    async def show(self, rendered: RenderedMessage) -> PostedMessage:
        channel = await self.api.open_direct_channel(self.user_id)
        return await ChannelMessage(self.api, channel).show(rendered)

    async def upload_files(self, rendered: RenderedMessage) -> None:
        """Upload the files of a message that is shown elsewhere."""
        channel = await self.api.open_direct_channel(self.user_id)
        await ChannelMessage(self.api, channel).upload_files(rendered)
