"""`clearml-chatops console`: the terminal front end with the background loops beside it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import BinaryIO

from rich.console import Console

from clearml_chatops.bot.composition import Program, composed
from clearml_chatops.bot.delivery import Delivery
from clearml_chatops.bot.frontends.console import ConsoleFrontEnd, lines_of, terminal_console
from clearml_chatops.bot.loops import Loop, looping
from clearml_chatops.bot.process_loops import process_loops
from clearml_chatops.bot.settings import Settings
from clearml_chatops.models.messages import TERMINAL, Conversation, IncomingMessage
from clearml_chatops.models.people import Identity, Person, Role
from clearml_chatops.services.command_services import Services
from clearml_chatops.services.experiments.suggestions import SuggestionService

_DELIVERY_PAUSE = timedelta(seconds=0.2)
"""Another program with the same database may have put something in: it rings only in its own process."""


async def run_console(settings: Settings, *, lines: Sequence[str], script: BinaryIO | None) -> bool:
    """Plays the lines and then the script, or chats where there is neither; whether every line was done.

    Raises:
        SettingsError, DatabaseOutdatedError, DatabaseUnusableError: it cannot start.
    """
    async with composed(settings) as program:
        await program.process.clearml.require_credentials()
        front_end = console_front_end(program, settings, console=terminal_console())
        async with background_loops(program, front_end):
            if not lines and script is None:
                await front_end.chat()
                return True
            done = await front_end.run_lines(lines)
            return done and (script is None or await front_end.run_lines(lines_of(script)))


def console_front_end(program: Program, settings: Settings, *, console: Console) -> ConsoleFrontEnd:
    """The terminal front end of the user named in the settings."""
    return ConsoleFrontEnd(
        handle=program.dispatcher.handle,
        registry=program.dispatcher.registry,
        names=_suggestions(program, settings.user),
        user=settings.user,
        console=console,
        history_file=settings.data / "history",
        picture_folder=settings.data / "pictures",
    )


@asynccontextmanager
async def background_loops(program: Program, front_end: ConsoleFrontEnd) -> AsyncIterator[None]:
    """The watcher, the reconciler and the delivery to this terminal run inside; all have ended afterwards."""
    stopping = asyncio.Event()
    delivery = Delivery(
        notifications=program.process.notifications,
        platform=front_end.conversation.platform,
        conversation_id=front_end.conversation.id,
        send=lambda _conversation, reply, arrived: front_end.deliver(reply, arrived),
    )
    news = program.process.news.listener()
    telling = Loop(delivery.deliver_due, _DELIVERY_PAUSE, "Notifications are not delivered", wake=news)
    try:
        async with looping([*process_loops(program.process), telling], stopping):
            yield
    finally:
        # What was seen before the end is told before the end.
        await delivery.deliver_due()


def _suggestions(program: Program, user: str) -> SuggestionService:
    """Completion reads as the bot itself, before the first message has made the user a known person."""
    reader = Person(id=0, name=user, role=Role.VIEWER)
    message = IncomingMessage(Identity(TERMINAL, user), user, Conversation(TERMINAL, user), "")
    return Services(program.process, reader, message).suggestions
