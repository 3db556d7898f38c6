"""The table of failure causes: each row is complete, and no pattern can take long."""

import re._constants as opcodes  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Iterator
from typing import Any

import pytest

from clearml_chatops.services.notifications.failure_patterns import FAILURE_PATTERNS
from clearml_chatops.services.notifications.failure_patterns.rows import FailureCause, FailurePattern, NextStep

_FOUND_WITHOUT_PATTERN = {FailureCause.ASSERTION}
_MAX_NESTED_REPEATS = 40

every_row = pytest.mark.parametrize("row", FAILURE_PATTERNS, ids=lambda row: row.pattern[:40])


def _iterate_repeats(node: Any, outer: int = 1) -> Iterator[tuple[int, int]]:
    """Yield the limit of each quantifier, and how often what contains it is repeated."""
    for operator, argument in node:
        if operator in {opcodes.MAX_REPEAT, opcodes.MIN_REPEAT}:
            _, limit, inside = argument
            yield limit, outer
            yield from _iterate_repeats(inside, outer * limit)
        elif operator is opcodes.SUBPATTERN:
            yield from _iterate_repeats(argument[-1], outer)
        elif operator is opcodes.BRANCH:
            for branch in argument[1]:
                yield from _iterate_repeats(branch, outer)


@every_row
def test_every_quantifier_has_a_limit(row: FailurePattern) -> None:
    """So the time that a pattern takes is proportional to the length of the log."""
    for limit, outer in _iterate_repeats(parser.parse(row.pattern)):
        assert limit <= 400
        assert outer == 1 or limit <= _MAX_NESTED_REPEATS or outer * limit <= 400


@every_row
def test_every_row_says_what_happened_and_what_to_do(row: FailurePattern) -> None:
    assert row.says.endswith(".")
    assert row.advice.endswith(".")
    assert NextStep.SHOW_LOG in row.steps
    assert 2 <= len(row.steps) == len(set(row.steps)) <= 4
    assert not row.is_machine_fault or NextStep.RETRY in row.steps, "after a repair, the same run may succeed"


def test_every_cause_has_a_row() -> None:
    assert set(FailureCause) - {row.cause for row in FAILURE_PATTERNS} - _FOUND_WITHOUT_PATTERN == set()
