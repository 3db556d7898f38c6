"""From what was heard to the reply, and from the reply to the place where it was asked for."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from clearml_chatops.bot.frontends.front_end import Cards, DeliveryFailedError, DestinationGoneError
from clearml_chatops.bot.frontends.slack.choice_of_place import place_for
from clearml_chatops.bot.frontends.slack.incoming import PLATFORM, Heard
from clearml_chatops.bot.frontends.slack.outgoing import Outgoing
from clearml_chatops.bot.frontends.slack.places import DirectMessage, Place, Shown
from clearml_chatops.bot.frontends.slack.rendering import render
from clearml_chatops.bot.frontends.slack.work import Work
from clearml_chatops.handlers.forms import opens_form
from clearml_chatops.handlers.registry import Registry
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Identity
from clearml_chatops.models.replies import Button, Buttons, Form, Reply

logger = logging.getLogger(__name__)

Handle = Callable[[IncomingMessage], Awaitable[Reply]]

_FILL_IN = "Fill in"
_DIRECT_MESSAGE = "D"
"""What the ids of direct messages begin with."""


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
        place = place_for(self._outgoing, heard)
        reply = await self._work.reply(lambda: self._handled(heard), place.show_work)
        await self._show_or_send(heard, place, reply)

    async def reply_to(self, heard: Heard) -> Reply:
        """Has it handled; whoever asks shows the reply, and a sign of life before it."""
        return await self._work.reply(lambda: self._handled(heard))

    async def show_where_asked(self, heard: Heard, reply: Reply) -> str:
        """Shows a reply where it was asked for, or else in direct messages; gives the channel if it is known."""
        return await self._show_or_send(heard, place_for(self._outgoing, heard), reply)

    async def show(self, place: Place, reply: Reply) -> Shown:
        """Shows a reply in a place. Raises DestinationGoneError, DeliveryFailedError."""
        shown = await place.show(render(reply))
        await self._remember(shown, reply)
        return shown

    async def _show_or_send(self, heard: Heard, place: Place, reply: Reply) -> str:
        if any(isinstance(block, Form) for block in reply.blocks) and opens_form(self._registry, heard.line):
            # A message has nothing to type into; a button has what opens a window.
            reply = reply.followed_by(Buttons((Button(_FILL_IN, heard.line),)))
        try:
            shown = await self.show(place, reply)
            if heard.begins_thread and shown.thread == heard.thread:
                # The thread that a mention begins is from now on its experiment's, as that of a card is.
                await self._remember(Shown(heard.channel, "", heard.thread), replace(reply, is_card=False))
        except (DestinationGoneError, DeliveryFailedError) as error:
            logger.warning("An answer goes to direct messages: %s", error, extra={"action": "slack_fallback"})
            shown = await self.show(DirectMessage(self._outgoing, heard.user_id), reply)
        return shown.channel

    async def _remember(self, shown: Shown, reply: Reply) -> None:
        if reply.experiment_id and shown.message_id:
            await self._cards.remember(
                Conversation(PLATFORM, shown.channel, shown.thread),
                shown.message_id,
                reply.experiment_id,
                is_card=reply.is_card,
            )

    async def _handled(self, heard: Heard) -> Reply:
        is_direct = heard.channel.startswith(_DIRECT_MESSAGE)
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
                in_public=not heard.ephemeral and not is_direct,
                in_private=is_direct,
                begins_thread=heard.begins_thread,
                time_zone_of_sender=partial(self._outgoing.time_zone_of, heard.user_id),
            )
        )
