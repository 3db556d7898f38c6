"""How times, changes and counts read."""

import math
from datetime import datetime, timedelta

from clearml_chatops.models.queues import WaitEstimate
from clearml_chatops.models.replies import Table
from clearml_chatops.services.experiments.differences import ValueChange

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_FEW_MINUTES, _MANY_MINUTES = 10, 90
NOTHING = "—"
_LONGEST_SHOWN_VALUE = 200


def span(length: timedelta) -> str:
    """A length of time in its two largest units: 42 s, 3 min 20 s, 2 h 5 min, 3 d 4 h.

    Less than nothing is nothing: it comes from two clocks that differ a little.
    """
    seconds = max(int(length.total_seconds()), 0)
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return _two(seconds // _MINUTE, "min", seconds % _MINUTE, "s")
    if seconds < _DAY:
        return _two(seconds // _HOUR, "h", seconds % _HOUR // _MINUTE, "min")
    return _two(seconds // _DAY, "d", seconds % _DAY // _HOUR, "h")


def shown_wait(wait: WaitEstimate) -> str:
    """How much longer something waits, as a range: it is an estimate, so that its ends are round."""
    if not wait.has_worker:
        return "no worker listens"
    if wait.between is None:
        return "wait unknown"
    lowest, highest = (round(length.total_seconds() / _MINUTE, 1) for length in wait.between)
    if highest < 1:
        return "soon"
    if lowest < 1:
        return f"soon, or within about {_rounded(highest, up=True)}"
    low, high = _rounded(lowest, up=False), _rounded(highest, up=True)
    if low == high:
        return f"about {high}"
    number, _, unit = low.partition(" ")
    return f"about {number}–{high}" if high.endswith(f" {unit}") else f"about {low} – {high}"


def _rounded(minutes: float, *, up: bool) -> str:
    """Minutes one by one up to ten, then by fives; hours from an hour and a half on."""
    whole = math.ceil if up else math.floor
    if minutes <= _FEW_MINUTES:
        return f"{whole(minutes)} min"
    if minutes < _MANY_MINUTES:
        return f"{whole(minutes / 5) * 5} min"
    return f"{whole(minutes / _MINUTE)} h"


def ago(moment: datetime, now: datetime) -> str:
    """How long before `now`; clocks of two machines differ a little, so the future is "now"."""
    return f"{span(now - moment)} ago" if now - moment >= timedelta(seconds=1) else "now"


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def changes_table(changes: tuple[ValueChange, ...], before: str, after: str) -> Table:
    """A table of what changed, with the headings of the two sides."""
    return Table(
        ("", before, after),
        tuple((change.name, shown_value(change.before), shown_value(change.after)) for change in changes),
    )


def shortened(value: str) -> str:
    """A value that would push everything else off the screen, cut, with its length."""
    if len(value) <= _LONGEST_SHOWN_VALUE:
        return value
    return f"{value[:_LONGEST_SHOWN_VALUE]}… ({len(value):,} characters)"


def shown_value(value: str | None) -> str:
    """A value as a table shows it; None where there is none."""
    return NOTHING if value is None else shortened(value) or "(empty)"


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit}" + (f" {small} {small_unit}" if small else "")
