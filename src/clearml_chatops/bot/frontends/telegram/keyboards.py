"""Buttons below a message, in rows that a phone shows without cutting their labels."""

from collections.abc import Iterable

from clearml_chatops.bot.frontends.visible import visible_line
from clearml_chatops.models.replies import Button

MOST_BUTTONS = 60
"""Telegram takes 100 in one message; a person looks through fewer."""

_LONGEST_LABEL = 64
_MOST_IN_A_ROW = 3
_WIDEST_ROW = 30

Rows = tuple[tuple[Button, ...], ...]


def rows_of_buttons(buttons: Iterable[Button]) -> Rows:
    """Short labels side by side, up to three in a row."""
    rows: list[list[Button]] = []
    width = 0
    for button in map(_labelled, buttons):
        if not rows or len(rows[-1]) == _MOST_IN_A_ROW or width + len(button.label) > _WIDEST_ROW:
            rows.append([])
            width = 0
        rows[-1].append(button)
        width += len(button.label)
    return tuple(map(tuple, rows))


def rows_of_options(options: Iterable[Button]) -> Rows:
    """One below the other: what one chooses between is mostly long, and read from top to bottom."""
    return tuple((_labelled(option),) for option in options)


def _labelled(button: Button) -> Button:
    """The button with a label that Telegram takes: on one line, not empty, not endless."""
    label = " ".join(visible_line(button.label).split()) or "—"
    shown = label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…"
    return Button(shown, button.command)
