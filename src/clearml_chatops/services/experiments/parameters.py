"""Hyper-parameters by the names people write: finding them, checking values, merging changes.

All pure: from what was just read of ClearML and what was typed to what is to be written.
"""

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from clearml_chatops.models.errors import InvalidValueError, ParameterNotFoundError
from clearml_chatops.models.experiments import Experiment, Parameter, ParameterName
from clearml_chatops.services.similar_names import did_you_mean, similar_names

_DEFAULT_SECTIONS = {"args": "Args", "general": "General"}
_TRUE, _FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}
_CONTAINERS = {"list": list, "tuple": tuple, "dict": dict}
_NEVER_EMPTY = {"int", "float", "bool"}
_MOST_NAMED = 3


def split_name(text: str) -> ParameterName:
    """Section and name of `args.lr` or `Args/lr`; the section is empty where none is written.

    The first separator ends the section: names have dots and slashes of their own, as `Args/model.lr`.
    """
    match = re.fullmatch(r"([^./]+)[./](.+)", text, re.DOTALL)
    return ParameterName(match[1], match[2]) if match else ParameterName("", text)


def find_parameter(parameters: Sequence[Parameter], text: str) -> Parameter | None:
    """The parameter that a person means, without regard to case; None where there is none or it is unclear."""
    alike = _alike(parameters, text)
    exact = [item for item in alike if text in _spellings(item)]
    same_name = [item for item in alike if text.endswith(item.name)]
    return next((found[0] for found in (exact, same_name, alike) if len(found) == 1), None)


def planned_parameters(
    experiment: Experiment, assignments: Iterable[tuple[str, str]], *, allow_new: bool
) -> list[Parameter]:
    """The parameters to write for these assignments: type and description kept, the value checked.

    Raises:
        ParameterNotFoundError: there is no such parameter and `allow_new` is not set.
        InvalidValueError: the value is not of the parameter's type.
    """
    planned: dict[ParameterName, Parameter] = {}
    for name, value in assignments:
        parameter = find_parameter(experiment.parameters, name)
        if parameter is None:
            if not allow_new:
                raise _not_found(experiment, name, "/params shows them all; --new creates it.")
            parameter = _new_parameter(experiment.parameters, name)
        planned[parameter.key] = replace(parameter, value=checked_value(parameter, value))
    return list(planned.values())


def named_parameters(experiment: Experiment, names: Iterable[str]) -> list[Parameter]:
    """The parameters with these names. Raises ParameterNotFoundError."""
    found = []
    for name in names:
        parameter = find_parameter(experiment.parameters, name)
        if parameter is None:
            raise _not_found(experiment, name, "/params shows them all.")
        found.append(parameter)
    return found


def checked_value(parameter: Parameter, value: str) -> str:
    """The value as the parameter's type writes it. Raises InvalidValueError where it is not of that type."""
    declared = (parameter.type or "").rpartition(".")[2].casefold()
    if not value and declared in _NEVER_EMPTY and parameter.value:
        advice = f"write one, or remove the parameter with /unset {parameter.section.lower()}.{parameter.name}."
        raise _invalid(parameter, value, "a value", advice)
    if not value:
        return value
    if declared == "bool":
        if value.casefold() in _TRUE | _FALSE:
            return str(value.casefold() in _TRUE)
        raise _invalid(parameter, value, "a bool", "write true or false.")
    if declared in {"int", "float"}:
        try:
            (int if declared == "int" else float)(value)
        except ValueError as error:
            example = "3" if declared == "int" else "0.05"
            raise _invalid(parameter, value, f"of type {declared}", f"write a number like {example}.") from error
    elif declared in _CONTAINERS:
        try:
            literal = ast.literal_eval(value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
            raise _invalid(parameter, value, f"a {declared}", "write it as in Python, in quotes.") from error
        if not isinstance(literal, _CONTAINERS[declared]):
            raise _invalid(parameter, value, f"a {declared}", "write it as in Python, in quotes.")
    return value


def merged(parameters: Sequence[Parameter], changes: Iterable[Parameter]) -> list[Parameter]:
    """All parameters, with the changed ones in place of the former."""
    by_key = {item.key: item for item in parameters}
    by_key.update({item.key: item for item in changes})
    return list(by_key.values())


def _alike(parameters: Sequence[Parameter], text: str) -> list[Parameter]:
    """Those with this section and name in any case; where there are none, those with this name alone."""
    wanted = text.casefold()
    full = [item for item in parameters if wanted in {spelling.casefold() for spelling in _spellings(item)}]
    return full or [item for item in parameters if item.name.casefold() == wanted]


def _spellings(parameter: Parameter) -> set[str]:
    return {str(parameter.key), f"{parameter.section}.{parameter.name}"}


def _suggested(parameter: Parameter) -> str:
    return f"{parameter.section.lower()}.{parameter.name}"


def _new_parameter(parameters: Sequence[Parameter], name: str) -> Parameter:
    wanted = split_name(name)
    section = next(
        (item.section for item in parameters if item.section.casefold() == wanted.section.casefold()),
        _DEFAULT_SECTIONS.get(wanted.section.casefold(), wanted.section or "General"),
    )
    return Parameter(section=section, name=wanted.name, value="")


def _not_found(experiment: Experiment, name: str, advice: str) -> ParameterNotFoundError:
    parameters = experiment.parameters
    nearest = [str(item.key) for item in _alike(parameters, name)]
    if not nearest:
        nearest = similar_names(name, [_suggested(item) for item in parameters])
    if not nearest:
        names = similar_names(name, {item.name for item in parameters})
        nearest = [_suggested(item) for wanted in names for item in parameters if item.name == wanted]
    return ParameterNotFoundError(
        experiment=experiment.name, name=name, nearest=did_you_mean(nearest[:_MOST_NAMED]), advice=advice
    )


def _invalid(parameter: Parameter, value: str, expected: str, advice: str) -> InvalidValueError:
    return InvalidValueError(value=value, expected=expected, name=str(parameter.key), advice=advice)
