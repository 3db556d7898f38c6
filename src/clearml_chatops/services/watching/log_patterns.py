"""Searches logs with regular expressions that people write. The only module that imports `regex`.

Unlike Python's `re`, that library supports timeouts and releases the GIL while it searches.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta

import regex

from clearml_chatops.models.errors import BadPatternError, InvalidValueError
from clearml_chatops.models.experiments import LogLine

MAX_PATTERN_LENGTH = 500
_MAX_LINE_LENGTH = 10_000
"""Characters of a line that are searched."""

_MIN_TIMEOUT = timedelta(milliseconds=1)


class SlowPatternError(Exception):
    """The pattern took too long to search the lines."""


def require_pattern(pattern: str) -> None:
    """Check a pattern.

    Raises:
        InvalidValueError: the pattern is empty or too long.
        BadPatternError: the pattern is invalid; the error gives the position, counted from 1.
    """
    if not pattern.strip() or len(pattern) > MAX_PATTERN_LENGTH:
        raise InvalidValueError(
            value=pattern,
            expected=f"a regular expression of 1 to {MAX_PATTERN_LENGTH} characters",
            name="pattern",
            advice='write it like "out of memory" or "epoch 1\\d:".',
        )
    try:
        regex.compile(pattern)
    except regex.error as error:
        # The library's type stubs lack these two attributes.
        reason, position = getattr(error, "msg", str(error)), getattr(error, "pos", None) or 0
        raise BadPatternError(pattern=pattern, reason=reason, position=position + 1) from error
    except (RecursionError, OverflowError, ValueError) as error:
        raise BadPatternError(pattern=pattern, reason="it's nested too deeply", position=1) from error


async def find_first_match(pattern: str, lines: Sequence[LogLine], *, time_limit: timedelta) -> LogLine | None:
    """Return the first line that matches, None if none does.

    Raises:
        SlowPatternError: the search took longer than the time limit.
    """
    return await asyncio.to_thread(_search_lines, pattern, lines, time_limit)


def _search_lines(pattern: str, lines: Sequence[LogLine], time_limit: timedelta) -> LogLine | None:
    compiled = regex.compile(pattern)
    deadline = time.monotonic() + time_limit.total_seconds()
    for line in lines:
        remaining = max(deadline - time.monotonic(), _MIN_TIMEOUT.total_seconds())
        try:
            if compiled.search(line.text[:_MAX_LINE_LENGTH], timeout=remaining, concurrent=True):
                return line
        except TimeoutError as error:
            raise SlowPatternError(pattern) from error
    return None
