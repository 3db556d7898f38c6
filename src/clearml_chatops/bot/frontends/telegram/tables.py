"""Tables that fit on an upright phone."""

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from clearml_chatops.bot.frontends.sanitizing import sanitize_line
from clearml_chatops.bot.frontends.telegram.spans import Span
from clearml_chatops.models.replies import Table

MAX_PHONE_WIDTH = 34
"""Columns of fixed-width text that a phone shows without wrapping."""

MAX_ROWS = 40
"""A longer table is sent as a file, with its first rows in the message."""

_COLUMN_GAP = "  "


def render_table(table: Table, max_rows: int = MAX_ROWS) -> list[Span]:
    """Return the first rows of a table: in columns if it is narrow enough, else as a list."""
    shown_table = Table(table.columns, table.rows[:max_rows])
    if not shown_table.rows:
        return [Span("Nothing to show", "i")]
    if _measure_table(shown_table) <= MAX_PHONE_WIDTH:
        return [Span(draw_table(shown_table), "pre")]
    return list(_render_as_list(shown_table))


def draw_table(table: Table) -> str:
    """Return the table in columns, for a fixed-width font."""
    widths = _measure_columns(table)
    lines = [_sanitize_row(row) for row in table.rows]
    if any(table.columns):
        lines.insert(0, _sanitize_row(table.columns))
    return "\n".join(
        _COLUMN_GAP.join(
            cell + " " * (width - _measure_text(cell)) for cell, width in zip(line, widths, strict=False)
        ).rstrip()
        for line in lines
    )


def _render_as_list(table: Table) -> Iterator[Span]:
    """Yield each row with its first cell in bold and the others after their headings."""
    has_two_columns = len(table.columns) <= 2  # noqa: PLR2004  # a name and its value need no heading
    headings = _sanitize_row(table.columns)
    for number, row in enumerate(table.rows):
        if number:
            yield Span("\n" if has_two_columns else "\n\n")
        first, *other_cells = _sanitize_row(row) or [""]
        yield Span(first or "—", "b")
        if has_two_columns:
            yield from (Span(f" {cell_text}") for cell_text in other_cells if cell_text)
            continue
        labelled_cells = (
            f"{heading}: {cell}" if heading else cell
            for heading, cell in zip_longest(headings[1:], other_cells, fillvalue="")
            if cell
        )
        yield Span("\n" + " · ".join(labelled_cells))


def _sanitize_row(row: Sequence[str]) -> list[str]:
    return [sanitize_line(cell) for cell in row]


def _measure_columns(table: Table) -> list[int]:
    lines = [_sanitize_row(table.columns), *map(_sanitize_row, table.rows)]
    return [max(map(_measure_text, column)) for column in zip_longest(*lines, fillvalue="")]


def _measure_table(table: Table) -> int:
    widths = _measure_columns(table)
    return sum(widths) + len(_COLUMN_GAP) * max(len(widths) - 1, 0)


def _measure_text(text: str) -> int:
    """Return the columns in a fixed-width font: Chinese characters and emoji take two, accents none."""
    return sum(
        0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )
