"""Where the answer to a command appears. What is shown second takes the place of what was shown first."""

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
from clearml_chatops.bot.frontends.slack.rendering import (
    File,
    RenderedMessage,
    build_notice,
    build_typing_indicator,
)
from clearml_chatops.bot.frontends.slack.slack_api import SlackApi

logger = logging.getLogger(__name__)

_NOT_EDITABLE_CODES = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
"""Slack's words for a message that cannot be changed any more: deleted, another's, too old."""
_UPLOAD_FAILED_TEXT = "{what} of this answer did not get to Slack; ask again later."


class PostedMessage(NamedTuple):
    """Where something is shown; all empty where nothing can be said about it later."""

    channel: str = ""
    thread: str = ""
    message_id: str = ""


class ReplyTarget(Protocol):
    async def show_typing_indicator(self) -> None:
        """Shows a sign of life, where that does not cost what is shown there now."""

    async def show(self, rendered: RenderedMessage) -> PostedMessage:
        """Shows it instead of what was shown before.

        Raises:
            DestinationGoneError: nothing can be written there.
            DeliveryFailedError: it could not be written.
        """
        ...


@dataclass(slots=True)
class ChannelMessage:
    """A message that everybody in the channel or thread sees, and that can be changed.

    With a `message_id` it is posted already, and is changed from the first time on. `arrived` is done the
    moment Slack has it.
    """

    api: SlackApi
    channel: str
    thread: str = ""
    message_id: str = ""
    on_delivered: OnDelivered = ignore_delivery

    async def show_typing_indicator(self) -> None:
        await self._post_or_update(build_typing_indicator())

    async def show(self, rendered: RenderedMessage) -> PostedMessage:
        await self._post_or_update(rendered)
        await self.on_delivered()
        await self.upload_files(rendered)
        return PostedMessage(self.channel, self.thread, self.message_id)

    async def try_to_update(self, rendered: RenderedMessage) -> bool:
        """Has the posted message show this; False where that message cannot be changed any more."""
        try:
            await self.api.update(self.channel, self.message_id, rendered)
        except DeliveryFailedError as error:
            if error.reason not in _NOT_EDITABLE_CODES:
                raise
            return False
        return True

    async def upload_files(self, rendered: RenderedMessage) -> None:
        """Uploads what belongs to it. Where that fails a line says so; the answer stands and is not said twice."""
        await self._upload(self.thread, rendered.pictures, "A picture")
        if rendered.file:
            # Details go into the thread, except where people expect the conversation itself.
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
            logger.warning("A file did not get to Slack: %s", error, extra={"action": "slack_file"})
            with suppress(DeliveryFailedError, DestinationGoneError):
                await self.api.post(
                    self.channel, thread, build_notice(_UPLOAD_FAILED_TEXT.format(what=file_description))
                )


@dataclass(slots=True)
class DirectMessage:
    """The direct messages with a person."""

    api: SlackApi
    user_id: str

    async def show_typing_indicator(self) -> None:
        """Shows nothing: what lands here comes late already."""

    async def show(self, rendered: RenderedMessage) -> PostedMessage:
        channel = await self.api.open_direct_channel(self.user_id)
        return await ChannelMessage(self.api, channel).show(rendered)

    async def upload_files(self, rendered: RenderedMessage) -> None:
        """Uploads what belongs to an answer that is shown elsewhere."""
        channel = await self.api.open_direct_channel(self.user_id)
        await ChannelMessage(self.api, channel).upload_files(rendered)
