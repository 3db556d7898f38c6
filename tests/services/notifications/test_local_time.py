"""Clocks on the wall, also on the days on which they are moved."""

from datetime import UTC, date, datetime, time

import pytest

from clearml_chatops.services.notifications.local_time import (
    is_tomorrow,
    last_moments,
    moment_of,
    next_moment,
    shown_time,
)

BERLIN = "Europe/Berlin"
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


def _utc(day: int, hour: int, minute: int = 0, *, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "at", "zone", "moment"),
    [
        (date(2026, 11, 22), time(9), "UTC", _utc(22, 9)),
        (date(2026, 11, 22), time(9), BERLIN, _utc(22, 8)),
        (date(2026, 7, 1), time(0), BERLIN, _utc(30, 22, month=6)),
        (date(2026, 11, 22), time(9), "Asia/Kolkata", _utc(22, 3, 30)),
        # 2:00 is followed by 3:00: what is between is when that happens.
        (SPRING, time(1, 59), BERLIN, _utc(29, 0, 59, month=3)),
        (SPRING, time(2), BERLIN, _utc(29, 1, month=3)),
        (SPRING, time(2, 30), BERLIN, _utc(29, 1, month=3)),
        (SPRING, time(3), BERLIN, _utc(29, 1, month=3)),
        # 3:00 is followed by 2:00: the first time counts.
        (AUTUMN, time(2), BERLIN, _utc(25, 0, month=10)),
        (AUTUMN, time(2, 30), BERLIN, _utc(25, 0, 30, month=10)),
        (AUTUMN, time(3), BERLIN, _utc(25, 2, month=10)),
        # Where the day itself begins at one o'clock.
        (date(2026, 4, 24), time(0), "Africa/Cairo", _utc(23, 22, month=4)),
        (date(2026, 4, 24), time(0, 30), "Africa/Cairo", _utc(23, 22, month=4)),
    ],
)
def test_a_time_of_a_day_is_one_moment(day: date, at: time, zone: str, moment: datetime) -> None:
    assert moment_of(day, at, zone) == moment


def test_the_next_time_is_later_than_now_also_when_it_is_now() -> None:
    eight = moment_of(date(2026, 11, 22), time(8), BERLIN)
    assert next_moment(time(8), BERLIN, eight) == moment_of(date(2026, 11, 23), time(8), BERLIN)
    assert next_moment(time(8), BERLIN, _utc(22, 6)) == eight
    assert is_tomorrow(_utc(22, 23), BERLIN, _utc(22, 22)) is True
    assert is_tomorrow(_utc(22, 22), BERLIN, _utc(22, 6)) is False


def test_in_the_double_hour_a_time_comes_once() -> None:
    first = _utc(25, 0, 30, month=10)
    assert last_moments(time(2, 30), BERLIN, _utc(25, 1, 45, month=10))[0] == first
    assert next_moment(time(2, 30), BERLIN, first) == _utc(26, 1, 30, month=10)


def test_on_weekdays_monday_follows_friday() -> None:
    monday = _utc(23, 8)
    assert last_moments(time(9), BERLIN, monday) == (monday, _utc(22, 8))
    assert last_moments(time(9), BERLIN, monday, weekdays_only=True) == (monday, _utc(20, 8))
    assert last_moments(time(9), BERLIN, _utc(22, 12), weekdays_only=True) == (_utc(20, 8), _utc(19, 8))


def test_a_time_is_shown_as_clocks_there_have_it_and_of_another_day_with_its_day() -> None:
    assert shown_time(_utc(22, 22, 10), BERLIN) == "23:10"
    assert shown_time(_utc(22, 22, 10), "") == "22:10"
    assert shown_time(_utc(23, 7), BERLIN, now=_utc(22, 22)) == "Mon 08:00"
    assert shown_time(_utc(23, 7), BERLIN, now=_utc(22, 23)) == "08:00"
