"""Answers at the response address of a command or a button: for one person, or for all where asked for."""

import logging
from contextlib import suppress
from dataclasses import dataclass

from clearml_chatops.bot.frontends.front_end import DeliveryFailedError, DestinationGoneError
from clearml_chatops.bot.frontends.slack.outgoing import Outgoing
from clearml_chatops.bot.frontends.slack.places import DirectMessage, RealMessage, Shown
from clearml_chatops.bot.frontends.slack.rendering import Rendered, one_line, working_line

logger = logging.getLogger(__name__)

_CARD_BELOW = "The card is in the channel."
_CARD_ELSEWHERE = "The card is in your direct messages: it could not be posted here. Is the bot in this channel?"
_FILES_ELSEWHERE = "What belongs to it is in your direct messages with the bot."
_FILES_LOST = "What belongs to this answer did not get to Slack; ask again later."


@dataclass(slots=True)
class Whisper:
    """An ephemeral message that one person sees.

    `replaces` tells whether a second one may take the place of the first: at the response address of a
    button it would take the place of the message with the button instead, as one `in_place` shall. Files, and
    what no longer can be whispered, go into the direct messages, for a whisper is stored nowhere. A card is no
    whisper at all, as it could not be edited: it is posted in the `channel`, or in the direct messages where
    the bot is not in it.
    """

    outgoing: Outgoing
    address: str
    user_id: str
    replaces: bool
    channel: str = ""
    in_place: bool = False
    _shown: bool = False

    async def show_work(self) -> None:
        # A list stays until its next page is there.
        if not self.in_place:
            await self._say(working_line())

    async def show(self, rendered: Rendered) -> Shown:
        if rendered.is_card:
            return await self._show_card(rendered)
        try:
            await self._say(rendered.with_line(_FILES_ELSEWHERE) if rendered.has_files else rendered)
        except (DeliveryFailedError, DestinationGoneError):
            return await DirectMessage(self.outgoing, self.user_id).show(rendered)
        if rendered.has_files:
            await self.attach(rendered)
        return Shown()

    async def attach(self, rendered: Rendered) -> None:
        """Puts the files of an answer into the direct messages."""
        try:
            await DirectMessage(self.outgoing, self.user_id).attach(rendered)
        except (DeliveryFailedError, DestinationGoneError) as error:
            logger.warning("A file did not get to Slack: %s", error, extra={"action": "slack_file"})
            with suppress(DeliveryFailedError, DestinationGoneError):
                await self.outgoing.respond(self.address, one_line(_FILES_LOST), public=False, replace=False)

    async def _show_card(self, rendered: Rendered) -> Shown:
        try:
            shown, line = await RealMessage(self.outgoing, self.channel).show(rendered), ""
        except (DeliveryFailedError, DestinationGoneError):
            try:
                shown, line = await DirectMessage(self.outgoing, self.user_id).show(rendered), _CARD_ELSEWHERE
            except (DeliveryFailedError, DestinationGoneError):
                # A card that stays as it is, rather than no answer.
                await self._say(rendered)
                return Shown()
        if self._shown and self.replaces:
            line = line or _CARD_BELOW
        if line:
            with suppress(DeliveryFailedError, DestinationGoneError):
                await self._say(one_line(line))
        return shown

    async def _say(self, rendered: Rendered) -> None:
        if self.in_place or (self.replaces and self._shown):
            with suppress(DeliveryFailedError, DestinationGoneError):
                await self.outgoing.respond(self.address, rendered, public=False, replace=True)
                return
        await self.outgoing.respond(self.address, rendered, public=False, replace=False)
        self._shown = True


@dataclass(slots=True)
class PublicAnswer:
    """A real message in the channel of a slash command.

    The bot may not be in that channel; the response address then still makes a message that all see, though
    none that can be edited later.
    """

    message: RealMessage
    whisper: Whisper
    _in_channel: bool = True
    _responded: bool = False

    async def show_work(self) -> None:
        if self._in_channel:
            try:
                await self.message.show_work()
            except DestinationGoneError:
                self._in_channel = False
        if not self._in_channel:
            await self._respond(working_line())

    async def show(self, rendered: Rendered) -> Shown:
        if self._in_channel:
            try:
                return await self.message.show(rendered)
            except DestinationGoneError:
                self._in_channel = False
        try:
            await self._respond(rendered)
        except (DeliveryFailedError, DestinationGoneError):
            return await DirectMessage(self.message.outgoing, self.whisper.user_id).show(rendered)
        if rendered.has_files:
            await self.whisper.attach(rendered)
        return Shown()

    async def _respond(self, rendered: Rendered) -> None:
        address, replace = self.whisper.address, self._responded
        await self.message.outgoing.respond(address, rendered, public=True, replace=replace)
        self._responded = True
