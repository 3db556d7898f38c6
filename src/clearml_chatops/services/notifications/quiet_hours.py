"""Whether mutes and quiet hours apply at a moment, and when they last ended. Pure."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from clearml_chatops.models.quiet import Deferral, Mute, QuietHours
from clearml_chatops.services.notifications.local_time import resolve_local_time

_DAY = timedelta(days=1)


def evaluate_quiet_hours(hours: QuietHours, now: datetime) -> Deferral:
    """Return until when quiet hours defer notifications, or when they last ended."""
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
    """Return until when a mute defers notifications, or when it ended."""
    return Deferral(mute.until) if mute.until > now else Deferral(deferred_before=mute.until)


def combine_deferrals(first: Deferral, second: Deferral) -> Deferral:
    """Return the deferral under two rules: notifications wait until both allow them."""
    active = [item for item in (first, second) if item.until is not None]
    return Deferral(
        until=max((item.until for item in active if item.until is not None), default=None),
        deferred_before=max(first.deferred_before, second.deferred_before),
        allow_failures=bool(active) and all(item.allow_failures for item in active),
        zone=first.zone or second.zone,
    )
