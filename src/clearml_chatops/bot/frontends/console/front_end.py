"""The terminal as a place to talk to the bot: a chat, or a script that is played."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.patch_stdout import patch_stdout
from rich.console import Console

from clearml_chatops.bot.frontends.console.completion import LEAVING_WORDS, CommandCompleter
from clearml_chatops.bot.frontends.console.history import private_history
from clearml_chatops.bot.frontends.console.interrupts import on_interrupt
from clearml_chatops.bot.frontends.console.names import RememberedNames, Suggestions
from clearml_chatops.bot.frontends.console.picture import picture_of
from clearml_chatops.bot.frontends.console.picture_files import PictureFiles
from clearml_chatops.bot.frontends.console.progress import Patience, one_second
from clearml_chatops.bot.frontends.console.screen import PROMPT, Screen
from clearml_chatops.bot.frontends.console.typed_ahead import unseen_typing
from clearml_chatops.bot.frontends.front_end import Arrived, nothing_to_note
from clearml_chatops.handlers.registry import Registry
from clearml_chatops.models.messages import TERMINAL, Conversation, IncomingMessage
from clearml_chatops.models.people import Identity
from clearml_chatops.models.replies import Outcome, Reply, Text, Tone

_WELCOME = "/help lists the commands, Tab completes, a number presses a button, Ctrl-D ends."
_STOPPED = "No longer waiting. What ClearML was already asked to do may still happen; /show tells."

Handle = Callable[[IncomingMessage], Awaitable[Reply]]


class ConsoleFrontEnd:
    """One person at one terminal.

    `handle` answers messages; `names` feeds the completion. `history_file` remembers what was typed in
    chats. Pictures are kept as files in `picture_folder`. `patience` returns when a command has taken so long
    that a sign of life is due.
    """

    def __init__(
        self,
        *,
        handle: Handle,
        registry: Registry,
        names: Suggestions,
        user: str,
        console: Console,
        history_file: Path | None = None,
        picture_folder: Path | None = None,
        patience: Patience = one_second,
    ) -> None:
        self._handle = handle
        self._registry = registry
        self._names = RememberedNames(names)
        self._identity = Identity(TERMINAL, user)
        self._screen = Screen(console, patience)
        self._history_file = history_file
        self._pictures = PictureFiles(picture_folder)

    @property
    def conversation(self) -> Conversation:
        """Where notifications for this terminal are sent."""
        return Conversation(TERMINAL, self._identity.user_id)

    async def chat(self) -> None:
        """Talks with the person until he leaves."""
        session = self._prompt_session()
        # Our own words go through the screen; this is for warnings and logs of others.
        with patch_stdout(raw=True):
            await self._screen.show_hint(_WELCOME)
            self._names.renew()
            try:
                while (line := await _next_line(session)) is not None:
                    if line:
                        await self._answer(line, interruptible=True)
                        self._names.renew()
            finally:
                await self._names.aclose()

    async def run_lines(self, lines: AsyncIterator[str] | Iterable[str]) -> bool:
        """Plays the lines of a script up to the first that is not done; whether every one was.

        What follows a line that failed would act on another experiment than was meant. A question is done
        when the next line answers it with a number. Empty lines and those that begin with `#` are left
        out; `/exit` ends the script.
        """
        outcome = Outcome.DONE
        async for line in _commands_of(lines):
            if outcome is Outcome.ASKED and not line.strip("[]").isdecimal():
                return False
            await self._screen.echo_line(line if line[0] in "/[" or line.isdecimal() else f"/{line}")
            outcome = (await self._answer(line)).outcome
            if outcome in {Outcome.REFUSED, Outcome.BROKEN}:
                return False
        return outcome is Outcome.DONE

    async def deliver(self, reply: Reply, arrived: Arrived = nothing_to_note) -> None:
        """Shows a notification; it has `arrived` when it is on the screen."""
        await self._screen.show_notification(await self._pictures.saved(reply))
        await arrived()

    def export_svg(self, title: str) -> str:
        """What was shown so far, as a picture. Needs a recording console."""
        return picture_of(self._screen.console, title)

    async def _answer(self, line: str, *, interruptible: bool = False) -> Reply:
        pressed = self._screen.numbers.pressed(line)
        if isinstance(pressed, Reply):
            reply = pressed
        else:
            if pressed is not None:
                await self._screen.echo_button(pressed.command)
            command = line if pressed is None else pressed.command
            reply = await (self._run_interruptibly(command) if interruptible else self._run(command))
        await self._screen.show_reply(await self._pictures.saved(reply))
        return reply

    async def _run(self, line: str, hint: str = "") -> Reply:
        message = IncomingMessage(
            sender=self._identity, sender_name=self._identity.user_id, conversation=self.conversation, text=line
        )
        async with self._screen.progress(hint):
            return await self._handle(message)

    async def _run_interruptibly(self, line: str) -> Reply:
        running = asyncio.create_task(self._run(line, "Ctrl-C stops waiting"))
        try:
            with unseen_typing(), on_interrupt(running.cancel):
                await asyncio.wait([running])
        finally:
            running.cancel()
        if running.cancelled():
            return Reply((Text(_STOPPED, Tone.WARNING),), Outcome.BROKEN)
        return running.result()

    def _prompt_session(self) -> PromptSession[str]:
        return PromptSession(
            FormattedText([("bold ansicyan", PROMPT)]),
            completer=CommandCompleter(self._registry, self._names),
            auto_suggest=AutoSuggestFromHistory(),
            history=private_history(self._history_file),
            key_bindings=_key_bindings(),
        )


async def _next_line(session: PromptSession[str]) -> str | None:
    """What the person typed, or None when he leaves."""
    try:
        line = (await session.prompt_async()).strip()
    except EOFError:
        return None
    return None if line.casefold() in LEAVING_WORDS else line


async def _commands_of(lines: AsyncIterator[str] | Iterable[str]) -> AsyncIterator[str]:
    async for line in _one_by_one(lines):
        stripped = line.strip()
        if stripped.casefold() in LEAVING_WORDS:
            return
        if stripped and not stripped.startswith("#"):
            yield stripped


async def _one_by_one(lines: AsyncIterator[str] | Iterable[str]) -> AsyncIterator[str]:
    if isinstance(lines, AsyncIterator):
        async for line in lines:
            yield line
    else:
        for line in lines:
            yield line


def _key_bindings() -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("c-c")
    @bindings.add("<sigint>")
    def clear_the_line(event: KeyPressEvent) -> None:
        event.current_buffer.reset()

    return bindings
