"""Forms on the terminal: the current values, and the command line to change them."""

from collections.abc import Iterator
from itertools import groupby

from rich.cells import cell_len
from rich.console import RenderableType

from clearml_chatops.bot.frontends.console.layout import HangingIndent, Prose, Stack
from clearml_chatops.bot.frontends.sanitizing import sanitize_line, sanitize_text
from clearml_chatops.handlers.forms import append_field_key
from clearml_chatops.models.replies import Form, FormField

_MAX_LABEL_WIDTH = 24
"""Columns. The value of a longer label goes on the next line."""

_MAX_EXAMPLE_FIELDS = 3
_CHANGED_MARK = "* "
_UNCHANGED_MARK = "  "


def render_form(form: Form) -> RenderableType:
    """Return the fields in their groups, with a mark where they differ from the parent, and an example line."""
    bodies: list[RenderableType | None] = [Prose(sanitize_line(form.title), "bold")]
    width = max((size for field in form.fields if (size := _measure_label(field)) <= _MAX_LABEL_WIDTH), default=0)
    for group, fields in groupby(form.fields, key=lambda field: field.group):
        if group:
            bodies += [None, Prose(sanitize_line(group), "dim")]
        bodies += [body for field in fields for body in _render_field(field, width)]
    if any(field.changed for field in form.fields):
        bodies += [None, Prose(f"{_CHANGED_MARK}differs from the parent", "dim")]
    return Stack((*bodies, None, HangingIndent(Prose(sanitize_line(_build_example_line(form))), "Type: ", "dim")))


def _render_field(field: FormField, width: int) -> Iterator[RenderableType]:
    mark = _CHANGED_MARK if field.changed else _UNCHANGED_MARK
    label = mark + sanitize_line(field.label)
    value = Prose(sanitize_text(field.value) or "—", "" if field.value else "dim")
    if _measure_label(field) > width:
        yield Prose(label, "dim")
        yield HangingIndent(value, " " * (len(mark) + width + 2))
    else:
        yield HangingIndent(
            value, label + " " * (width - _measure_label(field) + 2), "yellow" if field.changed else "dim"
        )
    if field.hint:
        yield HangingIndent(Prose(sanitize_line(field.hint), "dim"), " " * (len(mark) + width + 2))


def _measure_label(field: FormField) -> int:
    return cell_len(sanitize_line(field.label))


def _build_example_line(form: Form) -> str:
    """Return the command line with placeholders for the values."""
    line = form.command
    for field in form.fields[:_MAX_EXAMPLE_FIELDS]:
        if field.positional:
            line += f" <{field.label}>" if field.required else f" [{field.label}]"
        else:
            line = f"{append_field_key(line, field)}…"
    return line + (" …" if len(form.fields) > _MAX_EXAMPLE_FIELDS else "")
