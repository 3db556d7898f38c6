"""Splitting of a long text into several messages, at line ends."""

from collections.abc import Iterator, Sequence

from clearml_chatops.bot.frontends.telegram.spans import (
    Span,
    count_utf16_units,
    escape_mentions,
    split_lines,
    to_html,
)

MAX_PAGE_LENGTH = 4000
"""UTF-16 units of one message. Telegram takes 4096 after parsing; the rest is a margin."""

MAX_CAPTION_LENGTH = 900
"""UTF-16 units of a caption. Telegram takes 1024 after parsing."""

_MAX_ENTITIES = 90
"""Formatted spans in one message. Telegram silently drops all entities after the first 100."""


def split_pages(spans: Sequence[Span], max_length: int = MAX_PAGE_LENGTH) -> list[tuple[Span, ...]]:
    """Split a text into pages of at most `max_length` UTF-16 units. No page is blank.

    Pages end at line ends. A line that is longer than a page is split at a space, or anywhere if it has none.
    """
    result: list[list[Span]] = [[]]
    page_length = entity_count = 0
    for line in _wrap_lines([escape_mentions(span) for span in spans], max_length):
        length = sum(count_utf16_units(span.text) for span in line)
        line_entity_count = sum(bool(span.tag) for span in line)
        if result[-1] and (page_length + length > max_length or entity_count + line_entity_count > _MAX_ENTITIES):
            result.append([])
            page_length = entity_count = 0
        result[-1] += line
        page_length += length
        entity_count += line_entity_count if not _continues_tag(result[-1], line) else 0
    trimmed = (tuple(_trimmed(page)) for page in result)
    return [page for page in trimmed if to_text(page).strip()]


def to_text(spans: Sequence[Span]) -> str:
    return "".join(span.text for span in spans)


def to_html_pages(spans: Sequence[Span], max_length: int = MAX_PAGE_LENGTH) -> list[str]:
    return [to_html(page) for page in split_pages(spans, max_length)]


def _continues_tag(page: Sequence[Span], line: Sequence[Span]) -> bool:
    """Return whether a line has the same tag as the line before it, as in a log."""
    previous_spans = page[: len(page) - len(line)]
    return len(line) == 1 and bool(previous_spans) and previous_spans[-1].tag == line[0].tag


def _wrap_lines(spans: Sequence[Span], max_length: int) -> Iterator[list[Span]]:
    for line in split_lines(spans):
        piece: list[Span] = []
        remaining_length = max_length
        for span in line:
            rest = span.text
            while count_utf16_units(rest) > remaining_length:
                head = _take_prefix(rest, remaining_length)
                yield [*piece, Span(head, span.tag)] if head else piece
                rest, piece, remaining_length = rest[len(head) :], [], max_length
            piece.append(Span(rest, span.tag))
            remaining_length -= count_utf16_units(rest)
        yield piece


def _take_prefix(text: str, max_length: int) -> str:
    """Return as much of the text as fits, up to a space if there is one in its second half."""
    end = length = 0
    while end < len(text) and length + count_utf16_units(text[end]) <= max_length:
        length += count_utf16_units(text[end])
        end += 1
    space_index = text.rfind(" ", end // 2, end)
    return text[: space_index + 1] if space_index > 0 else text[:end]


def _trimmed(page: Sequence[Span]) -> list[Span]:
    """Return the page without blank lines around it. The indent of its first line stays."""
    spans = list(page)
    while spans and not spans[0].text.strip():
        spans.pop(0)
    if spans:
        spans[0] = Span(spans[0].text.lstrip("\n"), spans[0].tag)
    while spans and not spans[-1].text.strip():
        spans.pop()
    if spans:
        spans[-1] = Span(spans[-1].text.rstrip(), spans[-1].tag)
    return spans
