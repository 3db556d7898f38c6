"""Rendering of a reply as Telegram messages: HTML texts, pictures and files, with a keyboard below the last."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import assert_never

from clearml_chatops.bot.frontends.sanitizing import sanitize_line, sanitize_log, sanitize_text
from clearml_chatops.bot.frontends.telegram.forms import build_form_rows, find_single_question, render_form
from clearml_chatops.bot.frontends.telegram.keyboards import (
    MAX_BUTTONS,
    Key,
    Rows,
    build_button_rows,
    build_option_rows,
    is_button_address,
)
from clearml_chatops.bot.frontends.telegram.outgoing_messages import (
    DocumentMessage,
    MediaMessage,
    OutgoingMessage,
    QuestionMessage,
    ShownMessage,
    TextMessage,
)
from clearml_chatops.bot.frontends.telegram.pages import MAX_CAPTION_LENGTH, split_pages, to_html_pages
from clearml_chatops.bot.frontends.telegram.pictures import MAX_DOCUMENT_SIZE, render_picture
from clearml_chatops.bot.frontends.telegram.spans import Span, count_utf16_units, to_html
from clearml_chatops.bot.frontends.telegram.tables import MAX_ROWS, draw_table, render_table
from clearml_chatops.models.replies import (
    Block,
    Buttons,
    Choice,
    Code,
    Fields,
    Form,
    Picture,
    Reply,
    Table,
    Text,
    TextFile,
    Tone,
)

MAX_CODE_LENGTH = 2500
"""UTF-16 units of a log in a message; a longer one is sent as a file."""

_MAX_CODE_LINES = 50
_PREVIEW_ROWS = 10
_MAX_TABLE_LENGTH = 3500
_TAGS = {Tone.HEADING: "b", Tone.SUBTLE: "i"}
_EMOJI = {Tone.SUCCESS: "✅ ", Tone.WARNING: "⚠️ ", Tone.FAILURE: "❌ "}
_ID = re.compile(r"[0-9a-f]{32}")


def render(reply: Reply) -> tuple[OutgoingMessage, ...]:
    """Return the messages of a reply, at least one. Its buttons are below the last.

    If the reply ends in a form of one empty value, the last message asks for that value.
    """
    question = _find_question(reply)
    blocks = reply.blocks[:-1] if question else reply.blocks
    messages = _render_blocks(blocks)
    if question:
        return (*messages, question)
    shown_messages = messages or [TextMessage("…")]
    keyboard, omitted_count = _limit_rows(tuple(row for block in blocks for row in _build_rows(block)))
    if omitted_count:
        shown_messages.append(
            TextMessage(f"<i>{omitted_count} more aren't shown. Narrow your search to see them.</i>")
        )
    return (*shown_messages[:-1], replace(shown_messages[-1], rows=keyboard))


def render_single_message(reply: Reply) -> ShownMessage:
    """Return a reply as one message, for an edit. The rest of a long text and further files are left out."""
    shown_messages = [message for message in render(reply) if not isinstance(message, QuestionMessage)]
    rows = shown_messages[-1].rows if shown_messages else ()
    text_messages = [message for message in shown_messages if isinstance(message, TextMessage)]
    return replace((text_messages or shown_messages or [TextMessage("…")])[0], rows=rows)


def _find_question(reply: Reply) -> QuestionMessage | None:
    """Return the question at the end of a reply. A message that forces a reply can't have buttons."""
    if not reply.blocks or not isinstance(form := reply.blocks[-1], Form):
        return None
    action = find_single_question(form)
    return QuestionMessage(action) if action and not any(map(_build_rows, reply.blocks[:-1])) else None


def _render_blocks(blocks: tuple[Block, ...]) -> list[ShownMessage]:
    messages: list[ShownMessage] = []
    text: list[Span] = []
    previous: Block | None = None
    for block in blocks:
        for part in _render_block(block):
            if not isinstance(part, list):
                messages += map(TextMessage, to_html_pages(text))
                messages.append(part)
                text = []
            elif part:
                text += [*_build_gap(previous, block), *part]
        previous = block
    return [*messages, *map(TextMessage, to_html_pages(text))]


def _limit_rows(rows: Rows) -> tuple[Rows, int]:
    """Return the rows that fit in a keyboard, and how many buttons are left out."""
    kept_rows: list[tuple[Key, ...]] = []
    for row in rows:
        if sum(map(len, kept_rows)) + len(row) > MAX_BUTTONS:
            break
        kept_rows.append(row)
    return tuple(kept_rows), sum(map(len, rows)) - sum(map(len, kept_rows))


