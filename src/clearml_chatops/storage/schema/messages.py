"""Tables of chat messages: handled ones, the actions of buttons, their questions and their experiments."""

from datetime import datetime

from sqlalchemy import (
    ForeignKey,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from clearml_chatops.storage.schema.base import Table


class ActionRow(Table):
    """The action of a button on a platform that allows only a token."""

    __tablename__ = "actions"

    token: Mapped[str] = mapped_column(primary_key=True)
    command: Mapped[str] = mapped_column(Text)
    question: Mapped[str] = mapped_column(Text)
    in_place: Mapped[bool]
    expires: Mapped[datetime] = mapped_column(index=True)


class HandledRequestRow(Table):
    """A request of a platform. It is stored before it is carried out, and finished when it was answered."""

    __tablename__ = "handled_requests"

    platform: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    is_finished: Mapped[bool]
    received: Mapped[datetime] = mapped_column(index=True)


class QuestionRow(Table):
    """A message that asks the question of an action."""

    __tablename__ = "questions"

    platform: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(ForeignKey("actions.token", ondelete="CASCADE"))


class CardRow(Table):
    """A message of the bot that is about an experiment.

    An experiment's card has a `due` time while it has to be edited; `shown_status_changed` is the time of the
    status change that it shows.
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
    shown_status_changed: Mapped[datetime | None]
