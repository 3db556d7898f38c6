"""Rendering of replies for the terminal, readable with and without colour.

All text is sanitized and given to rich as text, never as markup.
"""

from collections.abc import Iterator
from typing import assert_never

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text as RichText

from clearml_chatops.bot.frontends.console.forms import render_form
from clearml_chatops.bot.frontends.console.layout import HangingIndent, Log, Prose, Stack
from clearml_chatops.bot.frontends.console.tables import FittedTable, get_status_style
from clearml_chatops.bot.frontends.sanitizing import sanitize_line, sanitize_log, sanitize_text
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
    TextFile,
    Tone,
)

_MAX_LABEL_WIDTH = 20
"""Columns. A longer label, such as a metric's name, gets its own line."""

_STYLES = {
    Tone.PLAIN: "",
    Tone.HEADING: "bold",
    Tone.SUCCESS: "green",
    Tone.WARNING: "yellow",
    Tone.FAILURE: "red",
    Tone.SUBTLE: "dim",
}
_MARKS = {Tone.SUCCESS: "✓ ", Tone.WARNING: "! ", Tone.FAILURE: "✗ "}
_ASCII_MARKS = {Tone.SUCCESS: "+ ", Tone.WARNING: "! ", Tone.FAILURE: "x "}


def list_buttons(reply: Reply) -> tuple[Button, ...]:
    """Return all buttons and options of a reply in the order of their numbers."""
    return tuple(button for block in reply.blocks for button in _list_block_buttons(block))


def render(reply: Reply, *, first_number: int = 1) -> RenderableType:
    """Return a reply, indented below the line that it answers. Its buttons are numbered from `first_number`."""
    return HangingIndent(_render_body(reply, first_number))


def render_notification(reply: Reply, *, first_number: int = 1) -> RenderableType:
    """Return a notification, with a mark in the margin."""
    return _MarkedBody(_render_body(reply, first_number), "● ", "* ", "bold cyan")


def _render_body(reply: Reply, first_number: int) -> Stack:
    number = first_number
    bodies: list[RenderableType | None] = []
    previous: Block | None = None
    for block in reply.blocks:
        buttons = _list_block_buttons(block)
        if isinstance(block, Buttons) and not buttons and not block.links:
            continue
        if previous is not None and not _has_no_gap(previous, block):
            bodies.append(None)
        bodies.append(_render_block(block, number))
        number += len(buttons)
        previous = block
    return Stack(tuple(bodies))


def _has_no_gap(previous: Block, block: Block) -> bool:
    """Return whether there is no empty line between two blocks, such as a heading and its body."""
    if isinstance(previous, Picture):
        return isinstance(block, Text) and block.tone is Tone.SUBTLE
    if not isinstance(previous, Text) or (isinstance(block, Text) and block.tone is Tone.HEADING):
        return False
    return previous.tone is Tone.HEADING or isinstance(block, Text | Buttons | Code)


def _render_block(block: Block, number: int) -> RenderableType:
    match block:
        case Text():
            return _render_text(block)
        case Fields():
            return _render_fields(block)
        case Table():
            return FittedTable(block)
        case Code():
            return Log(sanitize_log(block.text))
        case Buttons():
            return _render_buttons(block, number)
        case Choice():
            options = (
                HangingIndent(Prose(sanitize_line(button.label)), f"[{number + index}] ", "bold cyan")
                for index, button in enumerate(block.options)
            )
            return Stack((Prose(sanitize_text(block.question), "bold"), *options))
        case Picture():
            return Prose(sanitize_text(block.caption))
        case TextFile():
            return Stack((Prose(sanitize_text(block.caption)), Log(sanitize_log(block.text))))
        case Form():
            return render_form(block)
    assert_never(block)


def _render_text(block: Text) -> RenderableType:
    style = _STYLES[block.tone]
    prose = Prose((sanitize_line if block.tone is Tone.HEADING else sanitize_text)(block.text), style)
    if block.tone in _MARKS:
        return _MarkedBody(prose, _MARKS[block.tone], _ASCII_MARKS[block.tone], style)
    return prose


def _render_fields(block: Fields) -> RenderableType:
    labels = [sanitize_line(label) for label, _ in block.items]
    width = max((size for size in map(cell_len, labels) if size <= _MAX_LABEL_WIDTH), default=0)
    lines: list[RenderableType] = []
    for label, (_, value) in zip(labels, block.items, strict=True):
        value_prose = Prose(sanitize_text(value), get_status_style(value)) if value else Prose("—", "dim")
        if cell_len(label) > width:
            lines += [Prose(label, "dim"), HangingIndent(value_prose, " " * (width + 2))]
        else:
            lines.append(HangingIndent(value_prose, label + " " * (width - cell_len(label) + 2), "dim"))
    return Stack(tuple(lines))


def _render_buttons(block: Buttons, number: int) -> RenderableType:
    links = (Prose(f"{sanitize_line(link.label)}: {sanitize_line(link.address)}", "dim") for link in block.links)
    if not block.buttons:
        return Stack(tuple(links))
    row = _ButtonRow(tuple(_render_button(button, number + index) for index, button in enumerate(block.buttons)))
    return Stack((row, *links))


def _render_button(button: Button, number: int) -> RichText:
    return RichText.assemble((f"[{number}]", "bold cyan"), " ", sanitize_line(button.label))


def _list_block_buttons(block: Block) -> tuple[Button, ...]:
    match block:
        case Buttons():
            return block.buttons
        case Choice():
            return block.options
        case _:
            return ()


class _MarkedBody:
    """A body with a mark, which is plainer on terminals without Unicode."""

    def __init__(self, body: RenderableType, mark: str, ascii_mark: str, style: str) -> None:
        self._body = body
        self._mark = mark
        self._ascii_mark = ascii_mark
        self._style = style

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        mark = self._mark if options.encoding.startswith("utf") else self._ascii_mark
        yield HangingIndent(self._body, mark, self._style)


class _ButtonRow:
    """Buttons side by side, as many on a line as fit without splitting a label."""

    _GAP = "   "

    def __init__(self, buttons: tuple[RichText, ...]) -> None:
        self._buttons = buttons

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self._wrap_lines(options.max_width):
            line.overflow = "fold"
            yield line

    def _wrap_lines(self, width: int) -> Iterator[RichText]:
        line = RichText()
        for button in self._buttons:
            if line and line.cell_len + len(self._GAP) + button.cell_len > width:
                yield line
                line = RichText()
            if line:
                line.append(self._GAP)
            line.append_text(button)
        yield line
