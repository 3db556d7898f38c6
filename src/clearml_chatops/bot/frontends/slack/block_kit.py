"""Slack's blocks, none of which reads markup: what is put in is shown as it is.

The numbers are those of Slack's Block Kit reference. Slack decodes `&amp; &lt; &gt;` in all its texts.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from clearml_chatops.bot.frontends.slack.escaping import escape, escape_and_truncate

Block = dict[str, Any]

MAX_BLOCKS = 50
MAX_BLOCKS_LENGTH = 13_000
"""Slack answers `msg_blocks_too_long` from about 13,200 characters on."""
MAX_VIEW_BLOCKS = 100
MAX_VIEW_LENGTH = 200_000
"""Slack answers `view_too_large` from 250 kB on."""
MAX_HEADER_LENGTH = 150
MAX_SECTION_LENGTH = 3000
MAX_VALUE_LENGTH = 2000
MAX_CONTEXT_ELEMENTS = 10
MAX_ACTIONS = 25
MAX_LABEL_LENGTH = 75
MAX_COMMAND_LENGTH = 2000
ACTION_PREFIX = "command:"
IN_PLACE_PREFIX = f"{ACTION_PREFIX}in-place:"
"""Of buttons whose answer takes the place of the message that has them."""
_LINK_PATTERN = re.compile(r"https?://[^\s<>|]{1,2900}")


def build_plain_text(text: str, max_length: int) -> Block:
    """A text without markup; `emoji` would turn `:x:` into a picture."""
    return {"type": "plain_text", "text": escape_and_truncate(text, max_length), "emoji": False}


def build_header(text: str) -> Block:
    return {"type": "header", "text": build_plain_text(text, MAX_HEADER_LENGTH)}


def build_section(text: str) -> Block:
    return {"type": "section", "text": build_plain_text(text, MAX_SECTION_LENGTH)}


def build_context(text: str) -> Block:
    return {"type": "context", "elements": [build_plain_text(text, MAX_SECTION_LENGTH)]}


def with_context(blocks: Sequence[Block], text: str) -> list[Block]:
    """The blocks and a small line behind them, in the last block where that is of such lines already."""
    if blocks and blocks[-1]["type"] == "context" and len(blocks[-1]["elements"]) < MAX_CONTEXT_ELEMENTS:
        last = {**blocks[-1], "elements": [*blocks[-1]["elements"], build_plain_text(text, MAX_SECTION_LENGTH)]}
        return [*blocks[:-1], last]
    return [*blocks, build_context(text)]


def build_fields(items: Iterable[tuple[str, str]]) -> Block:
    """Labelled values, one a line. Rich text, because a section has room for ten fields only."""
    elements: list[Block] = []
    for label, value in items:
        line_end = {"type": "text", "text": "\n"}
        if elements:
            elements.append(line_end)
        elements.append({"type": "text", "text": escape(label) or "—", "style": {"bold": True}})
        elements.append({"type": "text", "text": "  "})
        elements.append(_build_value(value))
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}


def build_preformatted(escaped_text: str) -> Block:
    """Text in a fixed-width face, escaped already."""
    elements = [{"type": "text", "text": escaped_text or " "}]
    return {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": elements}]}


def build_button(label: str, command: str, number: int, *, in_place: bool = False) -> Block:
    """A button that holds its command. Slack may escape what it gives back, so it is escaped before."""
    return {
        "type": "button",
        "text": build_plain_text(label or "…", MAX_LABEL_LENGTH),
        "action_id": f"{IN_PLACE_PREFIX if in_place else ACTION_PREFIX}{number}",
        "value": escape(command),
    }


def build_option(text: str, value: str) -> Block:
    """One thing to choose; its value where it has no text."""
    return {"text": build_plain_text(text.strip() or value, MAX_LABEL_LENGTH), "value": value}


def build_actions(buttons: Sequence[Block]) -> list[Block]:
    return [
        {"type": "actions", "elements": list(buttons[start : start + MAX_ACTIONS])}
        for start in range(0, len(buttons), MAX_ACTIONS)
    ]


def measure_length(blocks: Sequence[Block]) -> int:
    """What Slack counts, at most."""
    return len(json.dumps(list(blocks), ensure_ascii=False))


def _build_value(value: str) -> Block:
    if _LINK_PATTERN.fullmatch(value):
        return {"type": "link", "url": value}
    return {"type": "text", "text": escape_and_truncate(value, MAX_VALUE_LENGTH) or "—"}
