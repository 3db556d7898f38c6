"""Regular expressions that people give: mistakes are told with their place, and none takes for ever."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from clearml_chatops.models.errors import BadPatternError, ChatOpsError, InvalidValueError
from clearml_chatops.models.experiments import LogLine
from clearml_chatops.services.watching.log_patterns import (
    LONGEST_PATTERN,
    SlowPatternError,
    first_match,
    require_pattern,
)

_NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
_LONG = timedelta(seconds=60)
CATASTROPHE = "(a|aa)+$"
"""It tries as many ways as there are to part a line of this letter, about 10¹² for sixty of them."""


def lines(*texts: str) -> Sequence[LogLine]:
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
async def test_the_first_line_that_fits_is_found(pattern: str, found: str | None) -> None:
    tried = lines("epoch 12: loss 0.3", "CUDA out of memory", "the loss is nan", "out of memory again")
    line = await first_match(pattern, tried, within=_LONG)
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
def test_a_mistake_is_told_with_its_place(pattern: str, sentence: str) -> None:
    with pytest.raises(BadPatternError) as caught:
        require_pattern(pattern)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("pattern", ["", "   ", "a" * (LONGEST_PATTERN + 1)])
def test_nothing_and_too_much_are_refused(pattern: str) -> None:
    with pytest.raises(InvalidValueError):
        require_pattern(pattern)


_NESTED = "(" * 250 + ")" * 250


@pytest.mark.parametrize("pattern", [_NESTED, "((a{1,9999}){1,9999}){1,9999}", r"\x{110000}", "(?R)"])
async def test_a_monstrous_pattern_is_refused_or_does_no_harm(pattern: str) -> None:
    try:
        require_pattern(pattern)
    except ChatOpsError:
        return
    try:
        await first_match(pattern, lines("b" * 100), within=timedelta(seconds=0.2))
    except SlowPatternError:
        return


async def test_a_pattern_that_takes_too_long_is_given_up() -> None:
    require_pattern(CATASTROPHE)
    with pytest.raises(SlowPatternError):
        await first_match(CATASTROPHE, lines("a" * 60 + "!"), within=timedelta(seconds=0.05))


async def test_the_time_is_for_all_lines_together() -> None:
    with pytest.raises(SlowPatternError):
        await first_match(CATASTROPHE, lines(*["a" * 26 + "!"] * 100_000), within=timedelta(seconds=0.05))
