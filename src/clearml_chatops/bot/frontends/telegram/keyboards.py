"""Buttons below a message, in rows that a phone shows without cutting their labels."""

from collections.abc import Iterable
from dataclasses import dataclass

from clearml_chatops.bot.frontends.visible import visible_line
from clearml_chatops.models.actions import Action
from clearml_chatops.models.replies import Button

MOST_BUTTONS = 60
"""Telegram takes 100 in one message; a person looks through fewer."""

_LONGEST_LABEL = 64
_MOST_IN_A_ROW = 3
_WIDEST_ROW = 30


@dataclass(frozen=True, slots=True)
class Key:
    """One button of a keyboard. Telegram keeps 64 bytes with it, hence a token that stands for the action."""

    label: str
    action: Action


Rows = tuple[tuple[Key, ...], ...]


def key(label: str, action: Action) -> Key:
    """A button with a label that Telegram takes: on one line, not empty, not endless."""
    line = " ".join(visible_line(label).split()) or "—"
    return Key(line if len(line) <= _LONGEST_LABEL else line[: _LONGEST_LABEL - 1] + "…", action)


def rows_of_buttons(buttons: Iterable[Button]) -> Rows:
    """Short labels side by side, up to three in a row."""
    return side_by_side(map(_key_of, buttons))


def rows_of_options(options: Iterable[Button]) -> Rows:
    """One below the other: what one chooses between is mostly long, and read from top to bottom."""
    return tuple((_key_of(option),) for option in options)


def side_by_side(keys: Iterable[Key]) -> Rows:
    """As many in a row as a phone shows whole."""
    rows: list[list[Key]] = []
    width = 0
    for item in keys:
        if not rows or len(rows[-1]) == _MOST_IN_A_ROW or width + len(item.label) > _WIDEST_ROW:
            rows.append([])
            width = 0
        rows[-1].append(item)
        width += len(item.label)
    return tuple(map(tuple, rows))


def _key_of(button: Button) -> Key:
    return key(button.label, Action(button.command, in_place=button.in_place))
