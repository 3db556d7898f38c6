"""Forms on a platform that has none: the values as text, and a button for each that asks for another."""

from collections.abc import Iterator
from itertools import groupby

from clearml_chatops.bot.frontends.telegram.keyboards import Rows, key, side_by_side
from clearml_chatops.bot.frontends.telegram.spans import Span
from clearml_chatops.bot.frontends.visible import visible, visible_line
from clearml_chatops.handlers.forms import line_asking
from clearml_chatops.models.actions import Action
from clearml_chatops.models.replies import FieldKind, Form, FormField

MOST_FIELDS = 30
"""Fields that one looks through on a phone; the others are typed."""

_LONGEST_VALUE = 80
"""Characters of a value in the list. The question shows more of it."""

_LONGEST_PRESENT_VALUE = 1000
_LONGEST_LABEL = 200
_LONGEST_NOTE = 500
_CHANGED = "● "
_NOW = "\nNow: "
_ASKS_FOR_EXPERIMENT = "Which experiment? Its id, a part of its name, or its web link."


def form_spans(form: Form) -> list[Span]:
    """The title and the values, with a mark at those that are changed."""
    spans = [Span(_cut(visible_line(form.title), _LONGEST_LABEL), "b")]
    for group, fields in groupby(form.fields[:MOST_FIELDS], lambda field: field.group):
        if group:
            spans += [Span("\n"), Span(_cut(visible_line(group), _LONGEST_LABEL), "i")]
        for field in fields:
            spans += _value_line(field)
    left_out = form.fields[MOST_FIELDS:]
    if left_out:
        typed = _cut(visible_line(line_asking(form.command, left_out[0])), _LONGEST_LABEL)
        spans.append(Span(f"\n{len(left_out):,} more are not shown; send their new values like this: {typed}…"))
    return spans


def form_rows(form: Form) -> Rows:
    """One button a field, which asks for its value."""
    return side_by_side(
        key(f"{_CHANGED if field.changed else ''}{field.label}", action_of(form, field))
        for field in form.fields[:MOST_FIELDS]
    )


def asked_at_once(form: Form) -> Action | None:
    """The question of a form that has nothing to show: one value that the command needs, and it is empty."""
    if len(form.fields) != 1 or not form.fields[0].positional or form.fields[0].value:
        return None
    asking = action_of(form, form.fields[0])
    return Action(asking.line, f"{_cut(form.title, _LONGEST_LABEL)}\n{asking.question}")


def action_of(form: Form, field: FormField) -> Action:
    """Asks for the value of a field; the answer behind its line changes it."""
    parts = (part for part in (field.group, field.label) if part)
    asked = [_cut(" · ".join(parts), _LONGEST_LABEL)]
    if field.kind is FieldKind.EXPERIMENT:
        asked.append(_ASKS_FOR_EXPERIMENT)
    if field.kind is FieldKind.LONG_TEXT:
        asked.append("It may have several lines.")
    if field.note:
        asked.append(_cut(field.note, _LONGEST_NOTE))
    question = "\n".join(asked)
    if field.value:
        question += _NOW + _cut(field.value, _LONGEST_PRESENT_VALUE)
    return Action(line_asking(form.command, field), question)


def present_value(question: str) -> str:
    """What the value is that a question asks for; empty where it has none."""
    return question.partition(_NOW)[2]


def _value_line(field: FormField) -> Iterator[Span]:
    yield Span("\n" + (_CHANGED if field.changed else ""))
    yield Span(f"{_cut(visible_line(field.label), _LONGEST_VALUE)}:", "b")
    yield Span(f" {_cut(visible(field.value).replace(chr(10), ' ↵ '), _LONGEST_VALUE) or '—'}")


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
