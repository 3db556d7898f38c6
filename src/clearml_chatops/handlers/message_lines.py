"""Lists of short lines in a message: overviews of many events and the daily digest use them."""

from collections.abc import Iterable, Sequence

from clearml_chatops.models.bursts import MAX_LISTED
from clearml_chatops.models.replies import Button, Text, Tone

MAX_LINES = MAX_LISTED
MAX_BUTTONS = 5
MAX_NAME_LENGTH = 60
MAX_LINE_LENGTH = 140
_LINES_PER_TEXT = 10


def build_list_texts(title: str, lines: Sequence[str], tone: Tone = Tone.PLAIN) -> list[Text]:
    """Return the lines below a title, in texts short enough for every platform; nothing if there are no lines."""
    texts = [lines[start : start + _LINES_PER_TEXT] for start in range(0, len(lines), _LINES_PER_TEXT)]
    return [
        Text("\n".join((title, *text) if title and not number else text), Tone.PLAIN if number else tone)
        for number, text in enumerate(texts)
    ]


def build_log_buttons(failed: Iterable[tuple[str, str]]) -> tuple[Button, ...]:
    """Return a log button for each of the first failed experiments, given as ids and names."""
    first = [(id_, name) for (id_, name), _ in zip(failed, range(MAX_BUTTONS), strict=False)]
    return tuple(
        Button(f"Show log of {to_single_line(name, MAX_NAME_LENGTH)}", f"/log {id_}") for id_, name in first
    )


def to_single_line(text: str, max_length: int) -> str:
    """Return text from outside as a single line of limited length."""
    line = " ".join(text.split())
    return line if len(line) <= max_length else f"{line[: max_length - 1]}…"


def to_list_line(text: str) -> str:
    """Return text as one line of a list, short enough for every platform."""
    return to_single_line(text, MAX_LINE_LENGTH)


def quote_name(name: str) -> str:
    """Return an experiment's name in quotes, as part of a line."""
    return f"“{to_single_line(name, MAX_NAME_LENGTH)}”"
