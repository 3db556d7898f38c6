"""Log patterns: errors give their position, and no search runs beyond its time limit."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from clearml_chatops.models.errors import BadPatternError, ChatOpsError, InvalidValueError
from clearml_chatops.models.experiments import LogLine
from clearml_chatops.services.watching.log_patterns import (
    MAX_PATTERN_LENGTH,
    SlowPatternError,
    find_first_match,
    require_pattern,
)

_NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
_LONG_TIME_LIMIT = timedelta(seconds=60)
CATASTROPHIC_PATTERN = "(a|aa)+$"
"""Backtracks over all ways to split a line of this letter, about 10¹² for sixty of them."""


def build_lines(*texts: str) -> Sequence[LogLine]:
    return [LogLine(_NOON, text) for text in texts]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("out of memory", "CUDA out of memory"),
        (r"epoch \d+:", "epoch 12: loss 0.3"),
        ("(?i)CUDA OUT", "CUDA out of memory"),
        ("^loss", None),
        ("a{3}|nan$", "the loss is nan"),
    ],
)
async def test_finds_the_first_matching_line(pattern: str, found: str | None) -> None:
    log_lines = build_lines("epoch 12: loss 0.3", "CUDA out of memory", "the loss is nan", "out of memory again")
    line = await find_first_match(pattern, log_lines, time_limit=_LONG_TIME_LIMIT)
    assert (line.text if line else None) == found


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("(abc", "missing ) at character 5"),
        ("a)b", "unbalanced parenthesis at character 2"),
        ("x[a", "unterminated character set at character"),
        ("*a", "nothing to repeat at character 1"),
        ("a{2,1}", "at character"),
    ],
)
def test_syntax_error_reports_its_position(pattern: str, sentence: str) -> None:
    with pytest.raises(BadPatternError) as caught:
        require_pattern(pattern)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("pattern", ["", "   ", "a" * (MAX_PATTERN_LENGTH + 1)])
def test_empty_or_too_long_pattern_is_rejected(pattern: str) -> None:
    with pytest.raises(InvalidValueError):
        require_pattern(pattern)


_NESTED = "(" * 250 + ")" * 250


@pytest.mark.parametrize("pattern", [_NESTED, "((a{1,9999}){1,9999}){1,9999}", r"\x{110000}", "(?R)"])
async def test_pathological_pattern_is_rejected_or_times_out(pattern: str) -> None:
    try:
        require_pattern(pattern)
    except ChatOpsError:
        return
    try:
        await find_first_match(pattern, build_lines("b" * 100), time_limit=timedelta(seconds=0.2))
    except SlowPatternError:
        return


async def test_slow_pattern_times_out() -> None:
    require_pattern(CATASTROPHIC_PATTERN)
    with pytest.raises(SlowPatternError):
        await find_first_match(
            CATASTROPHIC_PATTERN, build_lines("a" * 60 + "!"), time_limit=timedelta(seconds=0.05)
        )


async def test_time_limit_covers_all_lines() -> None:
    with pytest.raises(SlowPatternError):
        await find_first_match(
            CATASTROPHIC_PATTERN, build_lines(*["a" * 26 + "!"] * 100_000), time_limit=timedelta(seconds=0.05)
        )
