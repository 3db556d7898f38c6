"""The kinds of arguments that are times: durations, ranges of hours, times of the day."""

import re
from dataclasses import dataclass
from datetime import time, timedelta
from enum import Enum
from typing import Annotated

from clearml_chatops.models.errors import InvalidValueError


class Off(Enum):
    """`off` in place of a time."""

    OFF = "off"


_MAX_MUTE = timedelta(days=30)
_DURATION = re.compile(r"(?:(\d{1,3})d)?(?:(\d{1,3})h)?(?:(\d{1,4})m(?:in)?)?")
_TIME_OF_DAY = r"(\d{1,2})(?:[:.](\d{2}))?"


@dataclass(frozen=True, slots=True)
class MuteDuration:
    """How long to mute: `2h`, `1h30m`, a time of the day as the end, or `off`."""

    completion: str = ""

    def convert(self, text: str, *, name: str) -> timedelta | time | Off:
        normalized = text.strip().casefold()
        if normalized == Off.OFF.value:
            return Off.OFF
        if ":" in normalized and (until := _parse_time(normalized)) is not None:
            return until
        match = _DURATION.fullmatch(normalized)
        days, hours, minutes = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
        duration = timedelta(days=days, hours=hours, minutes=minutes)
        if timedelta(0) < duration <= _MAX_MUTE:
            return duration
        raise InvalidValueError(
            value=text,
            expected="a duration or time",
            name=name,
            advice="write it like 30m, 2h or 1d (30d at most), 08:00 for an end time, or off.",
        )


@dataclass(frozen=True, slots=True)
class HourRange:
    """`23:00-08:00` or `23-8`, converted to start and end, or `off`."""

    completion: str = ""

    def convert(self, text: str, *, name: str) -> tuple[time, time] | Off:
        normalized = text.strip().casefold()
        if normalized == Off.OFF.value:
            return Off.OFF
        start_text, _, end_text = re.sub(r"\s*[-–—]+\s*", "-", normalized).partition("-")
        start, end = _parse_time(start_text), _parse_time(end_text)
        if start is not None and end is not None and start != end:
            return start, end
        raise InvalidValueError(
            value=text, expected="a range of hours", name=name, advice="write it like 23:00-08:00, or off."
        )


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """`09:00` or `9`, or `off`."""

    completion: str = ""

    def convert(self, text: str, *, name: str) -> time | Off:
        normalized = text.strip().casefold()
        if normalized == Off.OFF.value:
            return Off.OFF
        if (at := _parse_time(normalized)) is not None:
            return at
        raise InvalidValueError(
            value=text, expected="a time of day", name=name, advice="write it like 09:00, or off."
        )


@dataclass(frozen=True, slots=True)
class NowOrLater:
    """`now` or `later`, converted to whether it is `now`."""

    completion: str = ""

    def convert(self, text: str, *, name: str) -> bool:
        normalized = text.strip().casefold()
        if normalized in {"now", "later"}:
            return normalized == "now"
        raise InvalidValueError(value=text, expected="a valid choice", name=name, advice="use now or later.")


def _parse_time(text: str) -> time | None:
    match = re.fullmatch(_TIME_OF_DAY, text)
    hour, minute = (int(match[1]), int(match[2] or 0)) if match else (24, 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None  # noqa: PLR2004  # hours and minutes of a day


MuteDurationOrOff = Annotated[timedelta | time | Off, MuteDuration()]
HourRangeOrOff = Annotated[tuple[time, time] | Off, HourRange()]
TimeOfDayOrOff = Annotated[time | Off, TimeOfDay()]
SendNow = Annotated[bool, NowOrLater()]
