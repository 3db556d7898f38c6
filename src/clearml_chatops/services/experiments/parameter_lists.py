"""List values of hyper-parameters: reading what people type, and writing it as ClearML does. Pure functions.

ClearML's SDK writes lists of command-line arguments as Python does, and lists of connected dictionaries as JSON.
It reads both as YAML, where a backslash has a meaning only in double quotes.
"""

import ast
import json
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from enum import Enum


class Notation(Enum):
    """How a list is written: `['a', True]` or `["a", true]`."""

    PYTHON = "python"
    JSON = "json"


_CLOSERS = {"[": "]", "(": ")", "{": "}"}
_LIST_BRACKETS = ("[", "(")
_SEPARATOR = re.compile(
    r"""(?<![^\s,:\[({])(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")  # a quoted text at the start of an element
    | [\[\](){},]
    """,
    re.VERBOSE | re.DOTALL,
)
_QUOTED = re.compile(r"""'.*'|".*\"""", re.DOTALL)
_PORTABLE_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]\d+)?")
"""Numbers that Python, JSON and YAML all read as the same number."""

_TRUE_WORDS, _FALSE_WORDS = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}
_LITERAL_ERRORS = (ValueError, TypeError, SyntaxError, MemoryError, RecursionError)


def parse_list(text: str) -> list[object] | None:
    """Return the elements of a stored list or tuple; None if the text is neither."""
    if not text.strip().startswith(_LIST_BRACKETS):
        return None
    try:
        value = parse_literal(text)
    except ValueError:
        return None
    return list(value) if isinstance(value, list | tuple) else None


def infer_element_type(elements: Sequence[object]) -> str:
    """Return "bool", "int", "float", "str" or "list" if all elements are that, else an empty string."""
    types = {"list" if isinstance(item, list | tuple) else type(item).__name__ for item in elements}
    if types == {"int", "float"}:
        return "float"
    return types.pop() if len(types) == 1 and types <= _FORMATTERS.keys() else ""


def is_bracketed(text: str) -> bool:
    """Return whether a text is typed as a list, in brackets or parentheses."""
    return text.strip().startswith(_LIST_BRACKETS)


def format_list(
    text: str, element_type: str, *, as_tuple: bool = False, notation: Notation = Notation.PYTHON
) -> str:
    """Return a typed list as ClearML writes it: `4,5`, `[4,5]` or `(4, 5)`, also a single element.

    Raises:
        ValueError: a bracket isn't closed, or an element is not of the type.
    """
    format_element = _FORMATTERS[element_type]
    elements = [format_element(item, notation) for item in _split_elements(text, element_type)]
    if not as_tuple:
        return f"[{', '.join(elements)}]"
    return f"({elements[0]},)" if len(elements) == 1 else f"({', '.join(elements)})"


def parse_bool(text: str) -> bool:
    """Return the meaning of true, false, on, off and the like. Raises ValueError for another word."""
    word = text.strip().casefold()
    if word not in _TRUE_WORDS | _FALSE_WORDS:
        raise ValueError(text)
    return word in _TRUE_WORDS


def parse_literal(text: str) -> object:
    """Return the value that a text has in Python or in JSON. Raises ValueError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about unknown escapes, which stay as they are
            return ast.literal_eval(text.strip())
    except _LITERAL_ERRORS as error:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError(text) from error


def _split_elements(text: str, element_type: str) -> list[str]:
    parts = _split_at_commas(text)
    if len(parts) == 1 and parts[0].startswith(_LIST_BRACKETS) and not text.rstrip().endswith(","):
        parts = _split_at_commas(parts[0][1:-1])
    if len(parts) == 1 and element_type in {"int", "float", "bool"}:
        return parts[0].split()
    if not all(parts):
        raise ValueError(text)
    return parts


def _split_at_commas(text: str) -> list[str]:
    """Return the texts between commas that are in no brackets and quotes; a comma at the end is ignored."""
    parts: list[str] = []
    closers: list[str] = []
    start = 0
    for match in _SEPARATOR.finditer(text):
        bracket = match[0]
        if bracket in _CLOSERS:
            closers.append(_CLOSERS[bracket])
        elif bracket in _CLOSERS.values():
            if not closers or closers.pop() != bracket:
                raise ValueError(text)
        elif bracket == "," and not closers:
            parts.append(text[start : match.start()].strip())
            start = match.end()
    if closers:
        raise ValueError(text)
    last = text[start:].strip()
    return [*parts, last] if last else parts


def _unquote(text: str) -> str:
    if not _QUOTED.fullmatch(text):
        return text
    try:
        return str(parse_literal(text))
    except ValueError:
        return text[1:-1]


def _format_int(text: str, _notation: Notation) -> str:
    return str(int(_unquote(text)))


def _format_float(text: str, notation: Notation) -> str:
    number = _unquote(text)
    value = float(number)
    if _PORTABLE_NUMBER.fullmatch(number):
        return number
    return json.dumps(value) if notation is Notation.JSON else repr(value)


def _format_bool(text: str, notation: Notation) -> str:
    return _format_value(parse_bool(_unquote(text)), notation)


def _format_text(text: str, notation: Notation) -> str:
    return _format_value(_unquote(text), notation)


def _format_nested(text: str, notation: Notation) -> str:
    value = parse_literal(text)
    if not isinstance(value, list | tuple):
        raise ValueError(text)  # noqa: TRY004  # the one error of all formatters
    return _format_value(value, notation)


def _format_any(text: str, notation: Notation) -> str:
    try:
        value = parse_literal(text)
    except ValueError:
        value = text
    return _format_value(value, notation)


def _format_value(value: object, notation: Notation) -> str:
    if notation is Notation.JSON:
        try:
            return json.dumps(value, ensure_ascii=False)
        except TypeError as error:
            raise ValueError(value) from error
    match value:
        case str():
            return _quote(value)
        case list() | tuple():
            return f"[{', '.join(_format_value(item, notation) for item in value)}]"
        case _:
            return repr(value)


def _quote(text: str) -> str:
    """Return a string as Python writes it, or as JSON if it needs a backslash: YAML reads that only there."""
    literal = repr(text)
    if "\\" not in literal:
        return literal
    escaped = "".join(
        letter if letter.isprintable() and letter not in '"\\' else json.dumps(letter)[1:-1] for letter in text
    )
    return f'"{escaped}"'


_FORMATTERS: Mapping[str, Callable[[str, Notation], str]] = {
    "int": _format_int,
    "float": _format_float,
    "bool": _format_bool,
    "str": _format_text,
    "list": _format_nested,
    "": _format_any,
}
