"""Carrying the words of one line over to another command."""

from collections.abc import Iterator, Sequence

from clearml_chatops.handlers.binding import bind
from clearml_chatops.handlers.command_line import Word, join_words
from clearml_chatops.handlers.registry import Command, ParameterKind
from clearml_chatops.models.errors import ChatOpsError

_NAMES = ("worker", "experiment", "queue")
"""What completes an argument that names something."""

MAX_SHOWN_LENGTH = 40


def fit_line(command: Command, words: Sequence[Word]) -> str | None:
    """Return the line of a command with these arguments, or None if it can't take them all.

    If it takes no such word, the first one becomes the option that names something, as in `/queue queue=x`.
    """
    for candidate in (list(words), *_list_named(command, words)):
        if is_bindable(command, candidate):
            return build_line(command, candidate)
    return None


def build_line(command: Command, words: Sequence[Word]) -> str:
    return join_words([*map(Word, f"/{command.name}".split()), *words])


def is_bindable(command: Command, words: Sequence[Word]) -> bool:
    try:
        bind(command, words)
    except ChatOpsError:
        return False
    return True


def shorten_line(line: str) -> str:
    """Return a line as the label of a button."""
    return line if len(line) <= MAX_SHOWN_LENGTH else f"{line[: MAX_SHOWN_LENGTH - 1]}…"


def _list_named(command: Command, words: Sequence[Word]) -> Iterator[list[Word]]:
    if not words or words[0].key is not None:
        return
    for parameter in command.parameters:
        if parameter.kind is ParameterKind.OPTION and parameter.converter.completion in _NAMES:
            first = Word(f"{parameter.name}={words[0].text}", parameter.name, words[0].quoted)
            yield [first, *words[1:]]
