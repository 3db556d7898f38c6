"""Local times and daylight saving time. Pure."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_FRIDAY = 4


def resolve_local_time(day: date, at: time, zone: str) -> datetime:
    """Return the first moment of a day at which clocks in the zone show `at` or later, in UTC.

    In the hour that autumn repeats, this is the first occurrence. A time that spring skips resolves to the
    moment of the change.
    """
    local = datetime.combine(day, at, ZoneInfo(zone))
    earlier, later = sorted((local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)))
    if earlier.astimezone(local.tzinfo).replace(tzinfo=None) == local.replace(tzinfo=None):
        return earlier
    # No clock shows this time. The change lies between its readings by the offsets after and before it.
    while later - earlier > _SECOND:
        middle = earlier + (later - earlier) // 2
        has_jumped = middle.astimezone(local.tzinfo).replace(tzinfo=None) >= local.replace(tzinfo=None)
        earlier, later = (earlier, middle) if has_jumped else (middle, later)
    return later.replace(microsecond=0)


def find_next_occurrence(at: time, zone: str, now: datetime) -> datetime:
    """Return when clocks in the zone next show `at`; always after `now`."""
    today = now.astimezone(ZoneInfo(zone)).date()
    moments = (resolve_local_time(today + days * _DAY, at, zone) for days in range(3))
    return next(moment for moment in moments if moment > now)


def find_last_occurrences(
    at: time, zone: str, now: datetime, *, weekdays_only: bool = False
) -> tuple[datetime, datetime]:
    """Return the last two moments up to `now` at which clocks in the zone showed `at`, the later one first."""
    moments = _iterate_past_occurrences(at, zone, now, weekdays_only=weekdays_only)
    return next(moments), next(moments)


def is_tomorrow(moment: datetime, zone: str, now: datetime) -> bool:
    """Return whether a moment is on the day after `now`, by the clocks in the zone."""
    time_zone = ZoneInfo(zone)
    return moment.astimezone(time_zone).date() - now.astimezone(time_zone).date() == _DAY


def format_local_time(moment: datetime, zone: str, *, now: datetime | None = None) -> str:
    """Return the local time, with the weekday if it is not the day of `now`; UTC if the zone is empty."""
    local = moment.astimezone(ZoneInfo(zone) if zone else UTC)
    is_same_day = now is None or local.date() == now.astimezone(local.tzinfo).date()
    return f"{local:%H:%M}" if is_same_day else f"{local:%a %H:%M}"


def _iterate_past_occurrences(at: time, zone: str, now: datetime, *, weekdays_only: bool) -> Iterator[datetime]:
    day = now.astimezone(ZoneInfo(zone)).date()
    while True:
        moment = resolve_local_time(day, at, zone)
        if moment <= now and (day.weekday() <= _FRIDAY or not weekdays_only):
            yield moment
        day -= _DAY
