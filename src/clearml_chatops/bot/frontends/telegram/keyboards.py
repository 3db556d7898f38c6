"""Buttons below a message, in rows that fit on a phone."""

from collections.abc import Iterable
from dataclasses import dataclass

from clearml_chatops.bot.frontends.sanitizing import sanitize_line
from clearml_chatops.models.actions import Action
from clearml_chatops.models.replies import Button

MAX_BUTTONS = 60
"""Telegram takes 100 in one message; people read fewer."""

_MAX_LABEL_LENGTH = 64
_MAX_ROW_BUTTONS = 3
_MAX_ROW_WIDTH = 30


@dataclass(frozen=True, slots=True)
class Key:
    """A button of a keyboard. Telegram stores only 64 bytes with it, so it gets a token for its action."""

    label: str
    action: Action


Rows = tuple[tuple[Key, ...], ...]


def build_key(label: str, action: Action) -> Key:
    """Return a button with a label that Telegram accepts: one line, not empty, at most 64 characters."""
    line = " ".join(sanitize_line(label).split()) or "—"
    return Key(line if len(line) <= _MAX_LABEL_LENGTH else line[: _MAX_LABEL_LENGTH - 1] + "…", action)


def build_button_rows(buttons: Iterable[Button]) -> Rows:
    """Return rows of up to three short labels."""
    return arrange_rows(map(_to_key, buttons))


def build_option_rows(options: Iterable[Button]) -> Rows:
    """Return one option per row: options are mostly long, and people read them from top to bottom."""
    return tuple((_to_key(option),) for option in options)


def arrange_rows(keys: Iterable[Key]) -> Rows:
    """Put as many buttons in a row as a phone shows without cutting their labels."""
    rows: list[list[Key]] = []
    width = 0
    for key in keys:
        if not rows or len(rows[-1]) == _MAX_ROW_BUTTONS or width + len(key.label) > _MAX_ROW_WIDTH:
            rows.append([])
            width = 0
        rows[-1].append(key)
        width += len(key.label)
    return tuple(map(tuple, rows))


def _to_key(button: Button) -> Key:
    return build_key(button.label, Action(button.command, in_place=button.in_place))
