"""A reply as a terminal shows it: cards without frames, readable with and without colour.

All text is given to rich as text, never as markup, and is made visible first.
"""

from collections.abc import Iterator
from typing import assert_never

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text as RichText

from clearml_chatops.bot.frontends.console.forms import form
from clearml_chatops.bot.frontends.console.layout import Hanging, Log, Prose, Stack
from clearml_chatops.bot.frontends.console.tables import FittedTable, style_of_word
from clearml_chatops.bot.frontends.visible import visible, visible_line, visible_log
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
    Tone,
)

_WIDEST_LABEL = 20
"""Columns. A longer label, such as a metric's name, stands on a line of its own."""

_STYLES = {
    Tone.PLAIN: "",
    Tone.HEADING: "bold",
    Tone.SUCCESS: "green",
    Tone.WARNING: "yellow",
    Tone.FAILURE: "red",
    Tone.QUIET: "dim",
}
_MARKS = {Tone.SUCCESS: "✓ ", Tone.WARNING: "! ", Tone.FAILURE: "✗ "}
_MARKS_IN_ASCII = {Tone.SUCCESS: "+ ", Tone.WARNING: "! ", Tone.FAILURE: "x "}


def buttons_of(reply: Reply) -> tuple[Button, ...]:
    """All buttons and options of a reply, in the order in which they are numbered."""
    return tuple(button for block in reply.blocks for button in _buttons_in(block))


def render(reply: Reply, *, first_number: int = 1) -> RenderableType:
    """A reply, indented below the line that it answers; its buttons count from `first_number`."""
    return Hanging(_body(reply, first_number))


def render_notification(reply: Reply, *, first_number: int = 1) -> RenderableType:
    """A reply that nobody asked for, with a bell in the margin."""
    return _Marked(_body(reply, first_number), "● ", "* ", "bold cyan")


def _body(reply: Reply, first_number: int) -> Stack:
    number = first_number
    bodies: list[RenderableType | None] = []
    before: Block | None = None
    for block in reply.blocks:
        buttons = _buttons_in(block)
        if isinstance(block, Buttons) and not buttons:
            continue
        if before is not None and not _stay_together(before, block):
            bodies.append(None)
        bodies.append(_render_block(block, number))
        number += len(buttons)
        before = block
    return Stack(tuple(bodies))


def _stay_together(before: Block, block: Block) -> bool:
    """Whether no empty line parts two blocks: a heading and its body, a sentence and what belongs to it."""
    if isinstance(before, Picture):
        return isinstance(block, Text) and block.tone is Tone.QUIET
    if not isinstance(before, Text) or (isinstance(block, Text) and block.tone is Tone.HEADING):
        return False
    return before.tone is Tone.HEADING or isinstance(block, Text | Buttons | Code)


def _render_block(block: Block, number: int) -> RenderableType:
    match block:
        case Text():
            return _sentence(block)
        case Fields():
            return _fields(block)
        case Table():
            return FittedTable(block)
        case Code():
            return Log(visible_log(block.text))
        case Buttons():
            return _Row(tuple(_button(button, number + index) for index, button in enumerate(block.buttons)))
        case Choice():
            options = (
                Hanging(Prose(visible_line(button.label)), f"[{number + index}] ", "bold cyan")
                for index, button in enumerate(block.options)
            )
            return Stack((Prose(visible(block.question), "bold"), *options))
        case Picture():
            return Prose(visible(block.caption))
        case Form():
            return form(block)
    assert_never(block)


def _sentence(block: Text) -> RenderableType:
    style = _STYLES[block.tone]
    prose = Prose((visible_line if block.tone is Tone.HEADING else visible)(block.text), style)
    if block.tone in _MARKS:
        return _Marked(prose, _MARKS[block.tone], _MARKS_IN_ASCII[block.tone], style)
    return prose


def _fields(block: Fields) -> RenderableType:
    labels = [visible_line(label) for label, _ in block.items]
    width = max((size for size in map(cell_len, labels) if size <= _WIDEST_LABEL), default=0)
    lines: list[RenderableType] = []
    for label, (_, value) in zip(labels, block.items, strict=True):
        shown = Prose(visible(value), style_of_word(value)) if value else Prose("—", "dim")
        if cell_len(label) > width:
            lines += [Prose(label, "dim"), Hanging(shown, " " * (width + 2))]
        else:
            lines.append(Hanging(shown, label + " " * (width - cell_len(label) + 2), "dim"))
    return Stack(tuple(lines))


def _button(button: Button, number: int) -> RichText:
    return RichText.assemble((f"[{number}]", "bold cyan"), " ", visible_line(button.label))


def _buttons_in(block: Block) -> tuple[Button, ...]:
    match block:
        case Buttons():
            return block.buttons
        case Choice():
            return block.options
        case _:
            return ()


class _Marked:
    """A body behind a sign that has a plainer form for terminals without Unicode."""

    def __init__(self, body: RenderableType, sign: str, sign_in_ascii: str, style: str) -> None:
        self._body = body
        self._sign = sign
        self._sign_in_ascii = sign_in_ascii
        self._style = style

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        sign = self._sign if options.encoding.startswith("utf") else self._sign_in_ascii
        yield Hanging(self._body, sign, self._style)


class _Row:
    """Buttons side by side, as many on a line as fit; a label is never torn in two for its neighbour."""

    _GAP = "   "

    def __init__(self, buttons: tuple[RichText, ...]) -> None:
        self._buttons = buttons

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self._lines(options.max_width):
            line.overflow = "fold"
            yield line

    def _lines(self, width: int) -> Iterator[RichText]:
        line = RichText()
        for button in self._buttons:
            if line and line.cell_len + len(self._GAP) + button.cell_len > width:
                yield line
                line = RichText()
            if line:
                line.append(self._GAP)
            line.append_text(button)
        yield line
