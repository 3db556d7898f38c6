"""Documents: the JSON-like dictionaries that the server stores and answers with."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import uuid4

Document = dict[str, Any]

MISSING = object()


def generate_id() -> str:
    """32 hex digits, the form of every id of a ClearML server."""
    return uuid4().hex


def truncate_to_milliseconds(moment: datetime) -> datetime:
    """The moment as MongoDB keeps it: whole milliseconds.

    Replies to a change tell the moment in microseconds, later reads in milliseconds; a cursor taken from
    the former does not find the latter again. The sandbox keeps that trap.
    """
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def get_value_at(document: Document, path: str) -> Any:
    """The value at a dotted path, MISSING where there is none."""
    value: Any = document
    for step in path.split("."):
        if not isinstance(value, dict) or step not in value:
            return MISSING
        value = value[step]
    return value


def set_value_at(document: Document, path: str, value: Any) -> None:
    """Sets the value at a dotted path, making the dictionaries on the way."""
    *parents, last = path.split(".")
    for step in parents:
        document = document.setdefault(step, {})
    document[last] = value


def find_strings(value: Any) -> Iterator[str]:
    """The strings that a value holds, for searching."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from find_strings(item)
