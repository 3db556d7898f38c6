"""How long what waits in a queue will wait, by how long runs like it took. Pure."""

import heapq
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from clearml_chatops.models.queues import WaitEstimate

_ENOUGH_FOR_QUARTILES = 4
_SPREAD = 0.25
"""How far around one known duration another one is expected; runs on other cards and data differ as much."""
_FIRST_TELLING_PROGRESS = 0.05
"""Before a run has come so far its pace says little: the first iterations load data and compile."""
_NONE = timedelta(0)
_FOR_EVER = timedelta.max


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time that lies between two."""

    lowest: timedelta
    highest: timedelta


AT_ONCE = Span(_NONE, _NONE)
_UNKNOWN = Span(_NONE, _FOR_EVER)


def expected_duration(ancestors: Sequence[timedelta], recent: Sequence[timedelta]) -> Span | None:
    """How long a run is expected to take; None where nothing like it has ever been completed.

    By its `ancestors`, which it is a copy of; where none of them was completed by the project's `recent` runs.
    Of many the middle half counts, so that one broken-off or overlong run does not spoil it.
    """
    known = sorted(ancestors or recent)
    if not known:
        return None
    if len(known) < _ENOUGH_FOR_QUARTILES:
        lowest, highest = known[0], known[-1]
    else:
        quarters = statistics.quantiles([item.total_seconds() for item in known], n=4, method="inclusive")
        lowest, highest = timedelta(seconds=quarters[0]), timedelta(seconds=quarters[2])
    middle = (lowest + highest) / 2
    return Span(min(lowest, middle * (1 - _SPREAD)), max(highest, middle * (1 + _SPREAD)))


def remaining(
    ran: timedelta, expected: Span | None, *, iteration: int = 0, last_iteration: int = 0
) -> Span | None:
    """How much longer a run takes that has run so long; None where that cannot be told.

    Its `iteration` beside the `last_iteration` of what it is a copy of tells more than other runs' durations.
    """
    progress = iteration / last_iteration if last_iteration else 0.0
    if _FIRST_TELLING_PROGRESS <= progress < 1:
        left = ran * ((1 - progress) / progress)
        return Span(left * (1 - _SPREAD), left * (1 + _SPREAD))
    if expected is None:
        return None
    if ran < expected.highest:
        return Span(max(expected.lowest - ran, _NONE), expected.highest - ran)
    # Beyond all that is known of: what has gone on for so long may as well go on for as long again.
    return Span(_NONE, max(ran - expected.highest, expected.highest * _SPREAD))


def estimated_waits(
    waiting: Sequence[Span | None], workers: Sequence[Span | None], *, takes_all: bool = False
) -> list[WaitEstimate]:
    """How long each of those waits that stand in a queue in this order.

    `waiting` are their durations, `workers` is for each worker that listens how long it is still busy; None is
    not known. A worker that `takes_all` runs services, any number of them at once.
    """
    if takes_all:
        return [WaitEstimate((_NONE, _NONE)) for _ in waiting]
    if not workers:
        return [WaitEstimate(has_worker=False) for _ in waiting]
    durations, busy = ([item or _UNKNOWN for item in items] for items in (waiting, workers))
    lowest = _beginnings([item.lowest for item in durations], [item.lowest for item in busy])
    highest = _beginnings([item.highest for item in durations], [item.highest for item in busy])
    return [
        WaitEstimate((low, high)) if high < _FOR_EVER else WaitEstimate()
        for low, high in zip(lowest, highest, strict=True)
    ]


def _beginnings(durations: Sequence[timedelta], busy: Sequence[timedelta]) -> list[timedelta]:
    """When each begins, if whichever worker is free first takes the next."""
    free = list(busy)
    heapq.heapify(free)
    begins = []
    for duration in durations:
        begin = free[0]
        begins.append(begin)
        heapq.heapreplace(free, begin + duration if max(begin, duration) < _FOR_EVER else _FOR_EVER)
    return begins
