"""Regular expressions that people give, tried on what programs write. The only module that imports `regex`.

Unlike Python's own, it stops a pattern that takes for ever, and lets the event loop go on meanwhile.
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
"""Characters of a line that are looked at."""

_MIN_TIMEOUT = timedelta(milliseconds=1)


class SlowPatternError(Exception):
    """The pattern did not get through the lines in its time."""


def require_pattern(pattern: str) -> None:
    """Raises BadPatternError with the place of the mistake, InvalidValueError where it is none at all."""
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
        # The library's types leave these two out.
        reason, position = getattr(error, "msg", str(error)), getattr(error, "pos", None) or 0
        raise BadPatternError(pattern=pattern, reason=reason, position=position + 1) from error
    except (RecursionError, OverflowError, ValueError) as error:
        raise BadPatternError(pattern=pattern, reason="it is too deeply nested", position=1) from error


async def find_first_match(pattern: str, lines: Sequence[LogLine], *, timeout: timedelta) -> LogLine | None:
    """The first line in which the pattern is found. Raises SlowPatternError where the time does not suffice."""
    return await asyncio.to_thread(_search_lines, pattern, lines, timeout)


def _search_lines(pattern: str, lines: Sequence[LogLine], timeout: timedelta) -> LogLine | None:
    compiled = regex.compile(pattern)
    deadline = time.monotonic() + timeout.total_seconds()
    for line in lines:
        remaining = max(deadline - time.monotonic(), _MIN_TIMEOUT.total_seconds())
        try:
            if compiled.search(line.text[:_MAX_LINE_LENGTH], timeout=remaining, concurrent=True):
                return line
        except TimeoutError as error:
            raise SlowPatternError(pattern) from error
    return None
