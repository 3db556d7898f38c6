"""What is typed while a command runs is neither shown in the middle of things nor lost."""

import os
import pty
import termios
from collections.abc import Iterator
from typing import TextIO

import pytest

from clearml_chatops.bot.frontends.console.typed_ahead import unseen_typing


@pytest.fixture
def terminal() -> Iterator[tuple[int, TextIO]]:
    """A terminal: the person's end, and the program's."""
    person, program = pty.openpty()
    with os.fdopen(program, "r") as stream:
        yield person, stream
    os.close(person)


def test_it_is_not_shown_and_comes_at_the_next_prompt(terminal: tuple[int, TextIO]) -> None:
    person, stream = terminal
    with unseen_typing(stream):
        os.write(person, b"/show last\n")
        assert stream.readline() == "/show last\n"
    os.write(person, b"x")
    assert os.read(person, 100) == b"x"


def test_a_terminal_is_as_before_also_after_a_mistake(terminal: tuple[int, TextIO]) -> None:
    _, stream = terminal
    before = termios.tcgetattr(stream)
    with pytest.raises(RuntimeError), unseen_typing(stream):
        raise RuntimeError
    assert termios.tcgetattr(stream) == before


def test_what_is_no_terminal_is_left_alone() -> None:
    reading, writing = os.pipe()
    os.close(writing)
    with os.fdopen(reading) as stream, unseen_typing(stream):
        assert stream.read() == ""
