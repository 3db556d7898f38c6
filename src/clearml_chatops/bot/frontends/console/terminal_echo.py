"""What a person types while a command still runs."""

import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_LOCAL_MODES_INDEX = 3
"""Where termios keeps ECHO among a terminal's attributes."""


@contextmanager
def disable_echo(terminal: TextIO | None = None) -> Iterator[None]:
    """Within, what is typed is not shown, since it would garble the screen; the next prompt gets and shows it."""
    terminal = terminal or sys.stdin
    if not terminal.isatty():
        yield
        return
    saved_attributes = termios.tcgetattr(terminal)
    silent_attributes = termios.tcgetattr(terminal)
    silent_attributes[_LOCAL_MODES_INDEX] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, silent_attributes)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSANOW, saved_attributes)
