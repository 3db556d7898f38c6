"""How long what waits in a queue will wait, by how long runs like it took. Pure."""

import heapq
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from clearml_chatops.models.queues import WaitEstimate

_MIN_RUNS_FOR_QUARTILES = 4
_SPREAD = 0.25
"""How far around one known duration another one is expected; runs on other cards and data differ as much."""
_MIN_PROGRESS = 0.05
"""Before a run has come so far its pace says little: the first iterations load data and compile."""
_ZERO = timedelta(0)
_FOREVER = timedelta.max


@dataclass(frozen=True, slots=True)
class DurationRange:
    """A length of time that lies between two."""

    lowest: timedelta
    highest: timedelta


ZERO_DURATION = DurationRange(_ZERO, _ZERO)
_UNKNOWN_DURATION = DurationRange(_ZERO, _FOREVER)


def estimate_duration(ancestors: Sequence[timedelta], recent: Sequence[timedelta]) -> DurationRange | None:
    """How long a run is expected to take; None where nothing like it has ever been completed.

    By its `ancestors`, which it is a copy of; where none of them was completed by the project's `recent` runs.
    Of many the middle half counts, so that one broken-off or overlong run does not spoil it.
    """
    durations = sorted(ancestors or recent)
    if not durations:
        return None
    if len(durations) < _MIN_RUNS_FOR_QUARTILES:
        lowest, highest = durations[0], durations[-1]
    else:
        quartiles = statistics.quantiles([item.total_seconds() for item in durations], n=4, method="inclusive")
        lowest, highest = timedelta(seconds=quartiles[0]), timedelta(seconds=quartiles[2])
    midpoint = (lowest + highest) / 2
    return DurationRange(min(lowest, midpoint * (1 - _SPREAD)), max(highest, midpoint * (1 + _SPREAD)))


def estimate_remaining(
    elapsed: timedelta, expected: DurationRange | None, *, iteration: int = 0, last_iteration: int = 0
) -> DurationRange | None:
    """How much longer a run takes that has run so long; None where that cannot be told.

    Its `iteration` beside the `last_iteration` of what it is a copy of tells more than other runs' durations.
    """
    progress = iteration / last_iteration if last_iteration else 0.0
    if _MIN_PROGRESS <= progress < 1:
        remaining_time = elapsed * ((1 - progress) / progress)
        return DurationRange(remaining_time * (1 - _SPREAD), remaining_time * (1 + _SPREAD))
    if expected is None:
        return None
    if elapsed < expected.highest:
        return DurationRange(max(expected.lowest - elapsed, _ZERO), expected.highest - elapsed)
    # Beyond all that is known of: what has gone on for so long may as well go on for as long again.
    return DurationRange(_ZERO, max(elapsed - expected.highest, expected.highest * _SPREAD))


def estimate_waits(
    expected_durations: Sequence[DurationRange | None],
    busy_durations: Sequence[DurationRange | None],
    *,
    has_services_worker: bool = False,
) -> list[WaitEstimate]:
    """How long each of those waits that stand in a queue in this order.

    `waiting` are their durations, `workers` is for each worker that listens how long it is still busy; None is
    not known. A worker that `takes_all` runs services, any number of them at once.
    """
    if has_services_worker:
        return [WaitEstimate((_ZERO, _ZERO)) for _ in expected_durations]
    if not busy_durations:
        return [WaitEstimate(has_worker=False) for _ in expected_durations]
    durations, busy = (
        [item or _UNKNOWN_DURATION for item in items] for items in (expected_durations, busy_durations)
    )
    lowest = _compute_start_times([item.lowest for item in durations], [item.lowest for item in busy])
    highest = _compute_start_times([item.highest for item in durations], [item.highest for item in busy])
    return [
        WaitEstimate((low, high)) if high < _FOREVER else WaitEstimate()
        for low, high in zip(lowest, highest, strict=True)
    ]


def _compute_start_times(durations: Sequence[timedelta], busy: Sequence[timedelta]) -> list[timedelta]:
    """When each begins, if whichever worker is free first takes the next."""
    free_times = list(busy)
    heapq.heapify(free_times)
    start_times = []
    for duration in durations:
        start = free_times[0]
        start_times.append(start)
        heapq.heapreplace(free_times, start + duration if max(start, duration) < _FOREVER else _FOREVER)
    return start_times
