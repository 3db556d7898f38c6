"""Buttons that repeat a line with a corrected name or value of a parameter."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from clearml_chatops.handlers.assignments import build_assignment, is_typable
from clearml_chatops.handlers.command_line import Word, join_words
from clearml_chatops.models.errors import (
    InvalidParameterValueError,
    InvalidParameterValuesError,
    ParameterNameError,
    ParameterNotFoundError,
)
from clearml_chatops.models.replies import Button

Pairs = Sequence[tuple[str, str]]
LineBuilder = Callable[[str, Pairs], str]
"""Builds the line for an experiment's id, because another experiment may be current when the button is pressed."""


@contextmanager
def offer_corrections(pairs: Pairs, build_line: LineBuilder) -> Iterator[None]:
    """Add buttons to an error about one of these pairs."""
    try:
        yield
    except ParameterNameError as error:
        error.buttons = tuple(_build_name_buttons(error, pairs, build_line))
        raise
    except InvalidParameterValueError as error:
        error.buttons = tuple(_build_value_buttons(error, pairs, build_line))
        raise
    except InvalidParameterValuesError as error:
        error.buttons = tuple(_build_all_values_button(error, pairs, build_line))
        raise


@contextmanager
def offer_edits(pairs: Pairs, build_line: LineBuilder) -> Iterator[None]:
    """Add buttons to an error about a Draft: those of `offer_corrections`, to add the parameter, or to see all."""
    try:
        with offer_corrections(pairs, build_line):
            yield
    except ParameterNotFoundError as error:
        if is_typable(error.typed_name):
            line = f"{build_line(error.experiment_id, pairs)} --new"
            error.buttons = (*error.buttons, Button(f"Add {error.typed_name}", line))
        raise
    except (InvalidParameterValueError, InvalidParameterValuesError) as error:
        error.buttons = (*error.buttons, Button("Edit parameters", f"/set {error.experiment_id}"))
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
) -> Iterator[Button]:
    for value in error.corrections if is_typable(error.typed_name) else ():
        corrected = [(name, value if name == error.typed_name else typed) for name, typed in pairs]
        yield Button(f"{error.typed_name} = {value}", build_line(error.experiment_id, corrected))


def _build_all_values_button(
    error: InvalidParameterValuesError, pairs: Pairs, build_line: LineBuilder
) -> Iterator[Button]:
    """Offer to correct all values at once, if it's clear how each is meant."""
    corrections = {item.typed_name: item.corrections[0] for item in error.errors if item.corrections}
    if len(corrections) == len(error.errors) and all(map(is_typable, corrections)):
        label = ", ".join(f"{name} = {value}" for name, value in corrections.items())
        corrected = [(name, corrections.get(name, typed)) for name, typed in pairs]
        yield Button(label, build_line(error.experiment_id, corrected))
