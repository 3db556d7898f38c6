"""How durations, times, counts and values are written."""

import math
from datetime import datetime, timedelta

from clearml_chatops.models.queues import WaitEstimate
from clearml_chatops.models.replies import Table
from clearml_chatops.services.experiments.differences import ValueChange

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_EXACT_MINUTES, _MINUTES_BEFORE_HOURS = 10, 90
NO_VALUE = "—"
_MAX_VALUE_LENGTH = 200


def format_duration(duration: timedelta) -> str:
    """Return a duration in its two largest units: 42 s, 3 min 20 s, 2 h 5 min, 3 d 4 h.

    A negative duration counts as 0: it comes from two clocks that differ a little.
    """
    seconds = max(int(duration.total_seconds()), 0)
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return _format_two_units(seconds // _MINUTE, "min", seconds % _MINUTE, "s")
    if seconds < _DAY:
        return _format_two_units(seconds // _HOUR, "h", seconds % _HOUR // _MINUTE, "min")
    return _format_two_units(seconds // _DAY, "d", seconds % _DAY // _HOUR, "h")


def format_wait(wait: WaitEstimate) -> str:
    """Return when an experiment starts, as a range. Its ends are rounded: it's an estimate."""
    if not wait.has_worker:
        return "no worker listens"
    if wait.bounds is None:
        return "wait unknown"
    lowest, highest = (round(duration.total_seconds() / _MINUTE, 1) for duration in wait.bounds)
    if highest < 1:
        return "starts soon"
    if lowest < 1:
        return f"starts within about {_round_minutes(highest, up=True)}"
    low, high = _round_minutes(lowest, up=False), _round_minutes(highest, up=True)
    if low == high:
        return f"starts in about {high}"
    number, _, unit = low.partition(" ")
    bounds = f"{number}–{high}" if high.endswith(f" {unit}") else f"{low} – {high}"
    return f"starts in about {bounds}"


def _round_minutes(minutes: float, *, up: bool) -> str:
    """Round to whole minutes up to 10, to 5 minutes up to an hour and a half, then to hours."""
    round_whole = math.ceil if up else math.floor
    if minutes <= _EXACT_MINUTES:
        return f"{round_whole(minutes)} min"
    if minutes < _MINUTES_BEFORE_HOURS:
        return f"{round_whole(minutes / 5) * 5} min"
    return f"{round_whole(minutes / _MINUTE)} h"


def format_time_ago(moment: datetime, now: datetime) -> str:
    """Return how long ago a time was, in its largest unit: “5 minutes ago”.

    The future counts as “now”: it comes from two clocks that differ a little.
    """
    seconds = int((now - moment).total_seconds())
    for length, unit in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute"), (1, "second")):
        if seconds >= length:
            return f"{format_count(seconds // length, unit)} ago"
    return "now"


def format_count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def build_changes_table(changes: tuple[ValueChange, ...], before: str, after: str) -> Table:
    """Return a table of changes. `before` and `after` are its headings."""
    return Table(
        ("", before, after),
        tuple((change.name, format_value(change.before), format_value(change.after)) for change in changes),
    )


def shortened(value: str) -> str:
    """Return a value cut to 200 characters, followed by its full length if it was longer."""
    if len(value) <= _MAX_VALUE_LENGTH:
        return value
    return f"{value[:_MAX_VALUE_LENGTH]}… ({len(value):,} characters)"


def format_value(value: str | None) -> str:
    """Return a value as a table shows it. None means that there is no value."""
    return NO_VALUE if value is None else shortened(value) or "(empty)"


def _format_two_units(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit}" + (f" {small} {small_unit}" if small else "")
