"""Where the answer to a command appears. What is shown second takes the place of what was shown first."""

import logging
from dataclasses import dataclass
from typing import Protocol

from clearml_chatops.bot.frontends.front_end import DeliveryFailedError, DestinationGoneError
from clearml_chatops.bot.frontends.slack.outgoing import Outgoing
from clearml_chatops.bot.frontends.slack.rendering import File, Rendered

logger = logging.getLogger(__name__)

_DELETED_MEANWHILE = "message_not_found"


class Place(Protocol):
    async def show(self, rendered: Rendered) -> tuple[str, str]:
        """Shows it instead of what was shown before.

        Gives the channel and the id of the message, both empty where nothing can be said about it later.

        Raises:
            DestinationGoneError: nothing can be written there.
            DeliveryFailedError: it could not be written.
        """
        ...


@dataclass(slots=True)
class RealMessage:
    """A message that everybody in the channel or thread sees, and that can be changed.

    With a `message_id` it is posted already, and is changed from the first time on.
    """

    outgoing: Outgoing
    channel: str
    thread: str = ""
    message_id: str = ""

    async def show(self, rendered: Rendered) -> tuple[str, str]:
        if not self.message_id or not await self._changed(rendered):
            self.message_id = await self.outgoing.post(self.channel, self.thread, rendered)
        if rendered.file:
            # Details go into the thread, except where people expect the conversation itself.
            thread = self.thread if self.channel.startswith("D") else self.thread or self.message_id
            await _attach(self.outgoing, self.channel, thread, rendered.file)
        return self.channel, self.message_id

    async def _changed(self, rendered: Rendered) -> bool:
        try:
            await self.outgoing.update(self.channel, self.message_id, rendered)
        except DeliveryFailedError as error:
            if error.reason != _DELETED_MEANWHILE:
                raise
            return False
        return True


@dataclass(slots=True)
class Whisper:
    """An ephemeral message that one person sees.

    `replaces` tells whether a second one may take the place of the first: at the response address of a
    button it would take the place of the message with the button instead. A file, and what no longer
    can be whispered, goes into the direct messages, for a whisper is stored nowhere.
    """

    outgoing: Outgoing
    address: str
    user_id: str
    replaces: bool
    _shown: bool = False

    async def show(self, rendered: Rendered) -> tuple[str, str]:
        replacing = self.replaces and self._shown
        try:
            await self.outgoing.respond(self.address, rendered, public=False, replace=replacing)
        except (DeliveryFailedError, DestinationGoneError):
            return await DirectMessage(self.outgoing, self.user_id).show(rendered)
        self._shown = True
        if rendered.file:
            await _attach_privately(self.outgoing, self.user_id, rendered.file)
        return "", ""


@dataclass(slots=True)
class DirectMessage:
    """The direct messages with a person."""

    outgoing: Outgoing
    user_id: str

    async def show(self, rendered: Rendered) -> tuple[str, str]:
        channel = await self.outgoing.direct_channel(self.user_id)
        return await RealMessage(self.outgoing, channel).show(rendered)


@dataclass(slots=True)
class PublicAnswer:
    """A real message in the channel of a slash command.

    The bot may not be in that channel; the response address then still makes a message that all see.
    """

    message: RealMessage
    whisper: Whisper
    _in_channel: bool = True
    _responded: bool = False

    async def show(self, rendered: Rendered) -> tuple[str, str]:
        if self._in_channel:
            try:
                return await self.message.show(rendered)
            except DestinationGoneError:
                self._in_channel = False
        outgoing, user_id = self.message.outgoing, self.whisper.user_id
        try:
            await outgoing.respond(self.whisper.address, rendered, public=True, replace=self._responded)
        except (DeliveryFailedError, DestinationGoneError):
            return await DirectMessage(outgoing, user_id).show(rendered)
        self._responded = True
        if rendered.file:
            await _attach_privately(outgoing, user_id, rendered.file)
        return "", ""


async def _attach(outgoing: Outgoing, channel: str, thread: str, file: File) -> None:
    """Adds a file to what has been said. Where that fails the answer stands, and is not said twice."""
    try:
        await outgoing.upload(channel, thread, file)
    except (DeliveryFailedError, DestinationGoneError) as error:
        logger.warning("A file did not get to Slack: %s", error, extra={"action": "slack_file"})


async def _attach_privately(outgoing: Outgoing, user_id: str, file: File) -> None:
    try:
        channel = await outgoing.direct_channel(user_id)
    except (DeliveryFailedError, DestinationGoneError) as error:
        logger.warning("A file did not get to Slack: %s", error, extra={"action": "slack_file"})
        return
    await _attach(outgoing, channel, "", file)
