"""Hyper-parameters: lookup by typed names, value checks, and merging of changes. Pure functions."""

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from clearml_chatops.models.errors import InvalidValueError, ParameterNotFoundError
from clearml_chatops.models.experiments import Experiment, Parameter, ParameterName
from clearml_chatops.services.similar_names import find_similar_names, format_suggestion

_DEFAULT_SECTIONS = {"args": "Args", "general": "General"}
_TRUE_WORDS, _FALSE_WORDS = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}
_COLLECTION_TYPES = {"list": list, "tuple": tuple, "dict": dict}
_TYPES_WITHOUT_EMPTY_VALUE = {"int", "float", "bool"}
_MAX_SUGGESTIONS = 3


def split_name(text: str) -> ParameterName:
    """Return section and name of `args.lr` or `Args/lr`; the section is empty if none is given.

    The first separator ends the section, because names may contain dots and slashes, like `Args/model.lr`.
    """
    match = re.fullmatch(r"([^./]+)[./](.+)", text, re.DOTALL)
    return ParameterName(match[1], match[2]) if match else ParameterName("", text)


def find_parameter(parameters: Sequence[Parameter], text: str) -> Parameter | None:
    """Return the parameter with a typed name, ignoring case; None if there is none or it is ambiguous."""
    matching = _find_matching(parameters, text)
    exact = [item for item in matching if text in _list_spellings(item)]
    same_name = [item for item in matching if text.endswith(item.name)]
    return next((found[0] for found in (exact, same_name, matching) if len(found) == 1), None)


def resolve_assignments(
    experiment: Experiment, assignments: Iterable[tuple[str, str]], *, allow_new: bool
) -> list[Parameter]:
    """Return the parameters to write, with checked values and their types and descriptions.

    Raises:
        ParameterNotFoundError: a parameter does not exist and `allow_new` is not set.
        InvalidValueError: a value is not of the parameter's type.
    """
    changed: dict[ParameterName, Parameter] = {}
    for name, value in assignments:
        parameter = find_parameter(experiment.parameters, name)
        if parameter is None:
            if not allow_new:
                raise _build_not_found_error(experiment, name, "See all with /params, or add it with --new.")
            parameter = _build_new_parameter(experiment.parameters, name)
        changed[parameter.key] = replace(parameter, value=normalize_value(parameter, value))
    return list(changed.values())


def require_parameters(experiment: Experiment, names: Iterable[str]) -> list[Parameter]:
    """Return the parameters with these names. Raises ParameterNotFoundError."""
    found = []
    for name in names:
        parameter = find_parameter(experiment.parameters, name)
        if parameter is None:
            raise _build_not_found_error(experiment, name, "See all with /params.")
        found.append(parameter)
    return found


def normalize_value(parameter: Parameter, value: str) -> str:
    """Return the value in the form of the parameter's type. Raises InvalidValueError for another type."""
    type_name = (parameter.type or "").rpartition(".")[2].casefold()
    if not value and type_name in _TYPES_WITHOUT_EMPTY_VALUE and parameter.value:
        advice = f"Write one, or remove the parameter with /unset {_format_name(parameter)}."
        raise _build_invalid_value_error(parameter, value, "a value", advice)
    if not value:
        return value
    if type_name == "bool":
        if value.casefold() in _TRUE_WORDS | _FALSE_WORDS:
            return str(value.casefold() in _TRUE_WORDS)
        raise _build_invalid_value_error(parameter, value, "a bool", "Write true or false.")
    if type_name in {"int", "float"}:
        try:
            (int if type_name == "int" else float)(value)
        except ValueError as error:
            example = "3" if type_name == "int" else "0.05"
            raise _build_invalid_value_error(
                parameter, value, f"of type {type_name}", f"Write a number like {example}."
            ) from error
    elif type_name in _COLLECTION_TYPES:
        try:
            literal = ast.literal_eval(value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
            raise _build_invalid_value_error(
                parameter, value, f"a {type_name}", "Write it as in Python, in quotes."
            ) from error
        if not isinstance(literal, _COLLECTION_TYPES[type_name]):
            raise _build_invalid_value_error(
                parameter, value, f"a {type_name}", "Write it as in Python, in quotes."
            )
    return value


def merged(parameters: Sequence[Parameter], changes: Iterable[Parameter]) -> list[Parameter]:
    """Return all parameters, with `changes` replacing or added to the existing ones."""
    by_key = {item.key: item for item in parameters}
    by_key.update({item.key: item for item in changes})
    return list(by_key.values())


def _find_matching(parameters: Sequence[Parameter], text: str) -> list[Parameter]:
    """Return the parameters with this section and name, or else with this name, ignoring case."""
    folded_text = text.casefold()
    qualified = [
        item for item in parameters if folded_text in {spelling.casefold() for spelling in _list_spellings(item)}
    ]
    return qualified or [item for item in parameters if item.name.casefold() == folded_text]


def _list_spellings(parameter: Parameter) -> set[str]:
    return {str(parameter.key), f"{parameter.section}.{parameter.name}"}


def _format_name(parameter: Parameter) -> str:
    return f"{parameter.section.lower()}.{parameter.name}"


def _build_new_parameter(parameters: Sequence[Parameter], name: str) -> Parameter:
    new_name = split_name(name)
    section = next(
        (item.section for item in parameters if item.section.casefold() == new_name.section.casefold()),
        _DEFAULT_SECTIONS.get(new_name.section.casefold(), new_name.section or "General"),
    )
    return Parameter(section=section, name=new_name.name, value="")


def _build_not_found_error(experiment: Experiment, name: str, advice: str) -> ParameterNotFoundError:
    parameters = experiment.parameters
    nearest = [str(item.key) for item in _find_matching(parameters, name)]
    if not nearest:
        nearest = find_similar_names(name, [_format_name(item) for item in parameters])
    if not nearest:
        names = find_similar_names(name, {item.name for item in parameters})
        nearest = [
            _format_name(item) for similar_name in names for item in parameters if item.name == similar_name
        ]
    return ParameterNotFoundError(
        experiment=experiment.name, name=name, nearest=format_suggestion(nearest[:_MAX_SUGGESTIONS]), advice=advice
    )


def _build_invalid_value_error(parameter: Parameter, value: str, expected: str, advice: str) -> InvalidValueError:
    return InvalidValueError(value=value, expected=expected, name=str(parameter.key), advice=advice)
