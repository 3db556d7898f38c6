"""Quiet hours: until when they apply, and when they last ended."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

import pytest

from clearml_chatops.models.quiet import Deferral, Mute, QuietHours
from clearml_chatops.services.notifications.quiet_hours import (
    combine_deferrals,
    evaluate_mute,
    evaluate_quiet_hours,
)

BERLIN = "Europe/Berlin"
NIGHT = QuietHours(time(23), time(8), BERLIN)
SIESTA = QuietHours(time(13), time(15), BERLIN)


def _build_time(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "now", "until"),
    [
        (NIGHT, _build_time(11, 22, 21, 59), None),
        (NIGHT, _build_time(11, 22, 22), _build_time(11, 23, 7)),
        (NIGHT, _build_time(11, 22, 23, 30), _build_time(11, 23, 7)),
        (NIGHT, _build_time(11, 23, 6, 59), _build_time(11, 23, 7)),
        (NIGHT, _build_time(11, 23, 7), None),
        (SIESTA, _build_time(11, 22, 11, 59), None),
        (SIESTA, _build_time(11, 22, 12), _build_time(11, 22, 14)),
        (SIESTA, _build_time(11, 22, 14), None),
        # The night is an hour shorter in spring, and an hour longer in autumn.
        (NIGHT, _build_time(3, 28, 22), _build_time(3, 29, 6)),
        (NIGHT, _build_time(10, 24, 21), _build_time(10, 25, 7)),
        (NIGHT, _build_time(10, 25, 6, 59), _build_time(10, 25, 7)),
        # They begin within the skipped hour: at the moment of the change.
        (QuietHours(time(2, 30), time(8), BERLIN), _build_time(3, 29, 0, 59), None),
        (QuietHours(time(2, 30), time(8), BERLIN), _build_time(3, 29, 1), _build_time(3, 29, 6)),
        # They end within the skipped hour.
        (QuietHours(time(23), time(2, 30), BERLIN), _build_time(3, 29, 0, 59), _build_time(3, 29, 1)),
        (QuietHours(time(23), time(2, 30), BERLIN), _build_time(3, 29, 1), None),
        # They end within the repeated hour: at its first occurrence only.
        (QuietHours(time(23), time(2, 30), BERLIN), _build_time(10, 25, 0, 29), _build_time(10, 25, 0, 30)),
        (QuietHours(time(23), time(2, 30), BERLIN), _build_time(10, 25, 0, 30), None),
        (QuietHours(time(23), time(2, 30), BERLIN), _build_time(10, 25, 1, 15), None),
    ],
)
def test_quiet_until(hours: QuietHours, now: datetime, until: datetime | None) -> None:
    assert evaluate_quiet_hours(hours, now).until == until


@pytest.mark.parametrize(
    ("hours", "now", "since"),
    [
        (NIGHT, _build_time(11, 23, 7), _build_time(11, 23, 7)),
        (NIGHT, _build_time(11, 23, 21, 59), _build_time(11, 23, 7)),
        (SIESTA, _build_time(11, 23, 3), _build_time(11, 22, 14)),
        (QuietHours(time(23), time(2, 30), BERLIN), _build_time(10, 25, 1, 45), _build_time(10, 25, 0, 30)),
    ],
)
def test_quiet_ended_at(hours: QuietHours, now: datetime, since: datetime) -> None:
    assert evaluate_quiet_hours(hours, now).deferred_before == since


@pytest.mark.parametrize("month", [1, 3, 6, 10])
def test_each_night_has_one_quiet_period(month: int) -> None:
    """In steps of ten minutes over four weeks, also when clocks change."""
    now = datetime(2026, month, 3, 12, tzinfo=UTC)
    quiet = [
        evaluate_quiet_hours(NIGHT, now + timedelta(minutes=10 * step)).until is not None
        for step in range(28 * 144)
    ]
    beginnings = sum(after and not before for before, after in pairwise(quiet))
    assert beginnings == 28


def test_combines_mute_and_quiet_hours() -> None:
    now, failures_now = _build_time(11, 22, 23), QuietHours(time(23), time(8), BERLIN, allow_failures=True)
    quiet_hours_deferral = evaluate_quiet_hours(failures_now, now)
    assert quiet_hours_deferral.allow_failures
    mute_deferral = evaluate_mute(Mute(_build_time(11, 22, 23, 30)), now)
    assert combine_deferrals(mute_deferral, quiet_hours_deferral) == Deferral(
        _build_time(11, 23, 7), zone=BERLIN, allow_failures=False
    )
    expired_mute = evaluate_mute(Mute(_build_time(11, 22, 22, 30)), now)
    assert combine_deferrals(expired_mute, quiet_hours_deferral) == Deferral(
        _build_time(11, 23, 7), deferred_before=_build_time(11, 22, 22, 30), allow_failures=True, zone=BERLIN
    )
    assert combine_deferrals(expired_mute, Deferral()) == Deferral(deferred_before=_build_time(11, 22, 22, 30))
