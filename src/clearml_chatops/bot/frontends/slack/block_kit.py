"""Slack's blocks, none of which reads markup: what is put in is shown as it is.

The numbers are those of Slack's Block Kit reference. Slack decodes `&amp; &lt; &gt;` in all its texts.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from clearml_chatops.bot.frontends.slack.wire_text import escape, escape_within

Block = dict[str, Any]

MOST_BLOCKS = 50
LONGEST_BLOCKS = 13_000
"""Slack answers `msg_blocks_too_long` from about 13,200 characters on."""
MOST_BLOCKS_OF_VIEW = 100
LONGEST_VIEW = 200_000
"""Slack answers `view_too_large` from 250 kB on."""
LONGEST_HEADER = 150
LONGEST_SECTION = 3000
LONGEST_VALUE_SHOWN = 2000
MOST_CONTEXT_ELEMENTS = 10
MOST_ACTIONS = 25
LONGEST_LABEL = 75
LONGEST_COMMAND = 2000
ACTION_PREFIX = "command:"
IN_PLACE_PREFIX = f"{ACTION_PREFIX}in-place:"
"""Of buttons whose answer takes the place of the message that has them."""
_LINK = re.compile(r"https?://[^\s<>|]{1,2900}")


def plain(text: str, longest: int) -> Block:
    """A text without markup; `emoji` would turn `:x:` into a picture."""
    return {"type": "plain_text", "text": escape_within(text, longest), "emoji": False}


def header(text: str) -> Block:
    return {"type": "header", "text": plain(text, LONGEST_HEADER)}


def section(text: str) -> Block:
    return {"type": "section", "text": plain(text, LONGEST_SECTION)}


def context(text: str) -> Block:
    return {"type": "context", "elements": [plain(text, LONGEST_SECTION)]}


def with_context(blocks: Sequence[Block], text: str) -> list[Block]:
    """The blocks and a small line behind them, in the last block where that is of such lines already."""
    if blocks and blocks[-1]["type"] == "context" and len(blocks[-1]["elements"]) < MOST_CONTEXT_ELEMENTS:
        last = {**blocks[-1], "elements": [*blocks[-1]["elements"], plain(text, LONGEST_SECTION)]}
        return [*blocks[:-1], last]
    return [*blocks, context(text)]


def fields(items: Iterable[tuple[str, str]]) -> Block:
    """Labelled values, one a line. Rich text, because a section has room for ten fields only."""
    elements: list[Block] = []
    for label, value in items:
        line_end = {"type": "text", "text": "\n"}
        if elements:
            elements.append(line_end)
        elements.append({"type": "text", "text": escape(label) or "—", "style": {"bold": True}})
        elements.append({"type": "text", "text": "  "})
        elements.append(_value(value))
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}


def preformatted(escaped: str) -> Block:
    """Text in a fixed-width face, escaped already."""
    elements = [{"type": "text", "text": escaped or " "}]
    return {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": elements}]}


def button(label: str, command: str, number: int, *, in_place: bool = False) -> Block:
    """A button that holds its command. Slack may escape what it gives back, so it is escaped before."""
    return {
        "type": "button",
        "text": plain(label or "…", LONGEST_LABEL),
        "action_id": f"{IN_PLACE_PREFIX if in_place else ACTION_PREFIX}{number}",
        "value": escape(command),
    }


def option(text: str, value: str) -> Block:
    """One thing to choose; its value where it has no text."""
    return {"text": plain(text.strip() or value, LONGEST_LABEL), "value": value}


def actions(buttons: Sequence[Block]) -> list[Block]:
    return [
        {"type": "actions", "elements": list(buttons[start : start + MOST_ACTIONS])}
        for start in range(0, len(buttons), MOST_ACTIONS)
    ]


def length_of(blocks: Sequence[Block]) -> int:
    """What Slack counts, at most."""
    return len(json.dumps(list(blocks), ensure_ascii=False))


def _value(value: str) -> Block:
    if _LINK.fullmatch(value):
        return {"type": "link", "url": value}
    return {"type": "text", "text": escape_within(value, LONGEST_VALUE_SHOWN) or "—"}
