"""Forms and command lines: which line asks for a form, and which line a filled-in form is."""

from collections.abc import Iterable, Mapping

from clearml_chatops.handlers.command_line import Word, has_typography, join_words, split_words, undo_typography
from clearml_chatops.handlers.registry import Registry
from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.models.replies import Form, FormField


def opens_form(registry: Registry, line: str) -> bool:
    """Whether a line names a command but no values for it, so that its answer is a form.

    A front end that must open a window before it can ask the dispatcher knows it from this.
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
    """The command line of a form that was filled in with these values, by the names of the fields.

    What was left as it is stays out of the line, so that it does not undo what others changed meanwhile.
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
    """The command line with these values behind it, each beside the field as it was before."""
    for field, value in answers:
        text = _normalize_newlines(value)
        # A value that had “such quotes” before a person edited it did not get them from his phone.
        text = text if has_typography(field.value) else undo_typography(text)
        command = append_field_key(command, field) + _quote_as_word(text)
    return command


def append_field_key(command: str, field: FormField) -> str:
    """The line behind which one field's value belongs."""
    return f"{command} " if field.positional else f"{command} {field.name}="


def append_answer(line: str, answer: str) -> str:
    """The line with a text behind it, as one word whatever is in it."""
    return line + _quote_as_word(undo_typography(_normalize_newlines(answer)))


def _normalize_newlines(text: str) -> str:
    """The text with the line ends that programs expect: forms in browsers send those of the telegraph."""
    return text.replace("\r\n", "\n")


def _quote_as_word(text: str) -> str:
    return join_words([Word(text, quoted=True)])
