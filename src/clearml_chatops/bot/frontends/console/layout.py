"""The building blocks of replies on the terminal: hanging indents, prose, logs and stacks."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

MAX_PROSE_WIDTH = 100
"""Columns. Longer lines of prose are hard to read, however wide the terminal is."""

_MIN_WIDTH = 16
_COPYABLE_TEXT = re.compile(r"://|^/\S+/", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class HangingIndent:
    """A body with a mark before its first line; the other lines are indented by the width of the mark.

    Lines have no trailing spaces, which keeps transcripts clean in files and diffs.
    """

    body: RenderableType
    mark: str = "  "
    style: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        indent = cell_len(self.mark)
        inner = options.update_width(max(options.max_width - indent, _MIN_WIDTH))
        style = console.get_style(self.style)
        for number, line in enumerate(Segment.split_lines(console.render(self.body, inner))):
            mark = Segment(self.mark, style) if number == 0 else Segment(" " * indent)
            yield from _strip_trailing_spaces([mark, *line])
            yield Segment.line()


@dataclass(frozen=True, slots=True)
class Prose:
    """Text wrapped at words.

    A web address, and a path on its own line, stay whole for copying and clicking. In a picture they are folded.
    """

    text: str
    style: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        keeps_whole = not console.record and _COPYABLE_TEXT.search(self.text)
        text = Text(self.text, style=self.style, overflow="ignore" if keeps_whole else "fold")
        for line in text.wrap(console, min(options.max_width, MAX_PROSE_WIDTH)):
            yield from line.render(console)
            yield Segment.line()


@dataclass(frozen=True, slots=True)
class Log:
    """Lines of a log, with a rule before them to distinguish them from the bot's own text.

    On a screen a long line wraps next to the rule. In a file or a pipe it stays whole for searching.
    """

    text: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        folds = console.is_terminal or console.record
        dim_style = console.get_style("dim")
        first_prefix, continuation_prefix = ("│ ", "┊ ") if options.encoding.startswith("utf") else ("| ", ": ")
        for line in self.text.rstrip("\n").split("\n"):
            pieces = chop_cells(line, options.max_width - cell_len(first_prefix)) if folds else [line]
            for number, piece in enumerate(pieces or [""]):
                yield Segment(first_prefix if number == 0 else continuation_prefix, dim_style)
                yield Segment(piece)
                yield Segment.line()


@dataclass(frozen=True, slots=True)
class Stack:
    """Bodies below each other; None is an empty line."""

    bodies: tuple[RenderableType | None, ...]

    def __rich_console__(self, _console: Console, _options: ConsoleOptions) -> RenderResult:
        for body in self.bodies:
            yield Segment.line() if body is None else body


def _strip_trailing_spaces(segments: Iterable[Segment]) -> Iterator[Segment]:
    line = list(segments)
    while line and not line[-1].text.strip(" ") and not _has_background(line[-1].style):
        line.pop()
    if line and not _has_background(line[-1].style):
        line[-1] = Segment(line[-1].text.rstrip(" "), line[-1].style)
    yield from line


def _has_background(style: Style | None) -> bool:
    return style is not None and (style.bgcolor is not None or bool(style.reverse))
