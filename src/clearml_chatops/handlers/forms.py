"""Forms and command lines: which line asks for a form, and which line a filled-in form is."""

from collections.abc import Iterable, Mapping

from clearml_chatops.handlers.lines import Word, has_typography, join_words, split_words, undo_typography
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
    if command.form_words is None or len(rest) > command.form_words:
        return False
    return not any(word.key is not None or word.text.startswith("--") for word in rest)


def filled_line(form: Form, values: Mapping[str, str]) -> str:
    """The command line of a form that was filled in with these values, by the names of the fields.

    What was left as it is stays out of the line, so that it does not undo what others changed meanwhile.
    """
    given = [(field, _plain_lines(values.get(field.name, field.value))) for field in form.fields]
    return line_with(
        form.command,
        [
            (field, value)
            for field, value in given
            if value != _plain_lines(field.value) or (field.positional and value)
        ],
    )


def line_with(command: str, answers: Iterable[tuple[FormField, str]]) -> str:
    """The command line with these values behind it, each beside the field as it was before."""
    for field, value in answers:
        text = _plain_lines(value)
        # A value that had “such quotes” before a person edited it did not get them from his phone.
        text = text if has_typography(field.value) else undo_typography(text)
        command = line_asking(command, field) + _as_one_word(text)
    return command


def line_asking(command: str, field: FormField) -> str:
    """The line behind which one field's value belongs."""
    return f"{command} " if field.positional else f"{command} {field.name}="


def answered_line(line: str, answer: str) -> str:
    """The line with a text behind it, as one word whatever is in it."""
    return line + _as_one_word(undo_typography(_plain_lines(answer)))


def _plain_lines(text: str) -> str:
    """The text with the line ends that programs expect: forms in browsers send those of the telegraph."""
    return text.replace("\r\n", "\n")


def _as_one_word(text: str) -> str:
    return join_words([Word(text, quoted=True)])
