"""Who is who, whose queue is whose, and who did what."""

from datetime import datetime

from sqlalchemy import (
    ForeignKey,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from clearml_chatops.storage.schema.base import Table


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


class PrivateConversationRow(Table):
    """Whose a conversation is that only one person and the bot have, where it has not his own id."""

    __tablename__ = "private_conversations"

    platform: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))


class TimeZoneRow(Table):
    """By which clocks a person lives, as he or his platform said."""

    __tablename__ = "time_zones"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    zone: Mapped[str]


class QueueBindingRow(Table):
    __tablename__ = "queue_bindings"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    queue_id: Mapped[str]
    queue_name: Mapped[str]


class LinkCodeRow(Table):
    """A code by which a person is known on another platform too; good once. Only its digest is kept."""

    __tablename__ = "link_codes"

    digest: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    expires: Mapped[datetime] = mapped_column(index=True)


class AuditRow(Table):
    """Every command: who, where, what, and how it ended."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    identity: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    conversation: Mapped[str]
    command: Mapped[str] = mapped_column(Text)
    experiment_id: Mapped[str]
    outcome: Mapped[str]
    error_code: Mapped[str]
    incident_id: Mapped[str]


class DirectMessageRow(Table):
    """Where a person was last alone with the bot on a chat platform."""

    __tablename__ = "direct_messages"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    platform: Mapped[str]
    conversation_id: Mapped[str]
