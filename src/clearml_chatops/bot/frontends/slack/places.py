"""Where the answer to a command appears. What is shown second takes the place of what was shown first."""

import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from clearml_chatops.bot.frontends.front_end import (
    Arrived,
    DeliveryFailedError,
    DestinationGoneError,
    nothing_to_note,
)
from clearml_chatops.bot.frontends.slack.outgoing import Outgoing
from clearml_chatops.bot.frontends.slack.rendering import File, Rendered, one_line, working_line

logger = logging.getLogger(__name__)

_UNCHANGEABLE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
"""Slack's words for a message that cannot be changed any more: deleted, another's, too old."""
_NOT_UPLOADED = "{what} of this answer did not get to Slack; ask again later."


class Shown(NamedTuple):
    """Where something is shown; all empty where nothing can be said about it later."""

    channel: str = ""
    thread: str = ""
    message_id: str = ""


class Place(Protocol):
    async def show_work(self) -> None:
        """Shows a sign of life, where that does not cost what is shown there now."""

    async def show(self, rendered: Rendered) -> Shown:
        """Shows it instead of what was shown before.

        Raises:
            DestinationGoneError: nothing can be written there.
            DeliveryFailedError: it could not be written.
        """
        ...


@dataclass(slots=True)
class RealMessage:
    """A message that everybody in the channel or thread sees, and that can be changed.

    With a `message_id` it is posted already, and is changed from the first time on. `arrived` is done the
    moment Slack has it.
    """

    outgoing: Outgoing
    channel: str
    thread: str = ""
    message_id: str = ""
    arrived: Arrived = nothing_to_note

    async def show_work(self) -> None:
        await self._put(working_line())

    async def show(self, rendered: Rendered) -> Shown:
        await self._put(rendered)
        await self.arrived()
        await self.attach(rendered)
        return Shown(self.channel, self.thread, self.message_id)

    async def change(self, rendered: Rendered) -> bool:
        """Has the posted message show this; False where that message cannot be changed any more."""
        try:
            await self.outgoing.update(self.channel, self.message_id, rendered)
        except DeliveryFailedError as error:
            if error.reason not in _UNCHANGEABLE:
                raise
            return False
        return True

    async def attach(self, rendered: Rendered) -> None:
        """Uploads what belongs to it. Where that fails a line says so; the answer stands and is not said twice."""
        await self._upload(self.thread, rendered.pictures, "A picture")
        if rendered.file:
            # Details go into the thread, except where people expect the conversation itself.
            thread = self.thread if self.channel.startswith("D") else self.thread or self.message_id
            await self._upload(thread, (rendered.file,), "The file")

    async def _put(self, rendered: Rendered) -> None:
        if not self.message_id or not await self.change(rendered):
            self.message_id = await self.outgoing.post(self.channel, self.thread, rendered)

    async def _upload(self, thread: str, files: tuple[File, ...], what: str) -> None:
        if not files:
            return
        try:
            await self.outgoing.upload(self.channel, thread, files)
        except (DeliveryFailedError, DestinationGoneError) as error:
            logger.warning("A file did not get to Slack: %s", error, extra={"action": "slack_file"})
            with suppress(DeliveryFailedError, DestinationGoneError):
                await self.outgoing.post(self.channel, thread, one_line(_NOT_UPLOADED.format(what=what)))


@dataclass(slots=True)
class DirectMessage:
    """The direct messages with a person."""

    outgoing: Outgoing
    user_id: str

    async def show_work(self) -> None:
        """Shows nothing: what lands here comes late already."""

    async def show(self, rendered: Rendered) -> Shown:
        channel = await self.outgoing.direct_channel(self.user_id)
        return await RealMessage(self.outgoing, channel).show(rendered)

    async def attach(self, rendered: Rendered) -> None:
        """Uploads what belongs to an answer that is shown elsewhere."""
        channel = await self.outgoing.direct_channel(self.user_id)
        await RealMessage(self.outgoing, channel).attach(rendered)
