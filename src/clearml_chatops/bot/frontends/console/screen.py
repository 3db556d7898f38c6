"""The one place that writes to the terminal: each thing whole, above the prompt if there is one."""

import os
import sys
from contextlib import AbstractAsyncContextManager
from io import StringIO, TextIOWrapper

from prompt_toolkit.application import run_in_terminal
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.text import Text as RichText

from clearml_chatops.bot.frontends.console.layout import Prose, Stack
from clearml_chatops.bot.frontends.console.numbers import NumberedButtons
from clearml_chatops.bot.frontends.console.progress import Patience, progress_after
from clearml_chatops.bot.frontends.console.rendering import buttons_of, render, render_notification
from clearml_chatops.bot.frontends.visible import visible_line
from clearml_chatops.models.replies import Reply

PROMPT = "> "
_WIDTH_OF_A_TRANSCRIPT = 80


def terminal_console() -> Console:
    """A console on standard output: colours where it is a screen that has them, plain text elsewhere.

    A transcript in a file or a pipe is 80 columns wide wherever it was made, unless COLUMNS says otherwise.
    """
    if sys.stdout is None:
        # Started with its standard output closed: there is nobody to read, but the commands were meant.
        return Console(file=StringIO())
    if isinstance(sys.stdout, TextIOWrapper):
        # One character that the terminal's encoding lacks must not cost the whole answer.
        sys.stdout.reconfigure(errors="replace")
    fixed = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _WIDTH_OF_A_TRANSCRIPT
    # The stream is named here so that it stays the real one while a chat has replaced sys.stdout.
    return Console(file=sys.stdout, width=fixed, markup=False, emoji=False, highlight=False)


class Screen:
    """Shows replies, notifications and echoes, and knows which numbers they gave to their buttons."""

    def __init__(self, console: Console, patience: Patience) -> None:
        self.console = console
        self.numbers = NumberedButtons()
        self._patience = patience

    async def show_reply(self, reply: Reply) -> None:
        first_number = self.numbers.number_reply(buttons_of(reply))
        await self._show(Stack((render(reply, first_number=first_number), None)))

    async def show_notification(self, reply: Reply) -> None:
        first_number = self.numbers.number_notification(buttons_of(reply))
        await self._show(Stack((render_notification(reply, first_number=first_number), None)))

    async def echo_line(self, line: str) -> None:
        """A line of a script, as if it had been typed."""
        await self._show(_unbroken(RichText.assemble((PROMPT, "bold cyan"), (visible_line(line), "bold"))))

    async def echo_button(self, command: str) -> None:
        """The command that a number stood for."""
        arrow = "→ " if self.console.options.encoding.startswith("utf") else "-> "
        await self._show(_unbroken(RichText(" " * cell_len(PROMPT) + arrow + visible_line(command), style="dim")))

    async def show_hint(self, text: str) -> None:
        await self._show(Stack((Prose(text, "dim"), None)))

    def progress(self, hint: str = "") -> AbstractAsyncContextManager[None]:
        return progress_after(self._patience, self.console, hint)

    async def _show(self, shown: RenderableType) -> None:
        # Not cropped: a line meant to stay whole is left to the terminal to wrap.
        await run_in_terminal(lambda: self.console.print(shown, crop=False))


def _unbroken(text: RichText) -> RenderableType:
    """A command line, which people copy: broken by nobody but the terminal."""
    text.no_wrap, text.overflow = True, "ignore"
    # Of a text that is printed by itself rich makes another one, without these settings.
    return Stack((text,))
