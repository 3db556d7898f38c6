"""Builders of Slack's blocks. None of these blocks interprets markup: text is shown literally.

The limits are from Slack's Block Kit reference. Slack decodes `&amp; &lt; &gt;` in all texts.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from clearml_chatops.bot.frontends.slack.escaping import escape, escape_and_truncate

Block = dict[str, Any]

MAX_BLOCKS = 50
MAX_BLOCKS_LENGTH = 13_000
"""Characters. Slack answers `msg_blocks_too_long` from about 13,200 on."""
MAX_VIEW_BLOCKS = 100
MAX_VIEW_LENGTH = 200_000
"""Characters. Slack answers `view_too_large` from 250 kB on."""
MAX_HEADER_LENGTH = 150
MAX_SECTION_LENGTH = 3000
MAX_VALUE_LENGTH = 2000
MAX_CONTEXT_ELEMENTS = 10
MAX_ACTIONS = 25
MAX_LABEL_LENGTH = 75
MAX_COMMAND_LENGTH = 2000
ACTION_PREFIX = "command:"
LINK_PREFIX = "link:"
IN_PLACE_PREFIX = f"{ACTION_PREFIX}in-place:"
"""The action_id prefix of buttons that replace their message with the reply."""
_LINK_PATTERN = re.compile(r"https?://[^\s<>|]{1,2900}")


def build_plain_text(text: str, max_length: int) -> Block:
    """Build a text object without markup. `emoji` is off, or `:x:` would become a picture."""
    return {"type": "plain_text", "text": escape_and_truncate(text, max_length), "emoji": False}


def build_header(text: str) -> Block:
    return {"type": "header", "text": build_plain_text(text, MAX_HEADER_LENGTH)}


def build_section(text: str) -> Block:
    return {"type": "section", "text": build_plain_text(text, MAX_SECTION_LENGTH)}


def build_context(text: str) -> Block:
    return {"type": "context", "elements": [build_plain_text(text, MAX_SECTION_LENGTH)]}


def with_context(blocks: Sequence[Block], text: str) -> list[Block]:
    """Return the blocks with a context line at the end, merged into the last block if that is a context block."""
    if blocks and blocks[-1]["type"] == "context" and len(blocks[-1]["elements"]) < MAX_CONTEXT_ELEMENTS:
        last = {**blocks[-1], "elements": [*blocks[-1]["elements"], build_plain_text(text, MAX_SECTION_LENGTH)]}
        return [*blocks[:-1], last]
    return [*blocks, build_context(text)]


def build_fields(items: Iterable[tuple[str, str]]) -> Block:
    """Build labelled values, one per line. Rich text, because a section block takes only ten fields."""
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
    """Build a block of monospaced text. The caller escapes the text."""
    elements = [{"type": "text", "text": escaped_text or " "}]
    return {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": elements}]}


def build_button(label: str, command: str, number: int, *, in_place: bool = False) -> Block:
    """Build a button that holds its command, escaped because Slack may escape the value that it sends back."""
    return {
        "type": "button",
        "text": build_plain_text(label or "…", MAX_LABEL_LENGTH),
        "action_id": f"{IN_PLACE_PREFIX if in_place else ACTION_PREFIX}{number}",
        "value": escape(command),
    }


def build_link_button(label: str, address: str, number: int) -> Block:
    """Build a button that opens a web page. Slack reports a press of it too."""
    return {
        "type": "button",
        "text": build_plain_text(label or "…", MAX_LABEL_LENGTH),
        "action_id": f"{LINK_PREFIX}{number}",
        "url": address,
    }


def is_link(address: str) -> bool:
    """Whether Slack accepts an address as a link."""
    return bool(_LINK_PATTERN.fullmatch(address))


def build_option(text: str, value: str) -> Block:
    """Build an option of a select menu. An empty text is replaced by the value."""
    return {"text": build_plain_text(text.strip() or value, MAX_LABEL_LENGTH), "value": value}


def build_actions(buttons: Sequence[Block]) -> list[Block]:
    return [
        {"type": "actions", "elements": list(buttons[start : start + MAX_ACTIONS])}
        for start in range(0, len(buttons), MAX_ACTIONS)
    ]


def measure_length(blocks: Sequence[Block]) -> int:
    """Return an upper bound of the length that Slack counts, in characters."""
    return len(json.dumps(list(blocks), ensure_ascii=False))


def _build_value(value: str) -> Block:
    if is_link(value):
        return {"type": "link", "url": value}
    return {"type": "text", "text": escape_and_truncate(value, MAX_VALUE_LENGTH) or "—"}
