"""What people are told, and when."""

from datetime import datetime, time
from typing import Any

from sqlalchemy import (
    ForeignKey,
    Index,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from clearml_chatops.storage.schema.base import Table


class OutboxRow(Table):
    """A notification on its way. The unique key makes each exist once, however often it is seen."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("subject_id", "kind", "at", "platform", "conversation_id", "thread"),
        # What is still to be sent is found among all that ever was.
        Index(None, "delivered", "platform", "conversation_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subject_id: Mapped[str]
    kind: Mapped[str]
    at: Mapped[datetime]
    platform: Mapped[str]
    conversation_id: Mapped[str]
    thread: Mapped[str]
    details: Mapped[dict[str, Any]]
    attempts: Mapped[int]
    queued: Mapped[datetime]
    next_attempt: Mapped[datetime]
    delivered: Mapped[datetime | None]


class QuietHoursRow(Table):
    """When a person is told nothing. `changed` is when he said so, or that it is over where `is_on` is false."""

    __tablename__ = "quiet_hours"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    start_time: Mapped[time]
    end_time: Mapped[time]
    zone: Mapped[str]
    allow_failures: Mapped[bool]
    is_enabled: Mapped[bool]
    changed: Mapped[datetime]


class MuteRow(Table):
    """A conversation, with all its threads, in which nothing is told until a moment."""

    __tablename__ = "mutes"

    platform: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))


class DailyDigestRow(Table):
    """A conversation that is told once a day how its experiments are; `told_until` is up to when it was."""

    __tablename__ = "daily_digests"

    platform: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(primary_key=True)
    thread: Mapped[str] = mapped_column(primary_key=True)
    time_of_day: Mapped[time]
    zone: Mapped[str]
    weekdays_only: Mapped[bool]
    reported_until: Mapped[datetime]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))


class AlertRow(Table):
    """What a conversation is told of once; its number is never given to another, whose button would remove it.

    A row is about a log line where it has no threshold, else about a scalar.
    """

    __tablename__ = "alerts"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012  # the library reads it as it is

    id: Mapped[int] = mapped_column(primary_key=True)
    experiment_id: Mapped[str]
    experiment_name: Mapped[str] = mapped_column(Text)
    metric: Mapped[str] = mapped_column(Text)
    comparison: Mapped[str]
    threshold: Mapped[float | None]
    pattern: Mapped[str] = mapped_column(Text)
    platform: Mapped[str]
    conversation_id: Mapped[str]
    thread: Mapped[str]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    created: Mapped[datetime]
    extreme: Mapped[float | None]
    log_since: Mapped[datetime | None]
    log_read_until: Mapped[datetime | None]


class StallRow(Table):
    """Something of an experiment that has not moved for a while, and whether an alarm was given of it."""

    __tablename__ = "stalls"

    experiment_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime]
    is_notified: Mapped[bool]
