"""Quiet hours, mutes and daily digests."""

from dataclasses import dataclass
from datetime import UTC, datetime, time

from clearml_chatops.models.messages import Conversation

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The hours of each day in which a person gets no notifications; they may span midnight.

    `zone` is the name of their time zone. If `allow_failures`, failures are sent anyway.
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
    """A pause of a conversation's notifications until a time, and who set it."""

    until: datetime
    person_name: str = ""


@dataclass(frozen=True, slots=True)
class Deferral:
    """Whether notifications of a conversation are deferred at present.

    They are until `until`, except failures if `allow_failures`. Those queued before `deferred_before` and not
    sent yet were deferred, and are sent as one summary. `zone` is the recipient's time zone, if known.
    """

    until: datetime | None = None
    deferred_before: datetime = _LONG_AGO
    allow_failures: bool = False
    zone: str = ""


@dataclass(frozen=True, slots=True)
class DailyDigest:
    """A conversation's daily summary of its experiments, sent at `time_of_day` in the time zone `zone`.

    `reported_until` is the time of the last one, or when it was set up; `person_id` is who set it up.
    """

    conversation: Conversation
    time_of_day: time
    zone: str
    weekdays_only: bool
    reported_until: datetime
    person_id: int | None = None
