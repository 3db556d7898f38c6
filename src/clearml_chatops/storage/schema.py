"""The tables. Changing one here asks for a migration; a test compares the two."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcDateTime(TypeDecorator[datetime]):
    """A moment. Rejects naive datetimes; SQLite, which drops the time zone, gets it back as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"a naive datetime reached the database: {value!r}"
            raise ValueError(message)
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)


class Table(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSON, str: String(255)}  # noqa: RUF012


class PersonRow(Table):
    __tablename__ = "people"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    role: Mapped[int]
    clearml_user_id: Mapped[str]
    from_settings: Mapped[bool] = mapped_column(default=False)


class IdentityRow(Table):
    __tablename__ = "identities"

    platform: Mapped[str] = mapped_column(primary_key=True)
    workspace: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))


class QueueBindingRow(Table):
    __tablename__ = "queue_bindings"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    queue_id: Mapped[str]
    queue_name: Mapped[str]


class CurrentExperimentRow(Table):
    """Which experiment a person's commands in a conversation mean when they name none."""

    __tablename__ = "current_experiments"

    conversation: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    experiment_id: Mapped[str]


class DraftEditRow(Table):
    """One edit of a draft, with what stood there before: what /undo needs."""

    __tablename__ = "draft_edits"

    id: Mapped[int] = mapped_column(primary_key=True)
    experiment_id: Mapped[str] = mapped_column(index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime]
    kind: Mapped[str]
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    undone: Mapped[bool]


class ExperimentStateRow(Table):
    """What the watcher saw last of an experiment."""

    __tablename__ = "experiment_states"

    experiment_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    status: Mapped[str]
    status_changed: Mapped[datetime]
    parent_id: Mapped[str]
    started: Mapped[datetime | None]
    completed: Mapped[datetime | None]
    worker_id: Mapped[str]
    pending_since: Mapped[datetime | None]
    stopping_by: Mapped[str]


class ActRow(Table):
    """What a person did last to an experiment by a command, so that it is not announced to himself."""

    __tablename__ = "acts"

    experiment_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime] = mapped_column(index=True)


class WatchRow(Table):
    """A conversation that is told what happens to an experiment."""

    __tablename__ = "watches"
    __table_args__ = (UniqueConstraint("experiment_id", "platform", "conversation_id", "thread"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    experiment_id: Mapped[str]
    platform: Mapped[str]
    conversation_id: Mapped[str]
    thread: Mapped[str]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))


class SubscriptionRow(Table):
    """A conversation that is told of everybody's experiments in a queue or a project."""

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
    told: Mapped[list[str]] = mapped_column(JSON)
    since: Mapped[datetime]
    private: Mapped[bool]


class UnwatchedRow(Table):
    """An experiment of his own of which a person does not want to be told."""

    __tablename__ = "unwatched"

    experiment_id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)


class OwnExperimentsOffRow(Table):
    """A person who is not told of what he enqueues elsewhere than here."""

    __tablename__ = "own_experiments_off"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)


class OwnPlaceRow(Table):
    """Where a person was last alone with the bot on a chat platform."""

    __tablename__ = "own_places"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    platform: Mapped[str]
    conversation_id: Mapped[str]


class WatcherCursorRow(Table):
    """Up to which status change the watcher has seen everything, and from which on; one row."""

    __tablename__ = "watcher_cursor"

    id: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[datetime]
    begun: Mapped[datetime]


class OutboxRow(Table):
    """A notification on its way. The unique key makes each exist once, however often it is seen."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("experiment_id", "kind", "at", "platform", "conversation_id", "thread"),
        # What is still to be sent is found among all that ever was.
        Index(None, "delivered", "platform", "conversation_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    experiment_id: Mapped[str]
    kind: Mapped[str]
    at: Mapped[datetime]
    platform: Mapped[str]
    conversation_id: Mapped[str]
    thread: Mapped[str]
    details: Mapped[dict[str, Any]]
    attempts: Mapped[int]
    noted: Mapped[datetime]
    next_attempt: Mapped[datetime]
    delivered: Mapped[datetime | None]


class ActionRow(Table):
    """What a button does, where the platform's buttons hold only a token."""

    __tablename__ = "actions"

    token: Mapped[str] = mapped_column(primary_key=True)
    line: Mapped[str] = mapped_column(Text)
    question: Mapped[str] = mapped_column(Text)
    in_place: Mapped[bool]
    expires: Mapped[datetime] = mapped_column(index=True)


class QuestionRow(Table):
    """A message that asks the question of an action."""

    __tablename__ = "questions"

    platform: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(ForeignKey("actions.token", ondelete="CASCADE"))


class CardRow(Table):
    """A message of the bot that is about an experiment.

    One that is the experiment's card has a `due` while it has to be edited; `shown_change` is the status
    change that it shows.
    """

    __tablename__ = "cards"

    platform: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(primary_key=True)
    thread: Mapped[str]
    experiment_id: Mapped[str] = mapped_column(index=True)
    is_card: Mapped[bool]
    is_superseded: Mapped[bool]
    due: Mapped[datetime | None] = mapped_column(index=True)
    edited: Mapped[datetime | None]
    shown_change: Mapped[datetime | None]


class CreatedExperimentRow(Table):
    """For whom the bot made an experiment, where ClearML knows only that the bot did."""

    __tablename__ = "created_experiments"

    experiment_id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))


class LinkCodeRow(Table):
    """A code by which a person is known on another platform too; good once. Only its digest is kept."""

    __tablename__ = "link_codes"

    digest: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    expires: Mapped[datetime] = mapped_column(index=True)


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


class StartedWorkerRow(Table):
    """The process of an agent that the bot started."""

    __tablename__ = "started_workers"

    id: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str]
    process_id: Mapped[int]
    process_started: Mapped[datetime]
    started: Mapped[datetime]


class AuditRow(Table):
    """Every command: who, where, what, and how it ended."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    identity: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    conversation: Mapped[str]
    line: Mapped[str] = mapped_column(Text)
    experiment_id: Mapped[str]
    outcome: Mapped[str]
    error_code: Mapped[str]
    incident: Mapped[str]
