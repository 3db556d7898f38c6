"""The fields of a form as Slack's input blocks, and what was typed into them.

A block's id holds the name of its field and a digest of the value that it began with, so that what was
changed is known from the window alone. Slack escapes nothing of what is typed, and nothing is escaped here.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from clearml_chatops.bot.frontends.slack import block_kit
from clearml_chatops.bot.frontends.slack.block_kit import Block
from clearml_chatops.bot.frontends.slack.incoming import Payload
from clearml_chatops.bot.frontends.slack.plain_answer import how_to_type
from clearml_chatops.bot.frontends.slack.wire_text import escape, escape_within, unescape
from clearml_chatops.bot.frontends.visible import visible, visible_line
from clearml_chatops.models.replies import FieldKind, FormField

REFUSAL = "refusal"
"""The block_id of the reason why a form was not accepted."""
EXPERIMENT_SELECT = "experiment"
"""The action_id of a field that finds experiments while one types."""
LONGEST_VALUE = 3000
LONGEST_BLOCK_ID = 255
LONGEST_OPTION_VALUE = 150
_TEXT_INPUT = "value"
_LONGEST_LABEL = 2000
_LONGEST_SHOWN = 2000
_LONGEST_DIGEST = 16
_CHANGED = " (changed)"
_BLOCK_ID = re.compile(r"(?P<nonce>\w*):(?P<number>\d+):(?P<place>[pk]):(?P<digest>\w+):(?P<name>.+)")


@dataclass(frozen=True, slots=True)
class TypedValue:
    field: FormField
    value: str
    is_changed: bool
    option: Block | None = None
    """What was chosen, where it is chosen and not typed."""


Typed = Mapping[str, TypedValue]
"""What was typed, by the ids of the blocks."""


def input_block(field: FormField, number: int, nonce: str) -> Block:
    """The block in which a field is filled in."""
    label = visible_line(field.label or field.name) + (_CHANGED if field.changed else "")
    block: Block = {
        "type": "input",
        "block_id": _block_id(field, number, nonce),
        "label": block_kit.plain(label, _LONGEST_LABEL),
        "optional": not field.required,
        "element": _experiment_select(field) if field.kind is FieldKind.EXPERIMENT else _text_input(field),
    }
    return {**block, "hint": block_kit.plain(visible(field.note), _LONGEST_LABEL)} if field.note else block


def is_editable(field: FormField, number: int) -> bool:
    """Whether Slack can show the whole value as it is, and give it back."""
    shown = field.value.replace("\t", " ").replace("\r\n", "\n")
    longest = LONGEST_OPTION_VALUE if field.kind is FieldKind.EXPERIMENT else LONGEST_VALUE
    return (
        len(field.value) <= longest
        and visible(shown) == shown
        and len(_block_id(field, number, "0" * 8)) <= LONGEST_BLOCK_ID
    )


def unchangeable_block(command: str, field: FormField) -> Block:
    """A field that can only be looked at here, its value cut where it is long."""
    label = visible_line(field.label or field.name) + (_CHANGED if field.changed else "")
    value = escape_within(visible(field.value), _LONGEST_SHOWN)
    advice = f"\nIt cannot be changed here. {visible_line(how_to_type(command, field))}"
    return {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [
                    {"type": "text", "text": escape_within(label, _LONGEST_LABEL), "style": {"bold": True}},
                    {"type": "text", "text": escape_within(advice, _LONGEST_LABEL)},
                ],
            },
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": value or " "}]},
        ],
    }


def typed_into(view: Payload) -> Typed:
    """What stands in the fields of a window that was submitted."""
    state = view["state"]["values"]
    return {
        block["block_id"]: _typed_value(block, state.get(block["block_id"], {}))
        for block in view["blocks"]
        if block["type"] == "input"
    }


def changes(typed: Typed) -> Iterator[tuple[FormField, str]]:
    """The fields that belong into the line, with their values."""
    return ((found.field, found.value) for found in typed.values() if found.is_changed)


def resent_block(block: Payload, typed: Typed, nonce: str) -> Block:
    """A block as it came back from Slack, to be shown once more with what was typed into it."""
    block_id = str(block.get("block_id", ""))
    again = {key: _resent(value) for key, value in block.items() if key != "block_id" and value is not None}
    if block_id not in typed:
        return again
    element = {key: value for key, value in again["element"].items() if not key.startswith("initial_")}
    found = typed[block_id]
    if found.option:
        element["initial_option"] = _resent(found.option)
    elif found.value:
        element["initial_value"] = found.value
    return {**again, "element": element, "block_id": f"{nonce}:{block_id.partition(':')[2]}"}


def _text_input(field: FormField) -> Block:
    multiline = field.kind is FieldKind.LONG_TEXT or "\n" in field.value
    element: Block = {"type": "plain_text_input", "action_id": _TEXT_INPUT, "multiline": multiline}
    return {**element, "initial_value": field.value} if field.value else element


def _experiment_select(field: FormField) -> Block:
    element: Block = {
        "type": "external_select",
        "action_id": EXPERIMENT_SELECT,
        "min_query_length": 0,
        "placeholder": block_kit.plain("Type a part of its name", block_kit.LONGEST_LABEL),
    }
    return {**element, "initial_option": block_kit.option(field.value, field.value)} if field.value else element


def _typed_value(block: Payload, state: Mapping[str, Mapping[str, Any]]) -> TypedValue:
    found = _BLOCK_ID.fullmatch(block["block_id"])
    if not found:
        message = f"a block of this id is none of ours: {block['block_id']}"
        raise ValueError(message)
    given = next(iter(state.values()), {})
    chosen = given.get("selected_option")
    value = str(chosen["value"]) if chosen else str(given.get("value") or "")
    positional = found["place"] == "p"
    name = unquote(found["name"])
    return TypedValue(
        FormField(name, name, str(block["element"].get("initial_value", "")), positional=positional),
        value,
        is_changed=_digest(value) != found["digest"] or (positional and bool(value)),
        option=chosen,
    )


def _block_id(field: FormField, number: int, nonce: str) -> str:
    place = "p" if field.positional else "k"
    return f"{nonce}:{number}:{place}:{_digest(field.value)}:{quote(field.name, safe='')}"


def _digest(value: str) -> str:
    """The same for values that differ only in what may get lost on the way through a field that nobody touched."""
    kept = unescape(value.replace("\r\n", "\n").replace("\r", "\n")).strip()
    return hashlib.sha256(kept.encode("utf-8", "replace")).hexdigest()[:_LONGEST_DIGEST]


def _resent(value: Any) -> Any:
    """What Slack gave back, escaped once and only once: it may give its texts back escaped or not."""
    match value:
        case {"type": "plain_text" | "text" | "mrkdwn", "text": str(text)}:
            return {**value, "text": escape(unescape(text))}
        case dict():
            return {key: _resent(inner) for key, inner in value.items() if inner is not None}
        case list():
            return [_resent(inner) for inner in value]
        case _:
            return value
