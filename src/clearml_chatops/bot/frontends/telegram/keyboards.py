"""Buttons below a message, in rows that fit on a phone."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from clearml_chatops.bot.frontends.sanitizing import sanitize_line
from clearml_chatops.models.actions import Action
from clearml_chatops.models.replies import Button, Buttons, Link

MAX_BUTTONS = 60
"""Telegram takes 100 in one message; people read fewer."""

_MAX_LABEL_LENGTH = 64
_MAX_ROW_BUTTONS = 3
_MAX_ROW_WIDTH = 30


@dataclass(frozen=True, slots=True)
class Key:
    """A button of a keyboard, for an action or for an address to open.

    Telegram stores only 64 bytes with a button, so it gets a token for its action.
    """

    label: str
    action: Action | None
    address: str = ""


Rows = tuple[tuple[Key, ...], ...]


def build_key(label: str, action: Action) -> Key:
    """Return a button with a label that Telegram accepts: one line, not empty, at most 64 characters."""
    return Key(_fit_label(label), action)


def build_button_rows(block: Buttons) -> Rows:
    """Return rows of up to three short labels."""
    links = (Key(_fit_label(link.label), None, link.address) for link in block.links if is_button_address(link))
    return (*arrange_rows(map(_to_key, block.buttons)), *arrange_rows(links))


def is_button_address(link: Link) -> bool:
    """Whether Telegram accepts an address for a button: an HTTP URL with a dot in its host, so not localhost."""
    try:
        parts = urlsplit(link.address)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and "." in (parts.hostname or "")


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


def _fit_label(label: str) -> str:
    line = " ".join(sanitize_line(label).split()) or "—"
    return line if len(line) <= _MAX_LABEL_LENGTH else line[: _MAX_LABEL_LENGTH - 1] + "…"


def _to_key(button: Button) -> Key:
    return build_key(button.label, Action(button.command, in_place=button.in_place))
