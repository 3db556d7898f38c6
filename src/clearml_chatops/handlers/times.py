"""The kinds of arguments that are times: how long, which hours, when of a day."""

import re
from dataclasses import dataclass
from datetime import time, timedelta
from enum import Enum
from typing import Annotated

from clearml_chatops.models.errors import InvalidValueError


class Off(Enum):
    """Where a time could stand, the wish that there be none."""

    OFF = "off"


_LONGEST_MUTE = timedelta(days=30)
_LENGTH = re.compile(r"(?:(\d{1,3})d)?(?:(\d{1,3})h)?(?:(\d{1,4})m(?:in)?)?")
_TIME = r"(\d{1,2})(?:[:.](\d{2}))?"


@dataclass(frozen=True, slots=True)
class MuteLength:
    """`2h`, `1h30m`, a time of the day until which, or `off`."""

    completes: str = ""

    def convert(self, text: str, *, name: str) -> timedelta | time | Off:
        wanted = text.strip().casefold()
        if wanted == Off.OFF.value:
            return Off.OFF
        if ":" in wanted and (until := _time(wanted)) is not None:
            return until
        match = _LENGTH.fullmatch(wanted)
        days, hours, minutes = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
        length = timedelta(days=days, hours=hours, minutes=minutes)
        if timedelta(0) < length <= _LONGEST_MUTE:
            return length
        raise InvalidValueError(
            value=text,
            expected="a time to be quiet",
            name=name,
            advice="write it like 30m, 2h, 1d (30d at most), 08:00 for until then, or off.",
        )


@dataclass(frozen=True, slots=True)
class Hours:
    """`23:00-08:00` or `23-8`, as beginning and end, or `off`."""

    completes: str = ""

    def convert(self, text: str, *, name: str) -> tuple[time, time] | Off:
        wanted = text.strip().casefold()
        if wanted == Off.OFF.value:
            return Off.OFF
        begins, _, ends = re.sub(r"\s*[-–—]+\s*", "-", wanted).partition("-")
        first, last = _time(begins), _time(ends)
        if first is not None and last is not None and first != last:
            return first, last
        raise InvalidValueError(
            value=text, expected="hours of the day", name=name, advice="write them like 23:00-08:00, or off."
        )


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """`09:00` or `9`, or `off`."""

    completes: str = ""

    def convert(self, text: str, *, name: str) -> time | Off:
        wanted = text.strip().casefold()
        if wanted == Off.OFF.value:
            return Off.OFF
        if (at := _time(wanted)) is not None:
            return at
        raise InvalidValueError(
            value=text, expected="a time of the day", name=name, advice="write it like 09:00, or off."
        )


@dataclass(frozen=True, slots=True)
class NowOrLater:
    """Whether something is told `now`, or `later`."""

    completes: str = ""

    def convert(self, text: str, *, name: str) -> bool:
        wanted = text.strip().casefold()
        if wanted in {"now", "later"}:
            return wanted == "now"
        raise InvalidValueError(value=text, expected="now or later", name=name, advice="use one of the two.")


def _time(text: str) -> time | None:
    match = re.fullmatch(_TIME, text)
    hour, minute = (int(match[1]), int(match[2] or 0)) if match else (24, 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None  # noqa: PLR2004  # as clocks have it


HowLongMuted = Annotated[timedelta | time | Off, MuteLength()]
HoursOfADay = Annotated[tuple[time, time] | Off, Hours()]
TimeOfADay = Annotated[time | Off, TimeOfDay()]
ToldNow = Annotated[bool, NowOrLater()]
