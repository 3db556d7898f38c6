"""Estimates of run durations and queue waits from the durations of similar runs. Pure functions."""

import heapq
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from clearml_chatops.models.queues import WaitEstimate

_MIN_RUNS_FOR_QUARTILES = 4
_SPREAD = 0.25
"""How much a run may deviate from one known duration; other GPUs and data make this difference."""
_MIN_PROGRESS = 0.05
"""Below this progress a run's pace says little: the first iterations load data and compile."""
_ZERO = timedelta(0)
_FOREVER = timedelta.max


@dataclass(frozen=True, slots=True)
class DurationRange:
    """A duration between two bounds."""

    lowest: timedelta
    highest: timedelta


ZERO_DURATION = DurationRange(_ZERO, _ZERO)
_UNKNOWN_DURATION = DurationRange(_ZERO, _FOREVER)


def estimate_duration(ancestors: Sequence[timedelta], recent: Sequence[timedelta]) -> DurationRange | None:
    """Return how long a run is expected to take; None if nothing similar was ever completed.

    Uses its completed `ancestors`, which it was cloned from, or else the project's `recent` runs. Of four or
    more only the middle half counts, so one aborted or very long run has no effect.
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
    """Return how much longer a run takes after `elapsed`; None if unknown.

    The run's `iteration` compared with its parent's `last_iteration` is more reliable than other runs'
    durations.
    """
    progress = iteration / last_iteration if last_iteration else 0.0
    if _MIN_PROGRESS <= progress < 1:
        remaining_time = elapsed * ((1 - progress) / progress)
        return DurationRange(remaining_time * (1 - _SPREAD), remaining_time * (1 + _SPREAD))
    if expected is None:
        return None
    if elapsed < expected.highest:
        return DurationRange(max(expected.lowest - elapsed, _ZERO), expected.highest - elapsed)
    # Longer than all known runs: it may well be overdue by the same time again.
    return DurationRange(_ZERO, max(elapsed - expected.highest, expected.highest * _SPREAD))


def estimate_waits(
    expected_durations: Sequence[DurationRange | None],
    busy_durations: Sequence[DurationRange | None],
    *,
    has_services_worker: bool = False,
) -> list[WaitEstimate]:
    """Return how long each experiment in a queue waits, in the order of the queue.

    `expected_durations` are for the experiments, `busy_durations` for the workers that listen: how long each
    is still busy. None means unknown. A services worker runs any number of experiments at once.
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
    """Return when each starts, if the worker that is free first takes the next."""
    free_times = list(busy)
    heapq.heapify(free_times)
    start_times = []
    for duration in durations:
        start = free_times[0]
        start_times.append(start)
        heapq.heapreplace(free_times, start + duration if max(start, duration) < _FOREVER else _FOREVER)
    return start_times
