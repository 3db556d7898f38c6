"""The echo of typed characters while a command runs."""

import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_LOCAL_MODES_INDEX = 3
"""The index of the flags with ECHO in termios' attributes."""


@contextmanager
def disable_echo(terminal: TextIO | None = None) -> Iterator[None]:
    """Hide typed characters inside the block: they would garble the screen. The next prompt shows them."""
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