def _build_rows(block: Block) -> Rows:
    match block:
        case Buttons():
            return build_button_rows(block)
        case Choice():
            return build_option_rows(block.options)
        case Form():
            return build_form_rows(block)
        case _:
            return ()


def _build_gap(previous: Block | None, block: Block) -> list[Span]:
    """Return the gap between two blocks: a line break after a heading, else an empty line."""
    if previous is None:
        return []
    is_tight = isinstance(previous, Text) and (previous.tone is Tone.HEADING or isinstance(block, Text | Code))
    if isinstance(block, Text) and block.tone is Tone.HEADING:
        is_tight = False
    return [Span("\n" if is_tight else "\n\n")]


def _render_block(block: Block) -> tuple[MediaMessage | list[Span], ...]:
    """Return the parts of a block: text, and files that are messages of their own."""
    match block:
        case Text():
            return (_render_text(block),)
        case Fields():
            return (list(_render_fields(block)),)
        case Table():
            return (_render_table(block),)
        case Code():
            return (_render_code(block),)
        case Buttons():
            return (_render_text_links(block),)
        case Choice():
            return ([Span(sanitize_text(block.question), "b")],)
        case Picture():
            return render_picture(block)
        case TextFile():
            content = sanitize_log(block.text).encode()
            return (DocumentMessage(block.name, content, _render_caption(sanitize_line(block.caption))),)
        case Form():
            return (render_form(block),)
    assert_never(block)


def _render_text(block: Text) -> list[Span]:
    text = (sanitize_line if block.tone is Tone.HEADING else sanitize_text)(block.text)
    return [Span(_EMOJI.get(block.tone, "") + text, _TAGS.get(block.tone, ""))]


def _render_text_links(block: Buttons) -> list[Span]:
    """Return the addresses that Telegram refuses for buttons, such as those of a server on localhost."""
    refused_links = [link for link in block.links if not is_button_address(link)]
    return [Span(f"{sanitize_line(link.label)}: {sanitize_line(link.address)}") for link in refused_links]


def _render_fields(block: Fields) -> Iterator[Span]:
    for number, (label, value) in enumerate(block.items):
        shown = sanitize_text(value) or "—"
        yield Span("\n" if number else "")
        yield Span(f"{sanitize_line(label)}:", "b")
        yield Span("\n" if "\n" in shown else " ")
        # A tap copies text in this tag, which is useful for an id.
        yield Span(shown, "code" if _ID.fullmatch(shown) else "")


def _render_code(block: Code) -> list[Span] | DocumentMessage:
    text = sanitize_log(block.text).strip("\n")
    if not text.strip():
        return []
    if count_utf16_units(text) <= MAX_CODE_LENGTH and text.count("\n") < _MAX_CODE_LINES:
        return [Span(text, "pre")]
    lines = text.split("\n")
    content = text.encode()
    intro = f"{len(lines):,} lines. The last ones:"
    if len(content) > MAX_DOCUMENT_SIZE:
        # The cut may be in the middle of a character.
        content = content[-MAX_DOCUMENT_SIZE:].decode(errors="ignore").encode()
        intro = f"This file has only the end of {intro}"
    return DocumentMessage("log.txt", content, _render_caption(intro, Span(_take_last_lines(lines), "pre")))


def _take_last_lines(lines: list[str]) -> str:
    """Return as many of the last lines as fit in a caption: they mostly show why a run failed."""
    last_lines: list[str] = []
    for line in reversed(lines):
        if (
            sum(map(count_utf16_units, last_lines)) + len(last_lines) + count_utf16_units(line)
            > MAX_CAPTION_LENGTH - 100
        ):
            break
        last_lines.insert(0, line)
    return "\n".join(last_lines) or lines[-1][-MAX_CAPTION_LENGTH // 3 :]


def _render_table(block: Table) -> list[Span] | DocumentMessage:
    if len(block.rows) <= MAX_ROWS:
        spans = render_table(block)
        if sum(count_utf16_units(span.text) for span in spans) <= _MAX_TABLE_LENGTH:
            return spans
    intro = f"{len(block.rows):,} rows. The first ones:"
    return DocumentMessage(
        "table.txt", draw_table(block).encode(), _render_caption(intro, *render_table(block, _PREVIEW_ROWS))
    )


def _render_caption(intro: str, *spans: Span) -> str:
    """Return a sentence and as much of the text after it as fits in a caption."""
    return to_html(split_pages([Span(f"{intro}\n"), *spans], MAX_CAPTION_LENGTH)[0])
