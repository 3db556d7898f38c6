"""Buttons that repeat a line with a corrected name or value of a parameter."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from clearml_chatops.handlers.assignments import build_assignment, is_typable
from clearml_chatops.handlers.command_line import Word, join_words
from clearml_chatops.models.errors import InvalidParameterValueError, ParameterNameError, ParameterNotFoundError
from clearml_chatops.models.replies import Button

Pairs = Sequence[tuple[str, str]]
LineBuilder = Callable[[str, Pairs], str]
"""Builds the line for an experiment's id, because another experiment may be current when the button is pressed."""


@contextmanager
def offer_corrections(pairs: Pairs, build_line: LineBuilder, *, can_add: bool = False) -> Iterator[None]:
    """Add buttons to an error about one of these pairs; with `can_add`, also one that adds the parameter."""
    try:
        yield
    except ParameterNameError as error:
        error.buttons = (*_build_name_buttons(error, pairs, build_line), *error.buttons)
        if can_add and isinstance(error, ParameterNotFoundError) and is_typable(error.typed_name):
            line = f"{build_line(error.experiment_id, pairs)} --new"
            error.buttons = (*error.buttons, Button(f"Add {error.typed_name}", line))
        raise
    except InvalidParameterValueError as error:
        error.buttons = _build_value_buttons(error, pairs, build_line)
        raise


def build_line(words: Sequence[Word], pairs: Pairs) -> str:
    """Return the line of these words and pairs."""
    return join_words([*words, *(build_assignment(name, value) for name, value in pairs)])


def _build_name_buttons(error: ParameterNameError, pairs: Pairs, build_line: LineBuilder) -> Iterator[Button]:
    for name in filter(is_typable, error.corrections):
        corrected = [(name if typed == error.typed_name else typed, value) for typed, value in pairs]
        yield Button(name, build_line(error.experiment_id, corrected))


def _build_value_buttons(
    error: InvalidParameterValueError, pairs: Pairs, build_line: LineBuilder
) -> tuple[Button, ...]:
    return tuple(
        Button(
            f"{error.typed_name} = {value}",
            build_line(
                error.experiment_id,
                [(name, value if name == error.typed_name else typed) for name, typed in pairs],
            ),
        )
        for value in error.corrections
        if is_typable(error.typed_name)
    )
