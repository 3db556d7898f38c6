"""Estimates of durations and waits, as tables."""

from datetime import timedelta

import pytest

from clearml_chatops.models.queues import WaitEstimate
from clearml_chatops.services.experiments.duration_estimates import (
    ZERO_DURATION,
    DurationRange,
    estimate_duration,
    estimate_remaining,
    estimate_waits,
)

NO_WORKER, UNKNOWN = WaitEstimate(has_worker=False), WaitEstimate()


def _to_durations(*numbers: float) -> list[timedelta]:
    return [timedelta(minutes=number) for number in numbers]


def _to_range(lowest: float, highest: float) -> DurationRange:
    return DurationRange(*_to_durations(lowest, highest))


def _to_estimate(lowest: float, highest: float) -> WaitEstimate:
    low, high = _to_durations(lowest, highest)
    return WaitEstimate((low, high))


@pytest.mark.parametrize(
    ("ancestors", "recent", "expected"),
    [
        ((), (), None),
        ((40,), (), _to_range(30, 50)),
        ((40,), (1, 2, 3), _to_range(30, 50)),
        ((), (40,), _to_range(30, 50)),
        ((20, 60), (), _to_range(20, 60)),
        # The very long run and the aborted one have no effect.
        ((), (1, 36, 40, 44, 900), _to_range(30, 50)),
        ((), (10, 20, 30, 40, 50), _to_range(20, 40)),
    ],
)
def test_a_duration_is_estimated_from_earlier_runs(
    ancestors: tuple[float, ...], recent: tuple[float, ...], expected: DurationRange | None
) -> None:
    assert estimate_duration(_to_durations(*ancestors), _to_durations(*recent)) == expected


@pytest.mark.parametrize(
    ("elapsed_minutes", "expected", "iteration", "last_iteration", "expected_remaining"),
    [
        (10, None, 0, 0, None),
        (10, _to_range(30, 50), 0, 0, _to_range(20, 40)),
        (40, _to_range(30, 50), 0, 0, _to_range(0, 10)),
        # A quarter done after ten minutes; other durations do not matter.
        (10, _to_range(30, 50), 15, 60, _to_range(22.5, 37.5)),
        (10, None, 15, 60, _to_range(22.5, 37.5)),
        # Too little progress for an estimate.
        (10, _to_range(30, 50), 1, 60, _to_range(20, 40)),
        # More iterations than its parent: only the durations can be used.
        (40, _to_range(30, 50), 61, 60, _to_range(0, 10)),
        (40, None, 61, 60, None),
        # Longer than all known runs: soon, or overdue by the same time again.
        (51, _to_range(30, 50), 0, 0, _to_range(0, 12.5)),
        (90, _to_range(30, 50), 0, 0, _to_range(0, 40)),
    ],
)
def test_remaining_time_of_a_run(
    elapsed_minutes: float,
    expected: DurationRange | None,
    iteration: int,
    last_iteration: int,
    expected_remaining: DurationRange | None,
) -> None:
    elapsed = timedelta(minutes=elapsed_minutes)
    assert (
        estimate_remaining(elapsed, expected, iteration=iteration, last_iteration=last_iteration)
        == expected_remaining
    )


@pytest.mark.parametrize(
    ("waiting", "workers", "waits"),
    [
        ([], [ZERO_DURATION], []),
        ([_to_range(30, 50)], [], [NO_WORKER]),
        # One worker: each waits for all before it.
        (
            [_to_range(30, 50), None, _to_range(1, 1)],
            [_to_range(20, 40)],
            [_to_estimate(20, 40), _to_estimate(50, 90), UNKNOWN],
        ),
        ([_to_range(30, 50), _to_range(30, 50)], [ZERO_DURATION], [_to_estimate(0, 0), _to_estimate(30, 50)]),
        ([_to_range(30, 50)], [None], [UNKNOWN]),
        # Two workers: whichever is free first takes the next.
        (
            [_to_range(30, 50), _to_range(30, 50), _to_range(30, 50)],
            [_to_range(5, 10), _to_range(20, 40)],
            [_to_estimate(5, 10), _to_estimate(20, 40), _to_estimate(35, 60)],
        ),
        # One of two workers is unknown: the other one runs everything.
        (
            [_to_range(30, 50), _to_range(30, 50)],
            [None, _to_range(10, 20)],
            [_to_estimate(0, 20), _to_estimate(10, 70)],
        ),
        ([None, _to_range(30, 50)], [ZERO_DURATION, _to_range(10, 20)], [_to_estimate(0, 0), _to_estimate(0, 20)]),
        # More workers than experiments.
        ([None], [None, ZERO_DURATION, None], [_to_estimate(0, 0)]),
    ],
)
def test_the_queue_is_taken_in_its_order(
    waiting: list[DurationRange | None], workers: list[DurationRange | None], waits: list[WaitEstimate]
) -> None:
    assert estimate_waits(waiting, workers) == waits


def test_services_do_not_wait_for_each_other() -> None:
    assert estimate_waits([None, None], [_to_range(10, 20)], has_services_worker=True) == [
        _to_estimate(0, 0),
        _to_estimate(0, 0),
    ]
