"""A form as a terminal shows it: the values there are, and the line by which to change them."""

from collections.abc import Iterator
from itertools import groupby

from rich.cells import cell_len
from rich.console import RenderableType

from clearml_chatops.bot.frontends.console.layout import Hanging, Prose, Stack
from clearml_chatops.bot.frontends.visible import visible, visible_line
from clearml_chatops.handlers.forms import line_asking
from clearml_chatops.models.replies import Form, FormField

_WIDEST_LABEL = 24
"""Columns. The value behind a longer label stands on the next line."""

_MOST_NAMED = 3
_CHANGED = "* "
_UNCHANGED = "  "


def form(shown: Form) -> RenderableType:
    """The fields in their groups, what differs from the parent marked, and how to type it."""
    bodies: list[RenderableType | None] = [Prose(visible_line(shown.title), "bold")]
    width = max((size for field in shown.fields if (size := _label_width(field)) <= _WIDEST_LABEL), default=0)
    for group, fields in groupby(shown.fields, key=lambda field: field.group):
        if group:
            bodies += [None, Prose(visible_line(group), "dim")]
        bodies += [body for field in fields for body in _field(field, width)]
    if any(field.changed for field in shown.fields):
        bodies += [None, Prose(f"{_CHANGED}otherwise than the parent's", "dim")]
    return Stack((*bodies, None, Hanging(Prose(visible_line(_line_to_type(shown))), "Type: ", "dim")))


def _field(field: FormField, width: int) -> Iterator[RenderableType]:
    mark = _CHANGED if field.changed else _UNCHANGED
    label = mark + visible_line(field.label)
    value = Prose(visible(field.value) or "—", "" if field.value else "dim")
    if _label_width(field) > width:
        yield Prose(label, "dim")
        yield Hanging(value, " " * (len(mark) + width + 2))
    else:
        yield Hanging(value, label + " " * (width - _label_width(field) + 2), "yellow" if field.changed else "dim")
    if field.note:
        yield Hanging(Prose(visible_line(field.note), "dim"), " " * (len(mark) + width + 2))


def _label_width(field: FormField) -> int:
    return cell_len(visible_line(field.label))


def _line_to_type(shown: Form) -> str:
    """The command line with places for what a person puts in."""
    line = shown.command
    for field in shown.fields[:_MOST_NAMED]:
        if field.positional:
            line += f" <{field.label}>" if field.required else f" [{field.label}]"
        else:
            line = f"{line_asking(line, field)}…"
    return line + (" …" if len(shown.fields) > _MOST_NAMED else "")
