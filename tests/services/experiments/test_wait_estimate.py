"""How long what waits will wait: tables of durations, runs, workers and what comes of them."""

from datetime import timedelta

import pytest

from clearml_chatops.models.queues import WaitEstimate
from clearml_chatops.services.experiments.wait_estimate import (
    AT_ONCE,
    Span,
    estimated_waits,
    expected_duration,
    remaining,
)

NO_WORKER, UNKNOWN = WaitEstimate(has_worker=False), WaitEstimate()


def _minutes(*numbers: float) -> list[timedelta]:
    return [timedelta(minutes=number) for number in numbers]


def _span(lowest: float, highest: float) -> Span:
    return Span(*_minutes(lowest, highest))


def _wait(lowest: float, highest: float) -> WaitEstimate:
    low, high = _minutes(lowest, highest)
    return WaitEstimate((low, high))


@pytest.mark.parametrize(
    ("ancestors", "recent", "expected"),
    [
        ((), (), None),
        ((40,), (), _span(30, 50)),
        ((40,), (1, 2, 3), _span(30, 50)),
        ((), (40,), _span(30, 50)),
        ((20, 60), (), _span(20, 60)),
        # The overlong one and the broken-off one count for nothing.
        ((), (1, 36, 40, 44, 900), _span(30, 50)),
        ((), (10, 20, 30, 40, 50), _span(20, 40)),
    ],
)
def test_a_run_takes_as_long_as_those_before_it(
    ancestors: tuple[float, ...], recent: tuple[float, ...], expected: Span | None
) -> None:
    assert expected_duration(_minutes(*ancestors), _minutes(*recent)) == expected


@pytest.mark.parametrize(
    ("ran", "expected", "iteration", "last_iteration", "left"),
    [
        (10, None, 0, 0, None),
        (10, _span(30, 50), 0, 0, _span(20, 40)),
        (40, _span(30, 50), 0, 0, _span(0, 10)),
        # A quarter of the way after ten minutes, whatever others took.
        (10, _span(30, 50), 15, 60, _span(22.5, 37.5)),
        (10, None, 15, 60, _span(22.5, 37.5)),
        # Too little of the way to tell.
        (10, _span(30, 50), 1, 60, _span(20, 40)),
        # Longer than its predecessor: only the durations are left to go by.
        (40, _span(30, 50), 61, 60, _span(0, 10)),
        (40, None, 61, 60, None),
        # Beyond everything known: soon, or as long again as it is overdue.
        (51, _span(30, 50), 0, 0, _span(0, 12.5)),
        (90, _span(30, 50), 0, 0, _span(0, 40)),
    ],
)
def test_a_run_goes_on_for(
    ran: float, expected: Span | None, iteration: int, last_iteration: int, left: Span | None
) -> None:
    length = timedelta(minutes=ran)
    assert remaining(length, expected, iteration=iteration, last_iteration=last_iteration) == left


@pytest.mark.parametrize(
    ("waiting", "workers", "waits"),
    [
        ([], [AT_ONCE], []),
        ([_span(30, 50)], [], [NO_WORKER]),
        # One worker: each waits for all before it.
        (
            [_span(30, 50), None, _span(1, 1)],
            [_span(20, 40)],
            [_wait(20, 40), _wait(50, 90), UNKNOWN],
        ),
        ([_span(30, 50), _span(30, 50)], [AT_ONCE], [_wait(0, 0), _wait(30, 50)]),
        ([_span(30, 50)], [None], [UNKNOWN]),
        # Two workers: whichever is free first takes the next.
        (
            [_span(30, 50), _span(30, 50), _span(30, 50)],
            [_span(5, 10), _span(20, 40)],
            [_wait(5, 10), _wait(20, 40), _wait(35, 60)],
        ),
        # One of two is not known of: the other one does all.
        ([_span(30, 50), _span(30, 50)], [None, _span(10, 20)], [_wait(0, 20), _wait(10, 70)]),
        ([None, _span(30, 50)], [AT_ONCE, _span(10, 20)], [_wait(0, 0), _wait(0, 20)]),
        # More workers than experiments.
        ([None], [None, AT_ONCE, None], [_wait(0, 0)]),
    ],
)
def test_the_queue_is_taken_in_its_order(
    waiting: list[Span | None], workers: list[Span | None], waits: list[WaitEstimate]
) -> None:
    assert estimated_waits(waiting, workers) == waits


def test_services_do_not_wait_for_each_other() -> None:
    assert estimated_waits([None, None], [_span(10, 20)], takes_all=True) == [_wait(0, 0), _wait(0, 0)]
