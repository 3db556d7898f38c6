"""Text in spans with one tag each, and their conversion to Telegram's HTML."""

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_MENTION = re.compile(r"(?<![\w/])@(?=\w)")
_WORD_JOINER = "\N{WORD JOINER}"


@dataclass(frozen=True, slots=True)
class Span:
    """A text and its tag: `b`, `i`, `code`, `pre` or none."""

    text: str
    tag: str = ""


def count_utf16_units(text: str) -> int:
    """Return the length as Telegram counts it: in UTF-16 units, of which an emoji has two."""
    return len(text) + sum(character > "\uffff" for character in text)


def escape_mentions(span: Span) -> Span:
    """Return the span with each @name changed to mention nobody. Telegram makes no mentions in code."""
    if span.tag in {"code", "pre"}:
        return span
    return Span(_MENTION.sub(f"@{_WORD_JOINER}", span.text), span.tag)


def to_html(spans: Iterable[Span]) -> str:
    """Return the spans as Telegram's HTML. Neighbours with the same tag are one element."""
    return "".join(
        _render_element(tag, "".join(span.text for span in run)) for tag, run in groupby(spans, attrgetter("tag"))
    )


def split_lines(spans: Sequence[Span]) -> list[list[Span]]:
    """Return the spans of each line, with the line break at its end."""
    lines: list[list[Span]] = [[]]
    for span in spans:
        for part in _LINE.findall(span.text):
            lines[-1].append(Span(part, span.tag))
            if part.endswith("\n"):
                lines.append([])
    return lines if lines[-1] else lines[:-1]


def _render_element(tag: str, text: str) -> str:
    escaped = html.escape(text, quote=False)
    return f"<{tag}>{escaped}</{tag}>" if tag else escaped
