"""What a person types while a command still runs."""

import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_LOCAL_MODES = 3
"""Where termios keeps ECHO among a terminal's attributes."""


@contextmanager
def unseen_typing(terminal: TextIO | None = None) -> Iterator[None]:
    """Within, what is typed is not shown, since it would garble the screen; the next prompt gets and shows it."""
    terminal = terminal or sys.stdin
    if not terminal.isatty():
        yield
        return
    before = termios.tcgetattr(terminal)
    silent = termios.tcgetattr(terminal)
    silent[_LOCAL_MODES] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, silent)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSANOW, before)
