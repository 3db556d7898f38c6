"""A reply as the messages that show it: texts of HTML, pictures, files, and a keyboard below the last of them."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import assert_never

from clearml_chatops.bot.frontends.telegram.forms import asked_at_once, form_rows, form_spans
from clearml_chatops.bot.frontends.telegram.keyboards import (
    MOST_BUTTONS,
    Key,
    Rows,
    rows_of_buttons,
    rows_of_options,
)
from clearml_chatops.bot.frontends.telegram.outgoing import (
    DocumentMessage,
    MediaMessage,
    OutgoingMessage,
    QuestionMessage,
    ShownMessage,
    TextMessage,
)
from clearml_chatops.bot.frontends.telegram.pages import LONGEST_CAPTION, pages, pages_as_html
from clearml_chatops.bot.frontends.telegram.pictures import LARGEST_DOCUMENT, picture_parts
from clearml_chatops.bot.frontends.telegram.spans import Span, as_html, telegram_length
from clearml_chatops.bot.frontends.telegram.tables import MOST_ROWS, drawn_table, table_spans
from clearml_chatops.bot.frontends.visible import visible, visible_line, visible_log
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

LONGEST_CODE = 2500
"""UTF-16 units of a log that are shown in a message; a longer one is read better as a document."""

_MOST_LINES_OF_CODE = 50
_ROWS_ABOVE_A_DOCUMENT = 10
_LONGEST_TABLE = 3500
_FACES = {Tone.HEADING: "b", Tone.QUIET: "i"}
_MARKS = {Tone.SUCCESS: "✅ ", Tone.WARNING: "⚠️ ", Tone.FAILURE: "❌ "}
_ID = re.compile(r"[0-9a-f]{32}")


def render(reply: Reply) -> tuple[OutgoingMessage, ...]:
    """The messages of a reply, at least one. Its buttons are below the last.

    Where the reply ends in a form of one value that is empty, the last message asks for it.
    """
    asking = _asking(reply)
    blocks = reply.blocks[:-1] if asking else reply.blocks
    messages = _shown(blocks)
    if asking:
        return (*messages, asking)
    shown = messages or [TextMessage("…")]
    keyboard, left_out = _cut(tuple(row for block in blocks for row in _rows(block)))
    if left_out:
        shown.append(TextMessage(f"<i>{left_out} more are not shown here; be more precise to see them.</i>"))
    return (*shown[:-1], replace(shown[-1], rows=keyboard))


def render_in_one(reply: Reply) -> ShownMessage:
    """A reply as one message, for one that is edited: what does not fit, and further files, are left out."""
    messages = render(reply)
    shown = [message for message in messages if not isinstance(message, QuestionMessage)]
    rows = shown[-1].rows if shown else ()
    texts = [message for message in shown if isinstance(message, TextMessage)]
    return replace((texts or shown or [TextMessage("…")])[0], rows=rows)


def _asking(reply: Reply) -> QuestionMessage | None:
    """The question in which a reply ends. A message that forces a reply has no room for buttons."""
    if not reply.blocks or not isinstance(form := reply.blocks[-1], Form):
        return None
    action = asked_at_once(form)
    return QuestionMessage(action) if action and not any(map(_rows, reply.blocks[:-1])) else None


def _shown(blocks: tuple[Block, ...]) -> list[ShownMessage]:
    messages: list[ShownMessage] = []
    text: list[Span] = []
    before: Block | None = None
    for block in blocks:
        for part in _parts(block):
            if not isinstance(part, list):
                messages += map(TextMessage, pages_as_html(text))
                messages.append(part)
                text = []
            elif part:
                text += [*_gap(before, block), *part]
        before = block
    return [*messages, *map(TextMessage, pages_as_html(text))]


def _cut(rows: Rows) -> tuple[Rows, int]:
    """The rows that a keyboard takes, and how many buttons are left out."""
    kept: list[tuple[Key, ...]] = []
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
        case Form():
            return form_rows(block)
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


def _parts(block: Block) -> tuple[MediaMessage | list[Span], ...]:
    """What a block is made of: text, and what is a message of its own."""
    match block:
        case Text():
            return (_sentence(block),)
        case Fields():
            return (list(_fields(block)),)
        case Table():
            return (_table(block),)
        case Code():
            return (_code(block),)
        case Buttons():
            return ()
        case Choice():
            return ([Span(visible(block.question), "b")],)
        case Picture():
            return picture_parts(block)
        case Form():
            return (form_spans(block),)
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
    content = text.encode()
    sentence = f"{len(lines):,} lines; they end with:"
    if len(content) > LARGEST_DOCUMENT:
        # The cut may be in the middle of a character.
        content = content[-LARGEST_DOCUMENT:].decode(errors="ignore").encode()
        sentence = f"The end of {sentence}"
    return DocumentMessage("log.txt", content, _caption(sentence, Span(_end_of(lines), "pre")))


def _end_of(lines: list[str]) -> str:
    """The last lines, as many as a caption takes; the cause of a failure is mostly among them."""
    kept: list[str] = []
    for line in reversed(lines):
        if sum(map(telegram_length, kept)) + len(kept) + telegram_length(line) > LONGEST_CAPTION - 100:
            break
        kept.insert(0, line)
    return "\n".join(kept) or lines[-1][-LONGEST_CAPTION // 3 :]


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
    return as_html(pages([Span(f"{sentence.strip()}\n"), *spans], LONGEST_CAPTION)[0])
