"""Checks of typed values against a hyper-parameter's type, and the form that ClearML stores. Pure functions."""

import json
import re
from collections.abc import Sequence
from contextlib import suppress

from clearml_chatops.models.errors import InvalidParameterValueError
from clearml_chatops.models.experiments import Parameter
from clearml_chatops.services.experiments.parameter_lists import (
    Notation,
    format_list,
    infer_element_type,
    is_bracketed,
    parse_bool,
    parse_list,
    parse_literal,
)

_ARGPARSE_SECTION = "Args"
_SCALAR_TYPES = {"int", "float", "bool"}
_LIST_TYPES = {"list", "tuple"}
_MINUS_SIGN = "\u2212"
_PADDED_NUMBER = re.compile(r"\b0\d")
"""The decimals of 0,05, which is one number and no list."""

_DICT_ADVICE = "Write it as in Python or JSON, like {'a': 1}."
_SCALAR_ADVICE = {
    "int": ("of type int", "Write a number like 3."),
    "float": ("of type float", "Write a number like 0.05."),
    "bool": ("a bool", "Write true or false."),
}
_LIST_ADVICE = {
    "int": ("a list of whole numbers", "Write it like 4,5 or [4, 5]."),
    "float": ("a list of numbers", "Write it like 0.1,0.2 or [0.1, 0.2]."),
    "bool": ("a list of true and false", "Write it like true,false or [True, False]."),
    "list": ("a list of lists", "Write it like [[1, 2], [3, 4]]."),
    "": ("a list", "Write it like a,b or ['a', 'b'], and close all brackets."),
}


def normalize_value(parameter: Parameter, value: str) -> str:
    """Return a typed value as ClearML stores one of the parameter's type. Raises InvalidParameterValueError."""
    type_name, _ = _split_type(parameter)
    if not value:
        return _require_optional(parameter, type_name)
    if takes_list(parameter):
        return _normalize_list(parameter, value)
    if type_name == "dict":
        return _normalize_dict(parameter, value)
    if type_name not in _SCALAR_TYPES:
        return value
    if is_bracketed(value) and _may_become_list(parameter):
        return _normalize_list(parameter, value)
    return _normalize_scalar(parameter, type_name, value)


def takes_list(parameter: Parameter) -> bool:
    """Return whether a parameter is a list or a tuple, by its type or its present value."""
    type_name, _ = _split_type(parameter)
    return type_name in _LIST_TYPES or (type_name != "dict" and parse_list(parameter.value) is not None)


def _split_type(parameter: Parameter) -> tuple[str, str]:
    """Return the type and the type of its elements: `list/float` and `builtins.int` are written by the SDK."""
    type_name, _, element_type = (parameter.type or "").casefold().partition("/")
    return type_name.rpartition(".")[2], element_type


def _may_become_list(parameter: Parameter) -> bool:
    """Return whether the SDK can read a list for a scalar: an argument of argparse with `nargs`."""
    return parameter.section == _ARGPARSE_SECTION


def _get_element_type(parameter: Parameter) -> str:
    """Return the declared type of a list's elements, else what all present elements are."""
    type_name, element_type = _split_type(parameter)
    if type_name in _SCALAR_TYPES:
        return type_name
    if element_type in {*_SCALAR_TYPES, "str"}:
        return element_type
    inferred = infer_element_type(parse_list(parameter.value) or [])
    if type_name in _LIST_TYPES and inferred == "int":
        return "float"  # a plain list declares nothing, and a script that has 1 can mostly use 0.5
    # Without a type argparse reads strings, so these are what an empty list of arguments gets.
    return inferred or ("" if type_name in _LIST_TYPES or parse_list(parameter.value) else "str")


def _get_notation(parameter: Parameter) -> Notation:
    """Return how the SDK wrote a list: as JSON in connected dictionaries, else as Python."""
    if "/" in (parameter.type or ""):
        return Notation.JSON
    try:
        json.loads(parameter.value)
    except (ValueError, RecursionError):
        return Notation.PYTHON
    # Without a text in it, both write the same.
    return Notation.JSON if '"' in parameter.value else Notation.PYTHON


def _is_tuple(parameter: Parameter) -> bool:
    """Return whether to write parentheses, which the SDK reads in connected dictionaries but not for `nargs`."""
    type_name, element_type = _split_type(parameter)
    if parameter.section == _ARGPARSE_SECTION and type_name in {*_SCALAR_TYPES, "str"}:
        return False
    present = parameter.value.strip()
    return present.startswith("(") or (not present and type_name == "tuple" and not element_type)


def _normalize_list(parameter: Parameter, value: str) -> str:
    element_type = _get_element_type(parameter)
    try:
        return format_list(
            value.replace(_MINUS_SIGN, "-") if element_type in _SCALAR_TYPES else value,
            element_type,
            as_tuple=_is_tuple(parameter),
            notation=_get_notation(parameter),
        )
    except ValueError as error:
        expected, advice = _LIST_ADVICE.get(element_type, _LIST_ADVICE[""])
        raise _build_error(parameter, value, expected, advice) from error


def _normalize_dict(parameter: Parameter, value: str) -> str:
    try:
        content = parse_literal(value)
        if not isinstance(content, dict):
            raise _build_error(parameter, value, "a dict", _DICT_ADVICE)
        return json.dumps(content, ensure_ascii=False) if "/" in (parameter.type or "") else value
    except (ValueError, TypeError) as error:
        raise _build_error(parameter, value, "a dict", _DICT_ADVICE) from error


def _normalize_scalar(parameter: Parameter, type_name: str, value: str) -> str:
    text = value.strip().replace(_MINUS_SIGN, "-")
    try:
        if type_name == "bool":
            return str(parse_bool(text))
        (int if type_name == "int" else float)(text)
    except ValueError as error:
        expected, advice = _SCALAR_ADVICE[type_name]
        corrections = _list_corrections(parameter, type_name, text)
        raise _build_error(parameter, value, expected, advice, corrections) from error
    return text


def _list_corrections(parameter: Parameter, type_name: str, text: str) -> list[str]:
    """Return the valid values that a person can have meant: 0,05 as 0.05, 1e3 as 1000, 0,1 as a list."""
    corrections = []
    if type_name == "float" and _is_number(decimal := text.replace(",", ".", 1)):
        corrections.append(decimal)
    if type_name == "int" and _is_number(text) and float(text).is_integer():
        corrections.append(str(int(float(text))))
    if "," in text and _may_become_list(parameter) and not _PADDED_NUMBER.search(text):
        with suppress(ValueError):
            corrections.append(format_list(text, type_name))
    return corrections


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _require_optional(parameter: Parameter, type_name: str) -> str:
    """Return an empty value. Raises InvalidParameterValueError if the type has none and the parameter has one."""
    if type_name in _SCALAR_TYPES and parameter.value:
        name = f"{parameter.section.lower()}.{parameter.name}"
        advice = f"Write one, or remove the parameter with /unset {name}."
        raise _build_error(parameter, "", "a value", advice)
    return ""


def _build_error(
    parameter: Parameter, value: str, expected: str, advice: str, corrections: Sequence[str] = ()
) -> InvalidParameterValueError:
    return InvalidParameterValueError(
        name=str(parameter.key), value=value, expected=expected, advice=advice, corrections=corrections
    )
