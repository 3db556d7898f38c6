"""The terminal front end: a chat or a script."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.patch_stdout import patch_stdout
from rich.console import Console

from clearml_chatops.bot.frontends.console.completion import EXIT_WORDS, CommandCompleter
from clearml_chatops.bot.frontends.console.history import open_history
from clearml_chatops.bot.frontends.console.interrupt_handlers import handle_interrupt
from clearml_chatops.bot.frontends.console.name_cache import NameCache, Suggestions
from clearml_chatops.bot.frontends.console.picture_files import PictureFiles
from clearml_chatops.bot.frontends.console.progress import WaitForProgress, wait_one_second
from clearml_chatops.bot.frontends.console.screen import PROMPT, Screen
from clearml_chatops.bot.frontends.console.screenshots import render_screenshot
from clearml_chatops.bot.frontends.console.terminal_echo import disable_echo
from clearml_chatops.bot.frontends.front_end import MessageHandler, OnDelivered, ignore_delivery
from clearml_chatops.handlers.registry import Registry
from clearml_chatops.models.messages import TERMINAL, Conversation, IncomingMessage
from clearml_chatops.models.people import Identity
from clearml_chatops.models.replies import Outcome, Reply, Text, Tone

_WELCOME_TEXT = "/help lists the commands. Tab completes, a number presses a button, Ctrl-D exits."
_STOPPED_TEXT = "No longer waiting. The command may still take effect. Check with /show."


class ConsoleFrontEnd:
    """One person at one terminal.

    `handle` answers messages, and `suggestions` gives names for the completion. `history_file` stores typed
    lines, and `picture_folder` pictures. `wait_for_progress` returns when a command has taken so long that
    the progress spinner is due.
    """

    def __init__(
        self,
        *,
        handle: MessageHandler,
        registry: Registry,
        suggestions: Suggestions,
        user: str,
        console: Console,
        history_file: Path | None = None,
        picture_folder: Path | None = None,
        wait_for_progress: WaitForProgress = wait_one_second,
    ) -> None:
        self._handle = handle
        self._registry = registry
        self._name_cache = NameCache(suggestions)
        self._identity = Identity(TERMINAL, user)
        self._screen = Screen(console, wait_for_progress)
        self._history_file = history_file
        self._picture_files = PictureFiles(picture_folder)

    @property
    def conversation(self) -> Conversation:
        """The conversation that gets the notifications for this terminal."""
        return Conversation(TERMINAL, self._identity.user_id)

    async def chat(self) -> None:
        """Answer typed lines until the person leaves."""
        session = self._create_prompt_session()
        # The bot's own texts go through the screen; this is for warnings and logs of libraries.
        with patch_stdout(raw=True):
            await self._screen.show_hint(_WELCOME_TEXT)
            self._name_cache.refresh()
            try:
                while (line := await _read_line(session)) is not None:
                    if line:
                        await self._answer(line, interruptible=True)
                        self._name_cache.refresh()
            finally:
                await self._name_cache.aclose()

    async def run_lines(self, lines: AsyncIterator[str] | Iterable[str]) -> bool:
        """Run the lines of a script up to the first that fails. Return whether all succeeded.

        The lines after a failed one could act on the wrong experiment. A question succeeds if the next line
        answers it with a number. Empty lines and lines that start with `#` are skipped; `/exit` ends the script.
        """
        outcome = Outcome.DONE
        async for line in _read_commands(lines):
            if outcome is Outcome.ASKED and not line.strip("[]").isdecimal():
                return False
            await self._screen.echo_line(line if line[0] in "/[" or line.isdecimal() else f"/{line}")
            outcome = (await self._answer(line)).outcome
            if outcome in {Outcome.REFUSED, Outcome.BROKEN}:
                return False
        return outcome is Outcome.DONE

    async def deliver(self, reply: Reply, on_delivered: OnDelivered = ignore_delivery) -> None:
        """Show a notification, then call `on_delivered`."""
        await self._screen.show_notification(await self._picture_files.save_pictures(reply))
        await on_delivered()

    def export_svg(self, title: str) -> str:
        """Return the screen so far as an SVG picture. Needs a recording console."""
        return render_screenshot(self._screen.console, title)

    async def _answer(self, line: str, *, interruptible: bool = False) -> Reply:
        pressed = self._screen.numbered_buttons.find_button(line)
        if isinstance(pressed, Reply):
            reply = pressed
        else:
            if pressed is not None:
                await self._screen.echo_button(pressed.command)
            command = line if pressed is None else pressed.command
            reply = await (self._run_interruptibly(command) if interruptible else self._run(command))
        await self._screen.show_reply(await self._picture_files.save_pictures(reply))
        return reply

    async def _run(self, line: str, hint: str = "") -> Reply:
        message = IncomingMessage(
            sender=self._identity, sender_name=self._identity.user_id, conversation=self.conversation, text=line
        )
        async with self._screen.show_progress(hint):
            return await self._handle(message)

    async def _run_interruptibly(self, line: str) -> Reply:
        command_task = asyncio.create_task(self._run(line, "Ctrl-C stops waiting"))
        try:
            with disable_echo(), handle_interrupt(command_task.cancel):
                await asyncio.wait([command_task])
        finally:
            command_task.cancel()
        if command_task.cancelled():
            return Reply((Text(_STOPPED_TEXT, Tone.WARNING),), Outcome.BROKEN)
        return command_task.result()

    def _create_prompt_session(self) -> PromptSession[str]:
        return PromptSession(
            FormattedText([("bold ansicyan", PROMPT)]),
            completer=CommandCompleter(self._registry, self._name_cache),
            auto_suggest=AutoSuggestFromHistory(),
            history=open_history(self._history_file),
            key_bindings=_build_key_bindings(),
        )


async def _read_line(session: PromptSession[str]) -> str | None:
    """Return the typed line, or None if the person leaves."""
    with suppress(EOFError):
        line = (await session.prompt_async()).strip()
        return None if line.casefold() in EXIT_WORDS else line
    return None


async def _read_commands(lines: AsyncIterator[str] | Iterable[str]) -> AsyncIterator[str]:
    async for line in _to_async_iterator(lines):
        stripped = line.strip()
        if stripped.casefold() in EXIT_WORDS:
            return
        if stripped and not stripped.startswith("#"):
            yield stripped


async def _to_async_iterator(lines: AsyncIterator[str] | Iterable[str]) -> AsyncIterator[str]:
    if isinstance(lines, AsyncIterator):
        async for line in lines:
            yield line
    else:
        for line in lines:
            yield line


def _build_key_bindings() -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("c-c")
    @bindings.add("<sigint>")
    def clear_line(event: KeyPressEvent) -> None:
        event.current_buffer.reset()

    return bindings
