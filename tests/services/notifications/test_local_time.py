"""Local times, also on the days when clocks change."""

from datetime import UTC, date, datetime, time

import pytest

from clearml_chatops.services.notifications.local_time import (
    find_last_occurrences,
    find_next_occurrence,
    format_local_time,
    is_tomorrow,
    resolve_local_time,
)

BERLIN = "Europe/Berlin"
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


def _build_time(day: int, hour: int, minute: int = 0, *, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "at", "zone", "moment"),
    [
        (date(2026, 11, 22), time(9), "UTC", _build_time(22, 9)),
        (date(2026, 11, 22), time(9), BERLIN, _build_time(22, 8)),
        (date(2026, 7, 1), time(0), BERLIN, _build_time(30, 22, month=6)),
        (date(2026, 11, 22), time(9), "Asia/Kolkata", _build_time(22, 3, 30)),
        # Clocks go from 2:00 to 3:00: times in between are the moment of the change.
        (SPRING, time(1, 59), BERLIN, _build_time(29, 0, 59, month=3)),
        (SPRING, time(2), BERLIN, _build_time(29, 1, month=3)),
        (SPRING, time(2, 30), BERLIN, _build_time(29, 1, month=3)),
        (SPRING, time(3), BERLIN, _build_time(29, 1, month=3)),
        # Clocks go back from 3:00 to 2:00: the first occurrence counts.
        (AUTUMN, time(2), BERLIN, _build_time(25, 0, month=10)),
        (AUTUMN, time(2, 30), BERLIN, _build_time(25, 0, 30, month=10)),
        (AUTUMN, time(3), BERLIN, _build_time(25, 2, month=10)),
        # The day itself begins at one o'clock.
        (date(2026, 4, 24), time(0), "Africa/Cairo", _build_time(23, 22, month=4)),
        (date(2026, 4, 24), time(0, 30), "Africa/Cairo", _build_time(23, 22, month=4)),
    ],
)
def test_resolves_local_time_to_utc(day: date, at: time, zone: str, moment: datetime) -> None:
    assert resolve_local_time(day, at, zone) == moment


def test_next_occurrence_is_after_now() -> None:
    eight = resolve_local_time(date(2026, 11, 22), time(8), BERLIN)
    assert find_next_occurrence(time(8), BERLIN, eight) == resolve_local_time(date(2026, 11, 23), time(8), BERLIN)
    assert find_next_occurrence(time(8), BERLIN, _build_time(22, 6)) == eight
    assert is_tomorrow(_build_time(22, 23), BERLIN, _build_time(22, 22)) is True
    assert is_tomorrow(_build_time(22, 22), BERLIN, _build_time(22, 6)) is False


def test_repeated_hour_counts_once() -> None:
    first = _build_time(25, 0, 30, month=10)
    assert find_last_occurrences(time(2, 30), BERLIN, _build_time(25, 1, 45, month=10))[0] == first
    assert find_next_occurrence(time(2, 30), BERLIN, first) == _build_time(26, 1, 30, month=10)


def test_weekdays_skip_the_weekend() -> None:
    monday = _build_time(23, 8)
    assert find_last_occurrences(time(9), BERLIN, monday) == (monday, _build_time(22, 8))
    assert find_last_occurrences(time(9), BERLIN, monday, weekdays_only=True) == (monday, _build_time(20, 8))
    assert find_last_occurrences(time(9), BERLIN, _build_time(22, 12), weekdays_only=True) == (
        _build_time(20, 8),
        _build_time(19, 8),
    )


def test_local_time_shows_the_weekday_of_another_day() -> None:
    assert format_local_time(_build_time(22, 22, 10), BERLIN) == "23:10"
    assert format_local_time(_build_time(22, 22, 10), "") == "22:10"
    assert format_local_time(_build_time(23, 7), BERLIN, now=_build_time(22, 22)) == "Mon 08:00"
    assert format_local_time(_build_time(23, 7), BERLIN, now=_build_time(22, 23)) == "08:00"
