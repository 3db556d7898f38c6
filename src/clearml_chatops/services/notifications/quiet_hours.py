"""Whether hours of quiet hold at a moment, and when they last ended. Pure."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from clearml_chatops.models.quiet import Hold, Mute, QuietHours
from clearml_chatops.services.notifications.local_time import moment_of

_DAY = timedelta(days=1)


def quiet_at(hours: QuietHours, now: datetime) -> Hold:
    """Until when it is quiet, or since when it is not."""
    today = now.astimezone(ZoneInfo(hours.zone)).date()
    into_next_day = _DAY if hours.ends <= hours.begins else timedelta(0)
    ends = []
    for day in (today - 2 * _DAY, today - _DAY, today):
        begin = moment_of(day, hours.begins, hours.zone)
        end = moment_of(day + into_next_day, hours.ends, hours.zone)
        if begin <= now < end:
            return Hold(end, failures_now=hours.failures_now, zone=hours.zone)
        if end <= now:
            ends.append(end)
    return Hold(free_since=max(ends), zone=hours.zone)


def muted_at(mute: Mute, now: datetime) -> Hold:
    """Until when it is muted, or since when it is not."""
    return Hold(mute.until) if mute.until > now else Hold(free_since=mute.until)


def both(one: Hold, other: Hold) -> Hold:
    """What holds where two rules do: nothing is told before both allow it."""
    held = [hold for hold in (one, other) if hold.until is not None]
    return Hold(
        until=max((hold.until for hold in held if hold.until is not None), default=None),
        free_since=max(one.free_since, other.free_since),
        failures_now=bool(held) and all(hold.failures_now for hold in held),
        zone=one.zone or other.zone,
    )
