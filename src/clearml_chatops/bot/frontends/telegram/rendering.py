"""A reply as the messages that show it: texts of HTML, documents, and a keyboard below the last of them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import assert_never

from clearml_chatops.bot.frontends.telegram.keyboards import MOST_BUTTONS, Rows, rows_of_buttons, rows_of_options
from clearml_chatops.bot.frontends.telegram.pages import pages, pages_as_html
from clearml_chatops.bot.frontends.telegram.spans import Span, as_html, telegram_length
from clearml_chatops.bot.frontends.telegram.tables import MOST_ROWS, drawn_table, table_spans
from clearml_chatops.bot.frontends.visible import visible, visible_line, visible_log
from clearml_chatops.models.replies import (
    Block,
    Button,
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

LONGEST_CODE = 2500
"""UTF-16 units of a log that are shown in a message; a longer one is read better as a document."""

_MOST_LINES_OF_CODE = 50
_LONGEST_CAPTION = 900
_ROWS_ABOVE_A_DOCUMENT = 10
_LONGEST_TABLE = 3500
_FACES = {Tone.HEADING: "b", Tone.QUIET: "i"}
_MARKS = {Tone.SUCCESS: "✅ ", Tone.WARNING: "⚠️ ", Tone.FAILURE: "❌ "}
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class TextMessage:
    """HTML that one message takes."""

    html: str
    rows: Rows = ()


@dataclass(frozen=True, slots=True)
class DocumentMessage:
    """A file with a caption of HTML."""

    name: str
    content: bytes
    caption: str = ""
    rows: Rows = ()


OutgoingMessage = TextMessage | DocumentMessage


def render(reply: Reply) -> tuple[OutgoingMessage, ...]:
    """The messages of a reply, at least one. Its buttons are below the last."""
    messages: list[OutgoingMessage] = []
    text: list[Span] = []
    rows: list[Rows] = []
    before: Block | None = None
    for block in reply.blocks:
        body = _body(block)
        rows.append(_rows(block))
        if isinstance(body, DocumentMessage):
            messages += map(TextMessage, pages_as_html(text))
            messages.append(body)
            text = []
        elif body:
            text += [*_gap(before, block), *body]
        before = block
    messages += map(TextMessage, pages_as_html(text))
    if not messages:
        messages.append(TextMessage("…"))
    keyboard, left_out = _cut(tuple(row for block_rows in rows for row in block_rows))
    if left_out:
        messages.append(TextMessage(f"<i>{left_out} more are not shown here; be more precise to see them.</i>"))
    messages[-1] = replace(messages[-1], rows=keyboard)
    return tuple(messages)


def render_in_one(reply: Reply) -> TextMessage:
    """A reply as one text, for a message that is edited: what does not fit, and documents, are left out."""
    messages = render(reply)
    first = next((message for message in messages if isinstance(message, TextMessage)), TextMessage("…"))
    return replace(first, rows=messages[-1].rows)


def _cut(rows: Rows) -> tuple[Rows, int]:
    """The rows that a keyboard takes, and how many buttons are left out."""
    kept: list[tuple[Button, ...]] = []
    for row in rows:
        if sum(map(len, kept)) + len(row) > MOST_BUTTONS:
            break
        kept.append(row)
    return tuple(kept), sum(map(len, rows)) - sum(map(len, kept))


def _rows(block: Block) -> Rows:
    match block:
        case Buttons():
            return rows_of_buttons(block.buttons)
        case Choice():
            return rows_of_options(block.options)
        case _:
            return ()


def _gap(before: Block | None, block: Block) -> list[Span]:
    """What parts two blocks: a line break between a heading and its body, else an empty line."""
    if before is None:
        return []
    close = isinstance(before, Text) and (before.tone is Tone.HEADING or isinstance(block, Text | Code))
    if isinstance(block, Text) and block.tone is Tone.HEADING:
        close = False
    return [Span("\n" if close else "\n\n")]


def _body(block: Block) -> list[Span] | DocumentMessage:
    match block:
        case Text():
            return _sentence(block)
        case Fields():
            return list(_fields(block))
        case Table():
            return _table(block)
        case Code():
            return _code(block)
        case Buttons():
            return []
        case Choice():
            return [Span(visible(block.question), "b")]
        case Picture():
            return [Span(visible(block.caption))]
        case Form():
            return list(_fields(Fields(tuple((field.label, field.value) for field in block.fields))))
    assert_never(block)


def _sentence(block: Text) -> list[Span]:
    text = (visible_line if block.tone is Tone.HEADING else visible)(block.text)
    return [Span(_MARKS.get(block.tone, "") + text, _FACES.get(block.tone, ""))]


def _fields(block: Fields) -> Iterator[Span]:
    for number, (label, value) in enumerate(block.items):
        shown = visible(value) or "—"
        yield Span("\n" if number else "")
        yield Span(f"{visible_line(label)}:", "b")
        yield Span("\n" if "\n" in shown else " ")
        # A tap copies what stands in this face, and an id is there to be copied.
        yield Span(shown, "code" if _ID.fullmatch(shown) else "")


def _code(block: Code) -> list[Span] | DocumentMessage:
    text = visible_log(block.text).strip("\n")
    if not text.strip():
        return []
    if telegram_length(text) <= LONGEST_CODE and text.count("\n") < _MOST_LINES_OF_CODE:
        return [Span(text, "pre")]
    lines = text.split("\n")
    return DocumentMessage(
        "log.txt", text.encode(), _caption(f"{len(lines):,} lines; they end with:", Span(_end_of(lines), "pre"))
    )


def _end_of(lines: list[str]) -> str:
    """The last lines, as many as a caption takes; the cause of a failure is mostly among them."""
    kept: list[str] = []
    for line in reversed(lines):
        if sum(map(telegram_length, kept)) + len(kept) + telegram_length(line) > _LONGEST_CAPTION - 100:
            break
        kept.insert(0, line)
    return "\n".join(kept) or lines[-1][-_LONGEST_CAPTION // 3 :]


def _table(block: Table) -> list[Span] | DocumentMessage:
    if len(block.rows) <= MOST_ROWS:
        spans = table_spans(block)
        if sum(telegram_length(span.text) for span in spans) <= _LONGEST_TABLE:
            return spans
    first = Span(f"{len(block.rows):,} rows; they begin with:\n")
    return DocumentMessage(
        "table.txt", drawn_table(block).encode(), _caption(first.text, *table_spans(block, _ROWS_ABOVE_A_DOCUMENT))
    )


def _caption(sentence: str, *spans: Span) -> str:
    """A sentence and as much of what follows as a caption takes."""
    return as_html(pages([Span(f"{sentence.strip()}\n"), *spans], _LONGEST_CAPTION)[0])
