"""Builders of views: the loading view, a reply, a form, a refused form, and the Home tab.

The limits are from Slack's reference of views. Field values are never escaped; all other text is.
"""

import json
import secrets
from typing import Any

from clearml_chatops.bot.frontends.sanitizing import sanitize_line, sanitize_text
from clearml_chatops.bot.frontends.slack import block_kit
from clearml_chatops.bot.frontends.slack.escaping import unescape
from clearml_chatops.bot.frontends.slack.form_fields import (
    REFUSAL_BLOCK_ID,
    SubmittedValues,
    build_input_block,
    build_read_only_block,
    is_editable,
    restore_block,
)
from clearml_chatops.bot.frontends.slack.incoming_requests import Payload, SlackRequest
from clearml_chatops.bot.frontends.slack.modal_metadata import MAX_METADATA_LENGTH, build_metadata
from clearml_chatops.bot.frontends.slack.rendering import TYPING_INDICATOR_TEXT, VIEW_LIMITS, render
from clearml_chatops.bot.frontends.slack.views import View
from clearml_chatops.models.replies import Choice, Form, FormField, Picture, Reply, Text

FORM_CALLBACK_ID = "form"
"""The callback_id of a modal that can be submitted."""
MAX_TITLE_LENGTH = 24
_REPLY_CALLBACK_ID = "reply"
_DEFAULT_TITLE = "ClearML"
_MAX_INTRO_BLOCKS = 5
_MAX_FIELD_BLOCKS = block_kit.MAX_VIEW_BLOCKS - _MAX_INTRO_BLOCKS - 3
"""Leaves room for the intro, the full title, the line about hidden fields, and the refusal."""
_NONCE_BYTES = 3


def build_loading_view() -> View:
    """Build the view that a modal shows until the reply is ready."""
    return _build_modal(_DEFAULT_TITLE, [block_kit.build_context(TYPING_INDICATOR_TEXT)])


def build_home_view(reply: Reply) -> View:
    """Build the Home tab from a reply."""
    return {"type": "home", "blocks": render(reply, VIEW_LIMITS).blocks}


def build_view(reply: Reply, request: SlackRequest) -> View | None:
    """Build a modal from a reply. Return None if a modal can't show it or it doesn't fit."""
    forms = [block for block in reply.blocks if isinstance(block, Form)]
    intro = Reply(tuple(block for block in reply.blocks if not isinstance(block, Form)))
    view = _build_form_view(forms[0], intro, request) if forms else _build_reply_view(reply, request)
    return view if view and len(view["private_metadata"]) <= MAX_METADATA_LENGTH else None


def build_refused_view(view: Payload, refusal: Reply, submitted_values: SubmittedValues) -> View:
    """Build the same form with the submitted values, and the reason for the refusal on top."""
    nonce = _create_nonce()
    reasons = [_format_reason(block) for block in refusal.blocks]
    refusal_block = block_kit.build_section("✗ " + "\n".join(reason for reason in reasons if reason))
    blocks = [
        restore_block(block, submitted_values, nonce)
        for block in view["blocks"]
        if block.get("block_id") != REFUSAL_BLOCK_ID
    ]
    return _build_form_modal(
        unescape(str(view["title"]["text"])),
        [{**refusal_block, "block_id": REFUSAL_BLOCK_ID}, *blocks],
        str(view.get("private_metadata", "")),
    )


def _build_reply_view(reply: Reply, request: SlackRequest) -> View | None:
    if any(isinstance(block, Picture) for block in reply.blocks):
        return None
    rendered = render(reply, VIEW_LIMITS)
    return None if rendered.file else _build_modal(_DEFAULT_TITLE, rendered.blocks, build_metadata(request))


def _build_form_view(form: Form, intro: Reply, request: SlackRequest) -> View:
    title = sanitize_line(form.title)
    blocks = [block_kit.build_header(title)] if len(title) > MAX_TITLE_LENGTH else []
    blocks += render(intro, VIEW_LIMITS).blocks[:_MAX_INTRO_BLOCKS] if intro.blocks else []
    field_blocks = _build_fitting_fields(form)
    group = ""
    for number in _sort_by_group(form):
        if number in field_blocks:
            if form.fields[number].group != group:
                group = form.fields[number].group
                blocks.append(block_kit.build_header(sanitize_line(group)))
            blocks.append(field_blocks[number])
    if hidden_fields := [field for number, field in enumerate(form.fields) if number not in field_blocks]:
        blocks.append(block_kit.build_context(_format_hidden_fields(form, hidden_fields)))
    blocks = blocks or [block_kit.build_context("There's nothing to fill in.")]
    return _build_form_modal(title, blocks, build_metadata(request, form.command))


def _sort_by_group(form: Form) -> list[int]:
    """Return the field numbers ordered by group; fields without a group come first."""
    first_numbers: dict[str, int] = {"": -1}
    for number, field in enumerate(form.fields):
        first_numbers.setdefault(field.group, number)
    return sorted(range(len(form.fields)), key=lambda number: first_numbers[form.fields[number].group])


def _build_fitting_fields(form: Form) -> dict[int, block_kit.Block]:
    """Return the blocks of the fields that fit, by field number. Changed fields take precedence."""
    nonce = _create_nonce()
    field_blocks: dict[int, block_kit.Block] = {}
    groups = {""}
    remaining_blocks, remaining_characters = _MAX_FIELD_BLOCKS, block_kit.MAX_VIEW_LENGTH
    for number in sorted(range(len(form.fields)), key=lambda number: not form.fields[number].changed):
        field = form.fields[number]
        if is_editable(field, number):
            block = build_input_block(field, number, nonce)
        else:
            block = build_read_only_block(form.command, field)
        needed = 1 if field.group in groups else 2
        length = len(json.dumps(block))
        if needed > remaining_blocks or length > remaining_characters:
            continue
        field_blocks[number] = block
        groups.add(field.group)
        remaining_blocks -= needed
        remaining_characters -= length
    return field_blocks


def _format_hidden_fields(form: Form, hidden_fields: list[FormField]) -> str:
    summary = "1 more value doesn't fit here. To change it"
    if len(hidden_fields) > 1:
        summary = f"{len(hidden_fields)} more values don't fit here. To change one"
    example = "…" if hidden_fields[0].positional else f"{sanitize_line(hidden_fields[0].name)}=…"
    return f"{summary}, send: {sanitize_line(form.command)} {example}"


def _format_reason(block: object) -> str:
    match block:
        case Text(text=text) | Choice(question=text):
            return sanitize_text(text)
        case _:
            return ""


def _build_form_modal(title: str, blocks: list[block_kit.Block], metadata: str) -> View:
    return {
        **_build_modal(title, blocks, metadata),
        "callback_id": FORM_CALLBACK_ID,
        "submit": block_kit.build_plain_text("Submit", MAX_TITLE_LENGTH),
        "close": block_kit.build_plain_text("Cancel", MAX_TITLE_LENGTH),
    }


def _build_modal(title: str, blocks: list[block_kit.Block], metadata: str = "") -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": _REPLY_CALLBACK_ID,
        "title": block_kit.build_plain_text(title or _DEFAULT_TITLE, MAX_TITLE_LENGTH),
        "close": block_kit.build_plain_text("Close", MAX_TITLE_LENGTH),
        "private_metadata": metadata,
        "blocks": blocks,
    }


def _create_nonce() -> str:
    """Return a new prefix for block_ids: for a known block_id Slack ignores a new initial value."""
    return secrets.token_hex(_NONCE_BYTES)
