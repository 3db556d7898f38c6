"""Replies as plain text: the file for what a message can't hold, and the line shown in a phone's notification."""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from clearml_chatops.bot.frontends.sanitizing import sanitize_line, sanitize_log, sanitize_text
from clearml_chatops.handlers.forms import append_field_key
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
    TextFile,
)

_MAX_CELL_LENGTH = 60


def render_full_text(reply: Reply) -> str:
    """Render the whole reply, without truncating anything."""
    return "\n\n".join("\n".join(_render_lines(block)) for block in reply.blocks) + "\n"


def find_notification_text(reply: Reply) -> str:
    """Return the first sentence of a reply for a phone's notification, or an empty string if there is none."""
    for block in reply.blocks:
        match block:
            case (
                Text(text=text)
                | Choice(question=text)
                | Form(title=text)
                | Picture(caption=text)
                | TextFile(caption=text)
            ):
                return sanitize_line(text)
            case _:
                continue
    return ""


def render_table_lines(table: Table, max_cell_length: int = _MAX_CELL_LENGTH) -> list[str]:
    """Render a table in aligned columns. Cells longer than `max_cell_length` are truncated."""
    rows = [[sanitize_line(cell) for cell in row] for row in table.rows]
    headings = [sanitize_line(heading) for heading in table.columns]
    visible_rows = [
        [_truncate(cell, max_cell_length) for cell in row] for row in ([headings] if any(headings) else []) + rows
    ]
    if not rows:
        visible_rows.append(["nothing"])
    widths = [
        max((cell_len(row[index]) for row in visible_rows if index < len(row)), default=0)
        for index in range(len(headings))
    ]
    return [_align_row(row, widths) for row in visible_rows]


def list_form_values(form: Form) -> tuple[tuple[str, str], ...]:
    """Return the labels and current values of a form's fields."""
    return tuple((field.label + (" (changed)" if field.changed else ""), field.value) for field in form.fields)


def format_edit_hint(command: str, field: FormField) -> str:
    """Return the hint how to set a value by a command, for places without input fields."""
    return f"To change it, send: {append_field_key(command, field)}…"


def has_cut_cells(table: Table) -> bool:
    return any(len(sanitize_line(cell)) > _MAX_CELL_LENGTH for row in table.rows for cell in row)


def _align_row(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=False))
    return "  ".join(cells).rstrip()


def _truncate(cell: str, max_length: int) -> str:
    return cell if len(cell) <= max_length else cell[: max_length - 1] + "…"


def _render_lines(block: Block) -> Iterator[str]:
    match block:
        case Text():
            yield sanitize_text(block.text)
        case Code():
            yield sanitize_log(block.text)
        case Fields():
            yield from (f"{sanitize_line(label)}: {sanitize_text(value)}" for label, value in block.items)
        case Table():
            max_length = max((len(cell) for row in block.rows for cell in row), default=0)
            yield from render_table_lines(block, max(max_length, _MAX_CELL_LENGTH))
        case Buttons():
            yield from map(_format_button, block.buttons)
            yield from (f"{sanitize_line(link.label)}: {sanitize_line(link.address)}" for link in block.links)
        case Choice():
            yield sanitize_text(block.question)
            yield from map(_format_button, block.options)
        case Picture():
            yield sanitize_text(block.caption)
        case TextFile():
            yield sanitize_text(block.caption)
            yield sanitize_log(block.text)
        case Form():
            yield sanitize_line(block.title)
            yield from (
                f"{sanitize_line(label)}: {sanitize_text(value)}" for label, value in list_form_values(block)
            )
            yield from (sanitize_line(format_edit_hint(block.command, field)) for field in block.fields[:1])


def _format_button(button: Button) -> str:
    return f"{sanitize_line(button.label)}: {sanitize_line(button.command)}"
