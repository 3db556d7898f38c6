"""Whether hours of quiet hold at a moment, and when they last ended. Pure."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from clearml_chatops.models.quiet import Deferral, Mute, QuietHours
from clearml_chatops.services.notifications.local_time import resolve_local_time

_DAY = timedelta(days=1)


def evaluate_quiet_hours(hours: QuietHours, now: datetime) -> Deferral:
    """Until when it is quiet, or since when it is not."""
    today = now.astimezone(ZoneInfo(hours.zone)).date()
    into_next_day = _DAY if hours.end_time <= hours.start_time else timedelta(0)
    end_times = []
    for day in (today - 2 * _DAY, today - _DAY, today):
        begin = resolve_local_time(day, hours.start_time, hours.zone)
        end = resolve_local_time(day + into_next_day, hours.end_time, hours.zone)
        if begin <= now < end:
            return Deferral(end, allow_failures=hours.allow_failures, zone=hours.zone)
        if end <= now:
            end_times.append(end)
    return Deferral(deferred_before=max(end_times), zone=hours.zone)


def evaluate_mute(mute: Mute, now: datetime) -> Deferral:
    """Until when it is muted, or since when it is not."""
    return Deferral(mute.until) if mute.until > now else Deferral(deferred_before=mute.until)


def combine_deferrals(one: Deferral, other: Deferral) -> Deferral:
    """What holds where two rules do: nothing is told before both allow it."""
    active = [deferral for deferral in (one, other) if deferral.until is not None]
    return Deferral(
        until=max((hold.until for hold in active if hold.until is not None), default=None),
        deferred_before=max(one.deferred_before, other.deferred_before),
        allow_failures=bool(active) and all(hold.allow_failures for hold in active),
        zone=one.zone or other.zone,
    )
