"""Tables of people: identities, conversations, queues, link codes and the audit trail."""

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
    """The person of a private conversation that has another id than their user id."""

    __tablename__ = "private_conversations"

    platform: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))


class TimeZoneRow(Table):
    """A person's time zone, from their own setting or from their platform."""

    __tablename__ = "time_zones"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    zone: Mapped[str]


class QueueBindingRow(Table):
    __tablename__ = "queue_bindings"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    queue_id: Mapped[str]
    queue_name: Mapped[str]


class LinkCodeRow(Table):
    """A one-time code for linking a person's account on another platform. Only its digest is stored."""

    __tablename__ = "link_codes"

    digest: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    expires: Mapped[datetime] = mapped_column(index=True)


class AuditRow(Table):
    """Every command: who, where, what, and the outcome."""

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
    """The last private conversation of a person with the bot on a chat platform."""

    __tablename__ = "direct_messages"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    platform: Mapped[str]
    conversation_id: Mapped[str]
