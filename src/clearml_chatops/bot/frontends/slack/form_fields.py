"""The fields of a form as Slack's input blocks, and the values submitted in them.

A block_id holds the field's name and a digest of its initial value, so the view alone shows what was changed.
Slack doesn't escape typed values, and neither does this module.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from clearml_chatops.bot.frontends.sanitizing import sanitize_line, sanitize_text
from clearml_chatops.bot.frontends.slack import block_kit
from clearml_chatops.bot.frontends.slack.block_kit import Block
from clearml_chatops.bot.frontends.slack.escaping import escape, escape_and_truncate, unescape
from clearml_chatops.bot.frontends.slack.incoming_requests import Payload
from clearml_chatops.bot.frontends.slack.plain_text import format_edit_hint
from clearml_chatops.models.replies import FieldKind, FormField, Reply

REFUSAL_BLOCK_ID = "refusal"
"""The block_id of the reason why a form was not accepted."""
EXPERIMENT_SELECT_ACTION_ID = "experiment"
"""The action_id of the field that searches experiments while a person types."""
MAX_VALUE_LENGTH = 3000
MAX_BLOCK_ID_LENGTH = 255
MAX_OPTION_VALUE_LENGTH = 150
_TEXT_INPUT_ACTION_ID = "value"
_MAX_LABEL_LENGTH = 2000
_MAX_READ_ONLY_LENGTH = 2000
_MAX_ERROR_LENGTH = 2000
_DIGEST_LENGTH = 16
_CHANGED_SUFFIX = " (changed)"
_BLOCK_ID_PATTERN = re.compile(r"(?P<nonce>\w*):(?P<number>\d+):(?P<value_kind>[pk]):(?P<digest>\w+):(?P<name>.+)")


@dataclass(frozen=True, slots=True)
class SubmittedValue:
    field: FormField
    value: str
    is_changed: bool
    option: Block | None = None
    """The selected option of a select menu; None for a text input."""


SubmittedValues = Mapping[str, SubmittedValue]
"""Submitted values by block_id."""


def build_input_block(field: FormField, number: int, nonce: str) -> Block:
    """Build the input block of a field."""
    label = sanitize_line(field.label or field.name) + (_CHANGED_SUFFIX if field.changed else "")
    block: Block = {
        "type": "input",
        "block_id": _build_block_id(field, number, nonce),
        "label": block_kit.build_plain_text(label, _MAX_LABEL_LENGTH),
        "optional": not field.required,
        "element": _build_experiment_select(field)
        if field.kind is FieldKind.EXPERIMENT
        else _build_text_input(field),
    }
    return (
        {**block, "hint": block_kit.build_plain_text(sanitize_text(field.hint), _MAX_LABEL_LENGTH)}
        if field.hint
        else block
    )


def is_editable(field: FormField, number: int) -> bool:
    """Return whether Slack can show the whole value unchanged and return it."""
    normalized = field.value.replace("\t", " ").replace("\r\n", "\n")
    max_length = MAX_OPTION_VALUE_LENGTH if field.kind is FieldKind.EXPERIMENT else MAX_VALUE_LENGTH
    return (
        len(field.value) <= max_length
        and sanitize_text(normalized) == normalized
        and len(_build_block_id(field, number, "0" * 8)) <= MAX_BLOCK_ID_LENGTH
    )


def build_read_only_block(command: str, field: FormField) -> Block:
    """Build a block that shows a field without editing it. A long value is truncated."""
    label = sanitize_line(field.label or field.name) + (_CHANGED_SUFFIX if field.changed else "")
    value = escape_and_truncate(sanitize_text(field.value), _MAX_READ_ONLY_LENGTH)
    advice = f"\nYou can't edit this value here. {sanitize_line(format_edit_hint(command, field))}"
    return {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [
                    {
                        "type": "text",
                        "text": escape_and_truncate(label, _MAX_LABEL_LENGTH),
                        "style": {"bold": True},
                    },
                    {"type": "text", "text": escape_and_truncate(advice, _MAX_LABEL_LENGTH)},
                ],
            },
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": value or " "}]},
        ],
    }


def read_submitted_values(view: Payload) -> SubmittedValues:
    """Return the values of a submitted view."""
    state = view["state"]["values"]
    inputs = [block for block in view["blocks"] if block["type"] == "input"]
    return {block["block_id"]: _read_submitted_value(block, state.get(block["block_id"], {})) for block in inputs}


def list_changes(submitted_values: SubmittedValues) -> Iterator[tuple[FormField, str]]:
    """Return the changed fields with their new values."""
    return ((submitted.field, submitted.value) for submitted in submitted_values.values() if submitted.is_changed)


def find_errors(reply: Reply, submitted_values: SubmittedValues) -> dict[str, str]:
    """Return the errors of a refusal by block_id; none if it says something that is about no field of the form."""
    block_ids = {submitted.field.name.casefold(): block_id for block_id, submitted in submitted_values.items()}
    errors = {block_ids.get(error.name.casefold(), ""): error.text for error in reply.field_errors}
    return {} if "" in errors else {block_id: _truncate_error(text) for block_id, text in errors.items()}


def restore_block(block: Payload, submitted_values: SubmittedValues, nonce: str) -> Block:
    """Rebuild a block that Slack sent back, with the submitted value as its initial value."""
    block_id = str(block.get("block_id", ""))
    restored = {
        key: _escape_texts_once(value) for key, value in block.items() if key != "block_id" and value is not None
    }
    if block_id not in submitted_values:
        return restored
    element = {key: value for key, value in restored["element"].items() if not key.startswith("initial_")}
    submitted = submitted_values[block_id]
    if submitted.option:
        element["initial_option"] = _escape_texts_once(submitted.option)
    elif submitted.value:
        element["initial_value"] = submitted.value
    return {**restored, "element": element, "block_id": f"{nonce}:{block_id.partition(':')[2]}"}


def _truncate_error(text: str) -> str:
    return sanitize_text(text)[:_MAX_ERROR_LENGTH]


def _build_text_input(field: FormField) -> Block:
    multiline = field.kind is FieldKind.LONG_TEXT or "\n" in field.value
    element: Block = {"type": "plain_text_input", "action_id": _TEXT_INPUT_ACTION_ID, "multiline": multiline}
    return {**element, "initial_value": field.value} if field.value else element


def _build_experiment_select(field: FormField) -> Block:
    element: Block = {
        "type": "external_select",
        "action_id": EXPERIMENT_SELECT_ACTION_ID,
        "min_query_length": 0,
        "placeholder": block_kit.build_plain_text("Type part of its name", block_kit.MAX_LABEL_LENGTH),
    }
    return (
        {**element, "initial_option": block_kit.build_option(field.value, field.value)} if field.value else element
    )


def _read_submitted_value(block: Payload, state: Mapping[str, Mapping[str, Any]]) -> SubmittedValue:
    id_parts = _BLOCK_ID_PATTERN.fullmatch(block["block_id"])
    if not id_parts:
        message = f"not a block_id of the bot: {block['block_id']}"
        raise ValueError(message)
    element_state = next(iter(state.values()), {})
    selected_option = element_state.get("selected_option")
    value = str(selected_option["value"]) if selected_option else str(element_state.get("value") or "")
    positional = id_parts["value_kind"] == "p"
    name = unquote(id_parts["name"])
    return SubmittedValue(
        FormField(name, name, str(block["element"].get("initial_value", "")), positional=positional),
        value,
        is_changed=_compute_digest(value) != id_parts["digest"] or (positional and bool(value)),
        option=selected_option,
    )


def _build_block_id(field: FormField, number: int, nonce: str) -> str:
    value_kind = "p" if field.positional else "k"
    return f"{nonce}:{number}:{value_kind}:{_compute_digest(field.value)}:{quote(field.name, safe='')}"


def _compute_digest(value: str) -> str:
    """Return a digest that ignores what an untouched field may lose: escaping, line ends, outer whitespace."""
    normalized = unescape(value.replace("\r\n", "\n").replace("\r", "\n")).strip()
    return hashlib.sha256(normalized.encode("utf-8", "replace")).hexdigest()[:_DIGEST_LENGTH]


def _escape_texts_once(value: Any) -> Any:
    """Escape Slack's texts exactly once. Slack may send them back escaped or not."""
    match value:
        case {"type": "plain_text" | "text" | "mrkdwn", "text": str(text)}:
            return {**value, "text": escape(unescape(text))}
        case dict():
            return {key: _escape_texts_once(inner) for key, inner in value.items() if inner is not None}
        case list():
            return [_escape_texts_once(inner) for inner in value]
        case _:
            return value
