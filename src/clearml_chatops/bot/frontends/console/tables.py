"""Tables that fit the width: narrow columns keep their width, and the widest shrink."""

import re
from collections.abc import Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table as RichTable
from rich.text import Text

from clearml_chatops.bot.frontends.sanitizing import sanitize_line
from clearml_chatops.models.experiments import Status
from clearml_chatops.models.replies import Table

_COLUMN_GAP = 2
_NUMBER = re.compile(r"[-+]?\d[\d.,]*(?:e[-+]?\d+)?%?")
_STATUS_STYLES = {
    Status.DRAFT: "dim",
    Status.PENDING: "yellow",
    Status.RUNNING: "cyan",
    Status.COMPLETED: "green",
    Status.FAILED: "red",
    Status.ABORTED: "magenta",
    Status.PUBLISHED: "green",
}
_STYLES_BY_WORD = {status.label: style for status, style in _STATUS_STYLES.items()}


class FittedTable:
    """A table that fits the available width."""

    def __init__(self, table: Table) -> None:
        self._headings = [sanitize_line(heading) for heading in table.columns]
        self._rows = [[sanitize_line(cell) for cell in row] for row in table.rows]

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        gaps = _COLUMN_GAP * max(len(self._headings) - 1, 0)
        columns = [[heading, *cells] for heading, cells in zip(self._headings, self._get_columns(), strict=True)]
        widths = fit_widths([max(map(cell_len, column)) for column in columns], options.max_width - gaps)
        rich_table = RichTable(
            box=box.SIMPLE_HEAD,
            show_header=any(self._headings),
            show_edge=False,
            pad_edge=False,
            padding=(0, _COLUMN_GAP - 1, 0, 0),  # the box adds one space between columns
            border_style="dim",
            header_style="bold",
        )
        for heading, cells, width in zip(self._headings, self._get_columns(), widths, strict=True):
            numeric = any(cells) and all(_NUMBER.fullmatch(cell) for cell in cells if cell)
            rich_table.add_column(
                Text(heading), width=width, overflow="fold", justify="right" if numeric else "left"
            )
        for row in self._rows:
            rich_table.add_row(*(Text(cell, style=get_status_style(cell)) for cell in row))
        yield rich_table
        if not self._rows:
            yield Text("Nothing to show", style="dim")

    def _get_columns(self) -> list[list[str]]:
        return [[row[index] for row in self._rows] for index in range(len(self._headings))]


def get_status_style(word: str) -> str:
    """Return the colour of a status word; an empty string for any other text."""
    return _STYLES_BY_WORD.get(word, "")


def fit_widths(desired_widths: Sequence[int], available: int) -> list[int]:
    """Return the widths, with the widest cut to a common width to make their sum fit.

    An id and a status stay on one line, and a long name is folded.
    """
    limit = max(desired_widths, default=0)
    while limit > 1 and sum(min(width, limit) for width in desired_widths) > available:
        limit -= 1
    return [max(min(width, limit), 1) for width in desired_widths]
