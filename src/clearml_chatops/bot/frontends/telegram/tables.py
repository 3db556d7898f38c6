"""Tables that can be read on a phone held upright."""

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from clearml_chatops.bot.frontends.telegram.spans import Span
from clearml_chatops.bot.frontends.visible import visible_line
from clearml_chatops.models.replies import Table

WIDEST_ON_A_PHONE = 34
"""Columns of fixed-width text that a phone shows without folding."""

MOST_ROWS = 40
"""A longer table is better as a file, with its first rows in the message."""

_GAP = "  "


def table_spans(table: Table, most_rows: int = MOST_ROWS) -> list[Span]:
    """The first rows of a table: drawn where it is narrow enough, else one row after the other."""
    shown = Table(table.columns, table.rows[:most_rows])
    if not shown.rows:
        return [Span("nothing", "i")]
    if _width(shown) <= WIDEST_ON_A_PHONE:
        return [Span(drawn_table(shown), "pre")]
    return list(_one_row_after_the_other(shown))


def drawn_table(table: Table) -> str:
    """The table in columns, for a fixed-width face."""
    widths = _column_widths(table)
    lines = [_cells(row) for row in table.rows]
    if any(table.columns):
        lines.insert(0, _cells(table.columns))
    return "\n".join(
        _GAP.join(
            cell + " " * (width - _cell_width(cell)) for cell, width in zip(line, widths, strict=False)
        ).rstrip()
        for line in lines
    )


def _one_row_after_the_other(table: Table) -> Iterator[Span]:
    """The first cell of a row stands out; the others follow behind their headings."""
    has_two_columns = len(table.columns) <= 2  # noqa: PLR2004  # a name and its value need no heading
    headings = _cells(table.columns)
    for number, row in enumerate(table.rows):
        if number:
            yield Span("\n" if has_two_columns else "\n\n")
        first, *others = _cells(row) or [""]
        yield Span(first or "—", "b")
        if has_two_columns:
            yield from (Span(f" {other}") for other in others if other)
            continue
        told = (
            f"{heading}: {cell}" if heading else cell
            for heading, cell in zip_longest(headings[1:], others, fillvalue="")
            if cell
        )
        yield Span("\n" + " · ".join(told))


def _cells(row: Sequence[str]) -> list[str]:
    return [visible_line(cell) for cell in row]


def _column_widths(table: Table) -> list[int]:
    lines = [_cells(table.columns), *map(_cells, table.rows)]
    return [max(map(_cell_width, column)) for column in zip_longest(*lines, fillvalue="")]


def _width(table: Table) -> int:
    widths = _column_widths(table)
    return sum(widths) + len(_GAP) * max(len(widths) - 1, 0)


def _cell_width(text: str) -> int:
    """Columns of a fixed-width face: Chinese characters and emoji take two, accents none."""
    return sum(
        0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )
