"""`clearml-chatops console`: the terminal front end and its background loops."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import BinaryIO

from rich.console import Console

from clearml_chatops.bot.background_loops import build_background_loops
from clearml_chatops.bot.delivery import Delivery
from clearml_chatops.bot.frontends.console import ConsoleFrontEnd, create_terminal_console, read_lines
from clearml_chatops.bot.loops import Loop, run_loops
from clearml_chatops.bot.program import Program, open_program
from clearml_chatops.bot.settings import Settings
from clearml_chatops.models.messages import TERMINAL, Conversation, IncomingMessage
from clearml_chatops.models.people import Identity, Person, Role
from clearml_chatops.services.command_services import CommandServices
from clearml_chatops.services.experiments.suggestions import SuggestionService

_DELIVERY_INTERVAL = timedelta(seconds=0.2)
"""Another process with the same database may queue messages: its wake-ups don't reach this process."""


async def run_console(settings: Settings, *, lines: Sequence[str], script: BinaryIO | None) -> bool:
    """Run the lines and then the script, or chat if there are neither. Return whether every line succeeded.

    Raises:
        SettingsError, DatabaseOutdatedError, DatabaseUnusableError: The program can't start.
    """
    async with open_program(settings) as program:
        await program.process.clearml.require_credentials()
        front_end = create_console_front_end(program, settings, console=create_terminal_console())
        async with run_background_loops(program, front_end):
            if not lines and script is None:
                await front_end.chat()
                return True
            succeeded = await front_end.run_lines(lines)
            return succeeded and (script is None or await front_end.run_lines(read_lines(script)))


def create_console_front_end(program: Program, settings: Settings, *, console: Console) -> ConsoleFrontEnd:
    """Return the terminal front end for the user named in the settings."""
    return ConsoleFrontEnd(
        handle=program.dispatcher.handle,
        registry=program.dispatcher.registry,
        suggestions=_create_suggestions(program, settings.user),
        user=settings.user,
        console=console,
        history_file=settings.data_folder / "history",
        picture_folder=settings.data_folder / "pictures",
    )


@asynccontextmanager
async def run_background_loops(program: Program, front_end: ConsoleFrontEnd) -> AsyncIterator[None]:
    """Run the background loops and the delivery to this terminal inside the block."""
    stop_event = asyncio.Event()
    delivery = Delivery(
        notifications=program.process.notifications,
        platform=front_end.conversation.platform,
        conversation_id=front_end.conversation.id,
        send=lambda _conversation, reply, on_delivered: front_end.deliver(reply, on_delivered),
    )
    outbox_wakeup = program.process.outbox_wakeup.subscribe()
    delivery_loop = Loop(
        delivery.deliver_due_messages,
        _DELIVERY_INTERVAL,
        "Can't deliver notifications",
        wake_event=outbox_wakeup,
    )
    try:
        async with run_loops([*build_background_loops(program.process), delivery_loop], stop_event):
            yield
    finally:
        # Deliver what was found before the end.
        await delivery.deliver_due_messages()


def _create_suggestions(program: Program, user: str) -> SuggestionService:
    """Return suggestions that read as the bot: the user isn't known before their first message."""
    viewer = Person(id=0, name=user, role=Role.VIEWER)
    message = IncomingMessage(Identity(TERMINAL, user), user, Conversation(TERMINAL, user), "")
    return CommandServices(program.process, viewer, message).suggestions
