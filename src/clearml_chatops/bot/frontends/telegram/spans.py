"""Text in pieces that each have one face. Markup is written from them at the very end, in one place."""

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_MENTION = re.compile(r"(?<![\w/])@(?=\w)")
_WORD_JOINER = "\N{WORD JOINER}"


@dataclass(frozen=True, slots=True)
class Span:
    """A text and the tag that it stands in: `b`, `i`, `code`, `pre`, or none."""

    text: str
    tag: str = ""


def count_utf16_units(text: str) -> int:
    """Characters as Telegram counts them: UTF-16 units, of which an emoji is two."""
    return len(text) + sum(character > "\uffff" for character in text)


def escape_mentions(span: Span) -> Span:
    """The text such that it pings nobody: Telegram makes a mention of each @name that is not in code."""
    if span.tag in {"code", "pre"}:
        return span
    return Span(_MENTION.sub(f"@{_WORD_JOINER}", span.text), span.tag)


def to_html(spans: Iterable[Span]) -> str:
    """The pieces as Telegram's HTML, neighbours with the same face as one."""
    return "".join(
        _render_element(tag, "".join(span.text for span in run)) for tag, run in groupby(spans, _get_tag)
    )


def split_lines(spans: Sequence[Span]) -> list[list[Span]]:
    """The pieces of each line, each line with the line break that ends it."""
    lines: list[list[Span]] = [[]]
    for span in spans:
        for part in _LINE.findall(span.text):
            lines[-1].append(Span(part, span.tag))
            if part.endswith("\n"):
                lines.append([])
    return lines if lines[-1] else lines[:-1]


def _get_tag(span: Span) -> str:
    return span.tag


def _render_element(tag: str, text: str) -> str:
    escaped = html.escape(text, quote=False)
    return f"<{tag}>{escaped}</{tag}>" if tag else escaped
