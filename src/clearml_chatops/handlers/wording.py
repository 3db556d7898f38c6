"""How times, changes and counts read."""

from datetime import datetime, timedelta

from clearml_chatops.models.replies import Table
from clearml_chatops.services.differences import ValueChange

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
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
