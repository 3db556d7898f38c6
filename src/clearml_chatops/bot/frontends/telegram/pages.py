"""A long text as several messages, parted at the ends of lines."""

from collections.abc import Iterator, Sequence

from clearml_chatops.bot.frontends.telegram.spans import Span, as_html, as_lines, telegram_length, without_mentions

LONGEST_PAGE = 4000
"""UTF-16 units of one message. Telegram takes 4096 after parsing; what it may count otherwise has room."""

LONGEST_CAPTION = 900
"""UTF-16 units of a caption. Telegram takes 1024 after parsing."""

_MOST_FACES = 90
"""Changes of face in one message. Telegram drops all entities beyond the hundredth, without a word."""


def pages(spans: Sequence[Span], limit: int = LONGEST_PAGE) -> list[tuple[Span, ...]]:
    """The text in pages of at most `limit` units. No page is blank.

    A page ends with a line; a line that is longer than a page is parted at a blank, or anywhere.
    """
    found: list[list[Span]] = [[]]
    used = faces = 0
    for line in _short_lines([without_mentions(span) for span in spans], limit):
        length = sum(telegram_length(span.text) for span in line)
        more_faces = sum(bool(span.tag) for span in line)
        if found[-1] and (used + length > limit or faces + more_faces > _MOST_FACES):
            found.append([])
            used = faces = 0
        found[-1] += line
        used += length
        faces += more_faces if not _goes_on(found[-1], line) else 0
    trimmed = (tuple(_trimmed(page)) for page in found)
    return [page for page in trimmed if as_text(page).strip()]


def as_text(spans: Sequence[Span]) -> str:
    return "".join(span.text for span in spans)


def pages_as_html(spans: Sequence[Span], limit: int = LONGEST_PAGE) -> list[str]:
    return [as_html(page) for page in pages(spans, limit)]


def _goes_on(page: Sequence[Span], line: Sequence[Span]) -> bool:
    """Whether a line only continues the face of the line before it, as those of a log do."""
    before = page[: len(page) - len(line)]
    return len(line) == 1 and bool(before) and before[-1].tag == line[0].tag


def _short_lines(spans: Sequence[Span], limit: int) -> Iterator[list[Span]]:
    for line in as_lines(spans):
        piece: list[Span] = []
        room = limit
        for span in line:
            rest = span.text
            while telegram_length(rest) > room:
                head = _beginning(rest, room)
                yield [*piece, Span(head, span.tag)] if head else piece
                rest, piece, room = rest[len(head) :], [], limit
            piece.append(Span(rest, span.tag))
            room -= telegram_length(rest)
        yield piece


def _beginning(text: str, room: int) -> str:
    """As much of the text as fits, up to a blank where there is one in its second half."""
    end = used = 0
    while end < len(text) and used + telegram_length(text[end]) <= room:
        used += telegram_length(text[end])
        end += 1
    blank = text.rfind(" ", end // 2, end)
    return text[: blank + 1] if blank > 0 else text[:end]


def _trimmed(page: Sequence[Span]) -> list[Span]:
    """The page without blank lines around it; what a log is indented by stays."""
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
