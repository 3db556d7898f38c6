"""Forms and command lines: which lines open a form, and the line that a filled-in form stands for."""

from collections.abc import Iterable, Mapping

from clearml_chatops.handlers.command_line import (
    Word,
    format_key,
    has_typography,
    join_words,
    split_words,
    undo_typography,
)
from clearml_chatops.handlers.registry import Registry
from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.models.replies import Form, FormField


def opens_form(registry: Registry, line: str) -> bool:
    """Return whether a line names a command without values, and so gets a form as its reply.

    For front ends that must open a modal before they can call the dispatcher.
    """
    try:
        words = split_words(line)
        command, used = registry.find([word.text for word in words], terminal=False)
    except ChatOpsError:
        return False
    rest = words[used:]
    if command.max_form_words is None or len(rest) > command.max_form_words:
        return False
    return not any(word.key is not None or word.text.startswith("--") for word in rest)


def build_filled_line(form: Form, values: Mapping[str, str]) -> str:
    """Return the command line of a filled-in form. `values` are the entered texts by field name.

    Fields that were left unchanged are not in the line: they would undo what others changed meanwhile.
    """
    answers = [(field, _normalize_newlines(values.get(field.name, field.value))) for field in form.fields]
    return append_answers(
        form.command,
        [
            (field, value)
            for field, value in answers
            if value != _normalize_newlines(field.value) or (field.positional and value)
        ],
    )


def append_answers(command: str, answers: Iterable[tuple[FormField, str]]) -> str:
    """Return the command line with these values appended. Each comes with its field as it was before."""
    for field, value in answers:
        text = _normalize_newlines(value)
        # If the value already had typographic quotes before it was edited, they are meant.
        text = text if has_typography(field.value) else undo_typography(text)
        command = append_field_key(command, field) + _quote_as_word(text)
    return command


def append_field_key(command: str, field: FormField) -> str:
    """Return the line to which the value of a field is appended."""
    return f"{command} " if field.positional else f"{command} {format_key(field.name)}="


def append_answer(line: str, answer: str) -> str:
    """Return the line with a text appended as one word, whatever the text contains."""
    return line + _quote_as_word(undo_typography(_normalize_newlines(answer)))


def _normalize_newlines(text: str) -> str:
    """Return the text with Unix line ends; forms in browsers send Windows ones."""
    return text.replace("\r\n", "\n")


def _quote_as_word(text: str) -> str:
    return join_words([Word(text, quoted=True)])
