"""From what was heard to the reply, and from the reply to the place where it was asked for."""

import logging
from collections.abc import Awaitable, Callable

from clearml_chatops.bot.frontends.front_end import Cards, DeliveryFailedError, DestinationGoneError
from clearml_chatops.bot.frontends.slack.incoming import PLATFORM, Heard
from clearml_chatops.bot.frontends.slack.outgoing import Outgoing
from clearml_chatops.bot.frontends.slack.places import DirectMessage, Place, PublicAnswer, RealMessage, Whisper
from clearml_chatops.bot.frontends.slack.rendering import render, working_line
from clearml_chatops.bot.frontends.slack.work import Work
from clearml_chatops.handlers.forms import opens_form
from clearml_chatops.handlers.registry import Registry
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Identity
from clearml_chatops.models.replies import Button, Buttons, Form, Reply

logger = logging.getLogger(__name__)

Handle = Callable[[IncomingMessage], Awaitable[Reply]]

_FILL_IN = "Fill in"


class Answering:
    def __init__(
        self, *, handle: Handle, registry: Registry, cards: Cards, outgoing: Outgoing, work: Work
    ) -> None:
        self._handle = handle
        self._registry = registry
        self._cards = cards
        self._outgoing = outgoing
        self._work = work

    async def answer(self, heard: Heard) -> None:
        """Has it handled, and shows the reply where it was asked for."""
        place = self._place_of(heard)
        reply = await self._work.reply(self._handled(heard), lambda: place.show(working_line()))
        await self._show_or_send(heard, place, reply)

    async def reply_to(self, heard: Heard) -> Reply:
        """Has it handled; whoever asks shows the reply, and a sign of life before it."""
        return await self._work.reply(self._handled(heard))

    async def show_where_asked(self, heard: Heard, reply: Reply) -> str:
        """Shows a reply where it was asked for, or else in direct messages; gives the channel if it is known."""
        return await self._show_or_send(heard, self._place_of(heard), reply)

    async def show(self, place: Place, reply: Reply) -> str:
        """Shows a reply in a place. Raises DestinationGoneError, DeliveryFailedError."""
        channel, message_id = await place.show(render(reply))
        if reply.experiment_id and message_id:
            await self._cards.remember(
                Conversation(PLATFORM, channel), message_id, reply.experiment_id, is_card=reply.is_card
            )
        return channel

    async def _show_or_send(self, heard: Heard, place: Place, reply: Reply) -> str:
        if any(isinstance(block, Form) for block in reply.blocks) and opens_form(self._registry, heard.line):
            # A message has nothing to type into; a button has what opens a window.
            reply = reply.followed_by(Buttons((Button(_FILL_IN, heard.line),)))
        try:
            return await self.show(place, reply)
        except (DestinationGoneError, DeliveryFailedError) as error:
            logger.warning("An answer goes to direct messages: %s", error, extra={"action": "slack_fallback"})
            return await self.show(DirectMessage(self._outgoing, heard.user_id), reply)

    def _place_of(self, heard: Heard) -> Place:
        whisper = Whisper(self._outgoing, heard.address, heard.user_id, replaces=not heard.pressed)
        if heard.ephemeral:
            return whisper
        message = RealMessage(self._outgoing, heard.channel, heard.thread)
        return PublicAnswer(message, whisper) if heard.public else message

    async def _handled(self, heard: Heard) -> Reply:
        channel = Conversation(PLATFORM, heard.channel)
        about = await self._cards.experiment_of(channel, heard.card) if heard.card else ""
        if not about and heard.thread and heard.thread != heard.card:
            about = await self._cards.experiment_of(channel, heard.thread)
        return await self._handle(
            IncomingMessage(
                sender=Identity(PLATFORM, heard.user_id, heard.team_id),
                sender_name=heard.user_name or await self._outgoing.name_of(heard.user_id),
                conversation=Conversation(PLATFORM, heard.channel, heard.thread),
                text=heard.line,
                about=about or heard.about,
            )
        )
