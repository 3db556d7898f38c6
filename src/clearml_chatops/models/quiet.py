"""When people want to be told nothing, and when they want it all at once."""

from dataclasses import dataclass
from datetime import UTC, datetime, time

from clearml_chatops.models.messages import Conversation

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The hours of each day in which a person is told nothing; they may go over midnight.

    `zone` is the time zone by whose clocks they are. With `failures_now` failures are told all the same.
    """

    start_time: time
    end_time: time
    zone: str
    allow_failures: bool = False

    @property
    def time_range(self) -> tuple[time, time]:
        return self.start_time, self.end_time


@dataclass(frozen=True, slots=True)
class Mute:
    """A conversation in which nothing is told until a moment, and who wanted that."""

    until: datetime
    person_name: str = ""


@dataclass(frozen=True, slots=True)
class Deferral:
    """Whether a conversation is told anything now.

    It is not before `until`, but of failures where `failures_now`. What was noted before `free_since` and is
    not told yet was held back, and is told all at once. `zone` is that of who is told, where it is known.
    """

    until: datetime | None = None
    deferred_before: datetime = _LONG_AGO
    allow_failures: bool = False
    zone: str = ""


@dataclass(frozen=True, slots=True)
class DailyDigest:
    """A conversation that is told once a day how its experiments are, at `at` by the clocks of `zone`.

    `told_until` is the moment of the last one, or when it was asked for; `person_id` is who wants it.
    """

    conversation: Conversation
    time_of_day: time
    zone: str
    weekdays_only: bool
    reported_until: datetime
    person_id: int | None = None
