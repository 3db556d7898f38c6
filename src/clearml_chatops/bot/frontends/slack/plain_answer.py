"""A reply as plain text: the file that holds what a message cannot, and the line that a phone shows first."""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from clearml_chatops.bot.frontends.visible import visible, visible_line, visible_log
from clearml_chatops.handlers.forms import line_asking
from clearml_chatops.models.replies import (
    Block,
    Button,
    Buttons,
    Choice,
    Code,
    Fields,
    Form,
    FormField,
    Picture,
    Reply,
    Table,
    Text,
)

_LONGEST_CELL = 60


def whole_text(reply: Reply) -> str:
    """All that a reply says, nothing left out."""
    return "\n\n".join("\n".join(_lines(block)) for block in reply.blocks) + "\n"


def first_line(reply: Reply) -> str:
    """What a reply is about, for a notification on a phone; empty where it has no sentence."""
    for block in reply.blocks:
        match block:
            case Text(text=text) | Choice(question=text) | Form(title=text) | Picture(caption=text):
                return visible_line(text)
            case _:
                continue
    return ""


def table_lines(table: Table, longest_cell: int = _LONGEST_CELL) -> list[str]:
    """A table in columns of equal width; a cell longer than that is cut."""
    rows = [[visible_line(cell) for cell in row] for row in table.rows]
    headings = [visible_line(heading) for heading in table.columns]
    shown = [[_cut(cell, longest_cell) for cell in row] for row in ([headings] if any(headings) else []) + rows]
    if not rows:
        shown.append(["nothing"])
    widths = [
        max((cell_len(row[index]) for row in shown if index < len(row)), default=0)
        for index in range(len(headings))
    ]
    return [_aligned(row, widths) for row in shown]


def labelled_values(form: Form) -> tuple[tuple[str, str], ...]:
    """What a form's values are now."""
    return tuple((field.label + (" (changed)" if field.changed else ""), field.value) for field in form.fields)


def how_to_type(command: str, field: FormField) -> str:
    """How a value of a form is set where there is nothing to fill in."""
    return f"To change it, send: {line_asking(command, field)}…"


def has_cut_cells(table: Table) -> bool:
    return any(len(visible_line(cell)) > _LONGEST_CELL for row in table.rows for cell in row)


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=False))
    return "  ".join(cells).rstrip()


def _cut(cell: str, longest: int) -> str:
    return cell if len(cell) <= longest else cell[: longest - 1] + "…"


def _lines(block: Block) -> Iterator[str]:
    match block:
        case Text():
            yield visible(block.text)
        case Code():
            yield visible_log(block.text)
        case Fields():
            yield from (f"{visible_line(label)}: {visible(value)}" for label, value in block.items)
        case Table():
            longest = max((len(cell) for row in block.rows for cell in row), default=0)
            yield from table_lines(block, max(longest, _LONGEST_CELL))
        case Buttons():
            yield from map(_button, block.buttons)
        case Choice():
            yield visible(block.question)
            yield from map(_button, block.options)
        case Picture():
            yield visible(block.caption)
        case Form():
            yield visible_line(block.title)
            yield from (f"{visible_line(label)}: {visible(value)}" for label, value in labelled_values(block))
            yield from (visible_line(how_to_type(block.command, field)) for field in block.fields[:1])


def _button(button: Button) -> str:
    return f"{visible_line(button.label)}: {visible_line(button.command)}"
