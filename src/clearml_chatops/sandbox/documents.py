"""Documents: the JSON-like dictionaries that the server stores and answers with."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import uuid4

Document = dict[str, Any]

MISSING = object()


def generate_id() -> str:
    """Return 32 hex digits, the form of all ids of a ClearML server."""
    return uuid4().hex


def truncate_to_milliseconds(moment: datetime) -> datetime:
    """Return a time as MongoDB stores it: in whole milliseconds.

    The answer to a change has microseconds, later reads have milliseconds. A cursor taken from the former
    doesn't match the latter. The sandbox keeps that trap.
    """
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def get_value_at(document: Document, path: str) -> Any:
    """Return the value at a dotted path, or MISSING."""
    value: Any = document
    for step in path.split("."):
        if not isinstance(value, dict) or step not in value:
            return MISSING
        value = value[step]
    return value


def set_value_at(document: Document, path: str, value: Any) -> None:
    """Set the value at a dotted path. Create missing dictionaries on the way."""
    *parents, last = path.split(".")
    for step in parents:
        document = document.setdefault(step, {})
    document[last] = value


def find_strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from find_strings(item)
