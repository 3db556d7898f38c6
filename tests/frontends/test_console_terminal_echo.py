"""Text that is typed while a command runs is hidden until the next prompt, and not lost."""

import os
import pty
import termios
from collections.abc import Iterator
from typing import TextIO

import pytest

from clearml_chatops.bot.frontends.console.terminal_echo import disable_echo


@pytest.fixture
def terminal() -> Iterator[tuple[int, TextIO]]:
    """A pseudo-terminal: the person's end and the program's end."""
    person, program = pty.openpty()
    with os.fdopen(program, "r") as stream:
        yield person, stream
    os.close(person)


def test_typed_text_is_hidden_and_kept(terminal: tuple[int, TextIO]) -> None:
    person, stream = terminal
    with disable_echo(stream):
        os.write(person, b"/show last\n")
        assert stream.readline() == "/show last\n"
    os.write(person, b"x")
    assert os.read(person, 100) == b"x"


def test_the_terminal_is_restored_after_an_exception(terminal: tuple[int, TextIO]) -> None:
    _, stream = terminal
    saved_attributes = termios.tcgetattr(stream)
    with pytest.raises(RuntimeError), disable_echo(stream):
        raise RuntimeError
    assert termios.tcgetattr(stream) == saved_attributes


def test_a_pipe_is_left_alone() -> None:
    read_end, write_end = os.pipe()
    os.close(write_end)
    with os.fdopen(read_end) as stream, disable_echo(stream):
        assert stream.read() == ""
