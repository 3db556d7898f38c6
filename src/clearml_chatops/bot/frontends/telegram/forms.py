"""Forms for a platform without forms: the values as text, and a button for each that asks for a new one."""

from collections.abc import Iterator
from itertools import groupby

from clearml_chatops.bot.frontends.sanitizing import sanitize_line, sanitize_text
from clearml_chatops.bot.frontends.telegram.keyboards import Rows, arrange_rows, build_key
from clearml_chatops.bot.frontends.telegram.spans import Span
from clearml_chatops.handlers.forms import append_field_key
from clearml_chatops.models.actions import Action
from clearml_chatops.models.replies import FieldKind, Form, FormField

MAX_FIELDS = 30
"""Fields that a phone shows well; the others can be typed."""

_MAX_VALUE_LENGTH = 80
"""Characters of a value in the list. The question shows up to 1000."""

_MAX_CURRENT_VALUE_LENGTH = 1000
_MAX_LABEL_LENGTH = 200
_MAX_NOTE_LENGTH = 500
_CHANGED_MARK = "● "
_CURRENT_VALUE_PREFIX = "\nNow: "
_EXPERIMENT_QUESTION = "Which experiment? Send its id, part of its name, or its web link."


def render_form(form: Form) -> list[Span]:
    """Return the title and the values, with a mark at changed ones."""
    spans = [Span(_truncate(sanitize_line(form.title), _MAX_LABEL_LENGTH), "b")]
    for group, fields in groupby(form.fields[:MAX_FIELDS], lambda field: field.group):
        if group:
            spans += [Span("\n"), Span(_truncate(sanitize_line(group), _MAX_LABEL_LENGTH), "i")]
        for field in fields:
            spans += _render_field(field)
    omitted_fields = form.fields[MAX_FIELDS:]
    if omitted_fields:
        example_line = _truncate(
            sanitize_line(append_field_key(form.command, omitted_fields[0])), _MAX_LABEL_LENGTH
        )
        spans.append(
            Span(f"\n{len(omitted_fields):,} more aren't shown. To change one of them, send: {example_line}…")
        )
    return spans


def build_form_rows(form: Form) -> Rows:
    """Return one button for each field, which asks for its value."""
    return arrange_rows(
        build_key(f"{_CHANGED_MARK if field.changed else ''}{field.label}", build_question(form, field))
        for field in form.fields[:MAX_FIELDS]
    )


def find_single_question(form: Form) -> Action | None:
    """Return the question of a form with nothing to show: a single positional value, and it is empty."""
    if len(form.fields) != 1 or not form.fields[0].positional or form.fields[0].value:
        return None
    action = build_question(form, form.fields[0])
    return Action(action.command, f"{_truncate(form.title, _MAX_LABEL_LENGTH)}\n{action.question}")


def build_question(form: Form, field: FormField) -> Action:
    """Return the action that asks for a field's value. Its command line plus the answer changes the value."""
    parts = (part for part in (field.group, field.label) if part)
    lines = [_truncate(" · ".join(parts), _MAX_LABEL_LENGTH)]
    if field.kind is FieldKind.EXPERIMENT:
        lines.append(_EXPERIMENT_QUESTION)
    if field.kind is FieldKind.LONG_TEXT:
        lines.append("It can have several lines.")
    if field.hint:
        lines.append(_truncate(field.hint, _MAX_NOTE_LENGTH))
    question = "\n".join(lines)
    if field.value:
        question += _CURRENT_VALUE_PREFIX + _truncate(field.value, _MAX_CURRENT_VALUE_LENGTH)
    return Action(append_field_key(form.command, field), question)


def parse_current_value(question: str) -> str:
    """Return the current value in a question; an empty string if it has none."""
    return question.partition(_CURRENT_VALUE_PREFIX)[2]


def _render_field(field: FormField) -> Iterator[Span]:
    yield Span("\n" + (_CHANGED_MARK if field.changed else ""))
    yield Span(f"{_truncate(sanitize_line(field.label), _MAX_VALUE_LENGTH)}:", "b")
    yield Span(f" {_truncate(sanitize_text(field.value).replace(chr(10), ' ↵ '), _MAX_VALUE_LENGTH) or '—'}")


def _truncate(text: str, max_length: int) -> str:
    return text if len(text) <= max_length else text[: max_length - 1] + "…"
