"""Tables of workers and GPUs, by host."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from clearml_chatops.storage.schema.base import Table


class DesiredWorkerRow(Table):
    """A worker that should run on a host; it is restarted after crashes."""

    __tablename__ = "desired_workers"

    id: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str] = mapped_column(index=True)
    plan: Mapped[dict[str, Any]]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    platform: Mapped[str]
    conversation_id: Mapped[str]
    thread: Mapped[str]
    created: Mapped[datetime]
    draining: Mapped[bool]
    paused_queue_ids: Mapped[list[str]] = mapped_column(JSON)
    paused_since: Mapped[datetime | None]
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


class GpuWatchRow(Table):
    """A conversation that gets notified when a GPU is free; `free_since` is since when it is."""

    __tablename__ = "gpu_watches"
    __table_args__ = (UniqueConstraint("host", "gpu", "platform", "conversation_id", "thread"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    host: Mapped[str]
    gpu: Mapped[str]
    required_memory: Mapped[int | None] = mapped_column(BigInteger)
    required_seconds: Mapped[int]
    platform: Mapped[str]
    conversation_id: Mapped[str]
    thread: Mapped[str]
    free_since: Mapped[datetime | None]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))


class GpuRequestRow(Table):
    """A request to the owner of a worker to share or hand over its GPUs."""

    __tablename__ = "gpu_requests"

    token: Mapped[str] = mapped_column(primary_key=True)
    group_token: Mapped[str] = mapped_column(index=True)
    host: Mapped[str]
    requester_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    platform: Mapped[str]
    conversation_id: Mapped[str]
    thread: Mapped[str]
    gpu_label: Mapped[str] = mapped_column(Text)
    command: Mapped[str] = mapped_column(Text)
    details: Mapped[dict[str, Any]]
    owner_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    worker_ids: Mapped[list[str]] = mapped_column(JSON)
    created: Mapped[datetime]
    expires: Mapped[datetime]
    answer: Mapped[str]
    handover_started: Mapped[datetime | None]
