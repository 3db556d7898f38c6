"""The screen, which does all writing to the terminal: one output at a time, above the prompt if there is one."""

import os
import sys
from contextlib import AbstractAsyncContextManager
from io import StringIO, TextIOWrapper

from prompt_toolkit.application import run_in_terminal
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.text import Text as RichText

from clearml_chatops.bot.frontends.console.button_numbers import NumberedButtons
from clearml_chatops.bot.frontends.console.layout import Prose, Stack
from clearml_chatops.bot.frontends.console.progress import WaitForProgress, show_progress_after
from clearml_chatops.bot.frontends.console.rendering import list_buttons, render, render_notification
from clearml_chatops.bot.frontends.sanitizing import sanitize_line
from clearml_chatops.models.replies import Reply

PROMPT = "> "
_TRANSCRIPT_WIDTH = 80


def create_terminal_console() -> Console:
    """Return a console on standard output, in colour if the screen has colours.

    A transcript in a file or a pipe is 80 columns wide, unless COLUMNS is set.
    """
    if sys.stdout is None:
        # Standard output was closed at the start: the commands run without showing anything.
        return Console(file=StringIO())
    if isinstance(sys.stdout, TextIOWrapper):
        # A character that the terminal's encoding lacks is replaced instead of failing the whole reply.
        sys.stdout.reconfigure(errors="replace")
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _TRANSCRIPT_WIDTH
    # An explicit stream, because a chat replaces sys.stdout.
    return Console(file=sys.stdout, width=width, markup=False, emoji=False, highlight=False)


class Screen:
    """Shows replies, notifications and echoed lines, and numbers their buttons."""

    def __init__(self, console: Console, wait_for_progress: WaitForProgress) -> None:
        self.console = console
        self.numbered_buttons = NumberedButtons()
        self._wait_for_progress = wait_for_progress

    async def show_reply(self, reply: Reply) -> None:
        first_number = self.numbered_buttons.number_reply(list_buttons(reply))
        await self._print(Stack((render(reply, first_number=first_number), None)))

    async def show_notification(self, reply: Reply) -> None:
        first_number = self.numbered_buttons.number_notification(list_buttons(reply))
        await self._print(Stack((render_notification(reply, first_number=first_number), None)))

    async def echo_line(self, line: str) -> None:
        """Show a line of a script as if it had been typed."""
        await self._print(
            _render_unbroken(RichText.assemble((PROMPT, "bold cyan"), (sanitize_line(line), "bold")))
        )

    async def echo_button(self, command: str) -> None:
        """Show the command of a pressed button."""
        arrow = "→ " if self.console.options.encoding.startswith("utf") else "-> "
        await self._print(
            _render_unbroken(RichText(" " * cell_len(PROMPT) + arrow + sanitize_line(command), style="dim"))
        )

    async def show_hint(self, text: str) -> None:
        await self._print(Stack((Prose(text, "dim"), None)))

    def show_progress(self, hint: str = "") -> AbstractAsyncContextManager[None]:
        return show_progress_after(self._wait_for_progress, self.console, hint)

    async def _print(self, renderable: RenderableType) -> None:
        # Not cropped: the terminal wraps lines that have to stay whole.
        await run_in_terminal(lambda: self.console.print(renderable, crop=False))


def _render_unbroken(text: RichText) -> RenderableType:
    """Return a command line that only the terminal wraps, because people copy it."""
    text.no_wrap, text.overflow = True, "ignore"
    # When rich prints a text directly, it copies it without these settings.
    return Stack((text,))
