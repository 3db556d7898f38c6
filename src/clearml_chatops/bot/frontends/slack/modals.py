"""What a window shows: a sign of life, a reply, a form, and a form that was not accepted.

The numbers are those of Slack's reference of views. What is typed into a field comes and goes as it is; all
other text is escaped, as everywhere.
"""

import json
import secrets
from typing import Any

from clearml_chatops.bot.frontends.slack import block_kit
from clearml_chatops.bot.frontends.slack.form_fields import (
    REFUSAL,
    Typed,
    input_block,
    is_editable,
    resent_block,
    unchangeable_block,
)
from clearml_chatops.bot.frontends.slack.incoming import Heard, Payload
from clearml_chatops.bot.frontends.slack.origin import LONGEST_METADATA, metadata_of
from clearml_chatops.bot.frontends.slack.rendering import VIEW, render
from clearml_chatops.bot.frontends.slack.views import View
from clearml_chatops.bot.frontends.slack.wire_text import unescape
from clearml_chatops.bot.frontends.visible import visible, visible_line
from clearml_chatops.models.replies import Choice, Form, FormField, Picture, Reply, Text

FORM = "form"
"""The callback_id of a window that can be submitted."""
LONGEST_TITLE = 24
_OTHER = "reply"
_NAME = "ClearML"
_MOST_BESIDE = 5
_MOST_FIELD_BLOCKS = block_kit.MOST_BLOCKS_OF_VIEW - _MOST_BESIDE - 3
"""Room is left for what is said beside the form, the whole title, what is not shown, and a refusal."""
_NONCE_BYTES = 3


def working_view() -> View:
    """A sign of life, until there is something to show."""
    return _window(_NAME, [block_kit.context("working…")])


def home_view(reply: Reply) -> View:
    """A reply as the Home tab."""
    return {"type": "home", "blocks": render(reply, VIEW).blocks}


def view_of(reply: Reply, heard: Heard) -> View | None:
    """A reply in a window; None where it does not fit, or a window cannot show it."""
    forms = [block for block in reply.blocks if isinstance(block, Form)]
    beside = Reply(tuple(block for block in reply.blocks if not isinstance(block, Form)))
    view = _form_view(forms[0], beside, heard) if forms else _reply_view(reply, heard)
    return view if view and len(view["private_metadata"]) <= LONGEST_METADATA else None


def refused_view(view: Payload, refusal: Reply, typed: Typed) -> View:
    """The same form with what was typed into it, and on top why it was not accepted."""
    nonce = _nonce()
    reasons = [_reason(block) for block in refusal.blocks]
    top = block_kit.section("✗ " + "\n".join(reason for reason in reasons if reason))
    blocks = [resent_block(block, typed, nonce) for block in view["blocks"] if block.get("block_id") != REFUSAL]
    return _form_window(
        unescape(str(view["title"]["text"])),
        [{**top, "block_id": REFUSAL}, *blocks],
        str(view.get("private_metadata", "")),
    )


def _reply_view(reply: Reply, heard: Heard) -> View | None:
    if any(isinstance(block, Picture) for block in reply.blocks):
        return None
    rendered = render(reply, VIEW)
    return None if rendered.file else _window(_NAME, rendered.blocks, metadata_of(heard))


def _form_view(form: Form, beside: Reply, heard: Heard) -> View:
    title = visible_line(form.title)
    blocks = [block_kit.header(title)] if len(title) > LONGEST_TITLE else []
    blocks += render(beside, VIEW).blocks[:_MOST_BESIDE] if beside.blocks else []
    shown = _fields_that_fit(form)
    group = ""
    for number in _by_group(form):
        if number in shown:
            if form.fields[number].group != group:
                group = form.fields[number].group
                blocks.append(block_kit.header(visible_line(group)))
            blocks.append(shown[number])
    if left := [field for number, field in enumerate(form.fields) if number not in shown]:
        blocks.append(block_kit.context(_not_shown(form, left)))
    blocks = blocks or [block_kit.context("There is nothing to fill in.")]
    return _form_window(title, blocks, metadata_of(heard, form.command))


def _by_group(form: Form) -> list[int]:
    """The numbers of the fields, those of a group together, those of none first."""
    firsts: dict[str, int] = {"": -1}
    for number, field in enumerate(form.fields):
        firsts.setdefault(field.group, number)
    return sorted(range(len(form.fields)), key=lambda number: firsts[form.fields[number].group])


def _fields_that_fit(form: Form) -> dict[int, block_kit.Block]:
    """The blocks of the fields that have room, by the fields' numbers; those that were changed come first."""
    nonce = _nonce()
    shown: dict[int, block_kit.Block] = {}
    groups = {""}
    places, characters = _MOST_FIELD_BLOCKS, block_kit.LONGEST_VIEW
    for number in sorted(range(len(form.fields)), key=lambda number: not form.fields[number].changed):
        field = form.fields[number]
        if is_editable(field, number):
            block = input_block(field, number, nonce)
        else:
            block = unchangeable_block(form.command, field)
        needed = 1 if field.group in groups else 2
        length = len(json.dumps(block))
        if needed > places or length > characters:
            continue
        shown[number] = block
        groups.add(field.group)
        places -= needed
        characters -= length
    return shown


def _not_shown(form: Form, left: list[FormField]) -> str:
    more = f"{len(left)} more values have" if len(left) > 1 else "One more value has"
    example = "…" if left[0].positional else f"{visible_line(left[0].name)}=…"
    return f"{more} no room here; to change one, send a line such as: {visible_line(form.command)} {example}"


def _reason(block: object) -> str:
    match block:
        case Text(text=text) | Choice(question=text):
            return visible(text)
        case _:
            return ""


def _form_window(title: str, blocks: list[block_kit.Block], metadata: str) -> View:
    return {
        **_window(title, blocks, metadata),
        "callback_id": FORM,
        "submit": block_kit.plain("Submit", LONGEST_TITLE),
        "close": block_kit.plain("Cancel", LONGEST_TITLE),
    }


def _window(title: str, blocks: list[block_kit.Block], metadata: str = "") -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": _OTHER,
        "title": block_kit.plain(title or _NAME, LONGEST_TITLE),
        "close": block_kit.plain("Close", LONGEST_TITLE),
        "private_metadata": metadata,
        "blocks": blocks,
    }


def _nonce() -> str:
    """Slack keeps what was typed into a block of the same id, and ignores the value that comes with it."""
    return secrets.token_hex(_NONCE_BYTES)
