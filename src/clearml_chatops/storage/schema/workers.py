"""The workers and cards of the hosts."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from clearml_chatops.storage.schema.base import Table


class WantedWorkerRow(Table):
    """A worker that should run on a host, whatever crashes there."""

    __tablename__ = "wanted_workers"

    id: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str] = mapped_column(index=True)
    plan: Mapped[dict[str, Any]]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    platform: Mapped[str]
    conversation_id: Mapped[str]
    thread: Mapped[str]
    since: Mapped[datetime]
    draining: Mapped[bool]
    held_queues: Mapped[list[str]] = mapped_column(JSON)
    held_since: Mapped[datetime | None]
    successor: Mapped[dict[str, Any]]
    failures: Mapped[int]
    next_attempt: Mapped[datetime | None]


class StartedWorkerRow(Table):
    """The process of an agent that the bot started."""

    __tablename__ = "started_workers"

    id: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str]
    process_id: Mapped[int]
    process_started: Mapped[datetime]
    started: Mapped[datetime]


class CardWatchRow(Table):
    """Somebody who wants to be told when a card is free; `free_since` is since when it is."""

    __tablename__ = "card_watches"
    __table_args__ = (UniqueConstraint("host", "card", "platform", "conversation_id", "thread"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    host: Mapped[str]
    card: Mapped[str]
    memory: Mapped[int | None] = mapped_column(BigInteger)
    seconds: Mapped[int]
    platform: Mapped[str]
    conversation_id: Mapped[str]
    thread: Mapped[str]
    free_since: Mapped[datetime | None]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))


class CardQuestionRow(Table):
    """Somebody is asked whether another person may have the cards of his worker."""

    __tablename__ = "card_questions"

    token: Mapped[str] = mapped_column(primary_key=True)
    group_token: Mapped[str] = mapped_column(index=True)
    host: Mapped[str]
    asker_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    platform: Mapped[str]
    conversation_id: Mapped[str]
    thread: Mapped[str]
    cards: Mapped[str] = mapped_column(Text)
    line: Mapped[str] = mapped_column(Text)
    request: Mapped[dict[str, Any]]
    asked_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    worker_ids: Mapped[list[str]] = mapped_column(JSON)
    noted: Mapped[datetime]
    expires: Mapped[datetime]
    answer: Mapped[str]
    begun: Mapped[datetime | None]
