"""A reply as the messages that show it: texts of HTML, pictures, files, and a keyboard below the last of them."""

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
    Tone,
)

MAX_CODE_LENGTH = 2500
"""UTF-16 units of a log that are shown in a message; a longer one is read better as a document."""

_MAX_CODE_LINES = 50
_PREVIEW_ROWS = 10
_MAX_TABLE_LENGTH = 3500
_TAGS = {Tone.HEADING: "b", Tone.SUBTLE: "i"}
_EMOJI = {Tone.SUCCESS: "✅ ", Tone.WARNING: "⚠️ ", Tone.FAILURE: "❌ "}
_ID = re.compile(r"[0-9a-f]{32}")


def render(reply: Reply) -> tuple[OutgoingMessage, ...]:
    """The messages of a reply, at least one. Its buttons are below the last.

    Where the reply ends in a form of one value that is empty, the last message asks for it.
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
            TextMessage(f"<i>{omitted_count} more are not shown here; be more precise to see them.</i>")
        )
    return (*shown_messages[:-1], replace(shown_messages[-1], rows=keyboard))


def render_single_message(reply: Reply) -> ShownMessage:
    """A reply as one message, for one that is edited: what does not fit, and further files, are left out."""
    messages = render(reply)
    shown_messages = [message for message in messages if not isinstance(message, QuestionMessage)]
    rows = shown_messages[-1].rows if shown_messages else ()
    text_messages = [message for message in shown_messages if isinstance(message, TextMessage)]
    return replace((text_messages or shown_messages or [TextMessage("…")])[0], rows=rows)


def _find_question(reply: Reply) -> QuestionMessage | None:
    """The question in which a reply ends. A message that forces a reply has no room for buttons."""
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
    """The rows that a keyboard takes, and how many buttons are left out."""
    kept_rows: list[tuple[Key, ...]] = []
    for row in rows:
        if sum(map(len, kept_rows)) + len(row) > MAX_BUTTONS:
            break
        kept_rows.append(row)
    return tuple(kept_rows), sum(map(len, rows)) - sum(map(len, kept_rows))


def _build_rows(block: Block) -> Rows:
    match block:
        case Buttons():
            return build_button_rows(block.buttons)
        case Choice():
            return build_option_rows(block.options)
        case Form():
            return build_form_rows(block)
        case _:
            return ()


def _build_gap(previous: Block | None, block: Block) -> list[Span]:
    """What parts two blocks: a line break between a heading and its body, else an empty line."""
    if previous is None:
        return []
    is_tight = isinstance(previous, Text) and (previous.tone is Tone.HEADING or isinstance(block, Text | Code))
    if isinstance(block, Text) and block.tone is Tone.HEADING:
        is_tight = False
    return [Span("\n" if is_tight else "\n\n")]


def _render_block(block: Block) -> tuple[MediaMessage | list[Span], ...]:
    """What a block is made of: text, and what is a message of its own."""
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
            return ()
        case Choice():
            return ([Span(sanitize_text(block.question), "b")],)
        case Picture():
            return render_picture(block)
        case Form():
            return (render_form(block),)
    assert_never(block)


def _render_text(block: Text) -> list[Span]:
    text = (sanitize_line if block.tone is Tone.HEADING else sanitize_text)(block.text)
    return [Span(_EMOJI.get(block.tone, "") + text, _TAGS.get(block.tone, ""))]


def _render_fields(block: Fields) -> Iterator[Span]:
    for number, (label, value) in enumerate(block.items):
        shown = sanitize_text(value) or "—"
        yield Span("\n" if number else "")
        yield Span(f"{sanitize_line(label)}:", "b")
        yield Span("\n" if "\n" in shown else " ")
        # A tap copies what stands in this face, and an id is there to be copied.
        yield Span(shown, "code" if _ID.fullmatch(shown) else "")


def _render_code(block: Code) -> list[Span] | DocumentMessage:
    text = sanitize_log(block.text).strip("\n")
    if not text.strip():
        return []
    if count_utf16_units(text) <= MAX_CODE_LENGTH and text.count("\n") < _MAX_CODE_LINES:
        return [Span(text, "pre")]
    lines = text.split("\n")
    content = text.encode()
    intro = f"{len(lines):,} lines; they end with:"
    if len(content) > MAX_DOCUMENT_SIZE:
        # The cut may be in the middle of a character.
        content = content[-MAX_DOCUMENT_SIZE:].decode(errors="ignore").encode()
        intro = f"The end of {intro}"
    return DocumentMessage("log.txt", content, _render_caption(intro, Span(_take_last_lines(lines), "pre")))


def _take_last_lines(lines: list[str]) -> str:
    """The last lines, as many as a caption takes; the cause of a failure is mostly among them."""
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
    intro = Span(f"{len(block.rows):,} rows; they begin with:\n")
    return DocumentMessage(
        "table.txt", draw_table(block).encode(), _render_caption(intro.text, *render_table(block, _PREVIEW_ROWS))
    )


def _render_caption(intro: str, *spans: Span) -> str:
    """A sentence and as much of what follows as a caption takes."""
    return to_html(split_pages([Span(f"{intro.strip()}\n"), *spans], MAX_CAPTION_LENGTH)[0])
