"""Tables of notifications, quiet hours, mutes, digests, alerts and stalls."""

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
    """A queued or sent notification. The unique key keeps an event that is seen twice from being sent twice.

    `burst_id` is the burst with the message that shows it, if it has no message of its own.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("subject_id", "kind", "at", "platform", "conversation_id", "thread"),
        # For finding undelivered rows among all that were ever sent.
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
    burst_id: Mapped[int | None] = mapped_column(index=True)


class BurstRow(Table):
    """A burst. `due` is when it needs attention next, None once it has ended and nothing is left to do.

    `sent_conversation_id` and `message_id` identify its message, and are empty until that was sent.
    """

    __tablename__ = "bursts"
    __table_args__ = (
        Index(None, "due", "platform", "conversation_id"),
        # Its number is never reused: sent notifications would otherwise belong to another burst.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    platform: Mapped[str]
    conversation_id: Mapped[str]
    thread: Mapped[str]
    started: Mapped[datetime]
    last_event: Mapped[datetime]
    shown: Mapped[datetime | None]
    due: Mapped[datetime | None]
    sent_conversation_id: Mapped[str]
    message_id: Mapped[str]


class QuietHoursRow(Table):
    """A person's quiet hours. `changed` is when they were set, or turned off if not `is_enabled`."""

    __tablename__ = "quiet_hours"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    start_time: Mapped[time]
    end_time: Mapped[time]
    zone: Mapped[str]
    allow_failures: Mapped[bool]
    is_enabled: Mapped[bool]
    changed: Mapped[datetime]


class MuteRow(Table):
    """A pause of the notifications of a conversation and all its threads."""

    __tablename__ = "mutes"

    platform: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))


class DailyDigestRow(Table):
    """A conversation's daily digest; `reported_until` is the end of the time that the last one covered."""

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
    """An alert. Its number is never reused: an old button would otherwise remove another alert.

    A row without a threshold is about a log line, any other about a scalar.
    """

    __tablename__ = "alerts"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012  # SQLAlchemy expects a plain dict

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
    """A condition of an experiment that has not changed for a while, and whether people were notified."""

    __tablename__ = "stalls"

    experiment_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime]
    is_notified: Mapped[bool]
