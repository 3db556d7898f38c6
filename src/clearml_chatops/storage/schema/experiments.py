"""Tables of experiments: edits, states, watches and subscriptions."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ForeignKey,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from clearml_chatops.storage.schema.base import Table


class CurrentExperimentRow(Table):
    """The experiment that a person's commands in a conversation use when they name none."""

    __tablename__ = "current_experiments"

    conversation: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    experiment_id: Mapped[str]


class DraftEditRow(Table):
    """One edit of a draft, with the previous values for /undo."""

    __tablename__ = "draft_edits"

    id: Mapped[int] = mapped_column(primary_key=True)
    experiment_id: Mapped[str] = mapped_column(index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime]
    kind: Mapped[str]
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    is_undone: Mapped[bool]


class CreatedExperimentRow(Table):
    """The person that the bot made an experiment for, if ClearML has only the bot as its user."""

    __tablename__ = "created_experiments"

    experiment_id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))


class ExperimentStateRow(Table):
    """The last state of an experiment that the watcher saw."""

    __tablename__ = "experiment_states"

    experiment_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    # Indexed because each poll selects the few that are pending or running.
    status: Mapped[str] = mapped_column(index=True)
    status_changed: Mapped[datetime]
    parent_id: Mapped[str]
    started: Mapped[datetime | None]
    completed: Mapped[datetime | None]
    worker_id: Mapped[str]
    pending_since: Mapped[datetime | None]
    stop_requested_by: Mapped[str]


class OwnActionRow(Table):
    """What a person last did to an experiment by a command; they are not notified of it."""

    __tablename__ = "own_actions"

    experiment_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime] = mapped_column(index=True)


class WatchRow(Table):
    """A conversation that gets notified about an experiment."""

    __tablename__ = "watches"
    __table_args__ = (UniqueConstraint("experiment_id", "platform", "conversation_id", "thread"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    experiment_id: Mapped[str]
    platform: Mapped[str]
    conversation_id: Mapped[str]
    thread: Mapped[str]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))


class SubscriptionRow(Table):
    """A conversation that gets notified of everybody's experiments in a queue or a project."""

    __tablename__ = "subscriptions"
    __table_args__ = (UniqueConstraint("kind", "target_id", "platform", "conversation_id", "thread"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    target_id: Mapped[str]
    name: Mapped[str] = mapped_column(Text)
    platform: Mapped[str]
    conversation_id: Mapped[str]
    thread: Mapped[str]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    event_kinds: Mapped[list[str]] = mapped_column(JSON)
    since: Mapped[datetime]
    private: Mapped[bool]


class ExperimentOptOutRow(Table):
    """One of a person's own experiments that they do not want notifications about."""

    __tablename__ = "experiment_opt_outs"

    experiment_id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)


class OwnExperimentsOptOutRow(Table):
    """A person who gets no notifications about experiments that they enqueue outside the bot."""

    __tablename__ = "own_experiments_opt_outs"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)


class WatcherCursorRow(Table):
    """The range of status changes that the watcher has seen: from `started` to `position`. One row."""

    __tablename__ = "watcher_cursor"

    id: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[datetime]
    started: Mapped[datetime]
