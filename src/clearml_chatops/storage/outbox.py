"""Notifications between the transaction that saw the event and the message that tells it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, Notice, Notification, subject_of
from clearml_chatops.models.replies import Button
from clearml_chatops.storage.schema import OutboxRow
from clearml_chatops.storage.upserts import insert_into

_NOTICE = "notice"
"""The kind of a row that is about no experiment; what it is about stands where an experiment's id would."""


class OutboxStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(
        self, notifications: Iterable[tuple[ExperimentEvent | Notice, Conversation]], *, now: datetime
    ) -> None:
        """Puts events in for their recipients, in this order; what a recipient has already stays as it is."""
        rows = [_to_row(event, recipient, now) for event, recipient in notifications]
        if rows:
            await self._session.execute(insert_into(self._session, OutboxRow).on_conflict_do_nothing(), rows)

    async def due(self, platform: str, conversation_id: str, *, now: datetime, limit: int) -> list[Notification]:
        """What is to be sent to a conversation now, in the order in which it happened.

        What waits for another attempt holds up all that happened after it.
        """
        rows = await self._session.scalars(
            select(OutboxRow)
            .where(
                OutboxRow.delivered.is_(None),
                OutboxRow.platform == platform,
                OutboxRow.conversation_id == conversation_id,
            )
            .order_by(OutboxRow.id)
            .limit(limit)
        )
        return [_to_notification(row) for row in takewhile(lambda row: row.next_attempt <= now, rows)]

    async def waiting_conversations(self, platform: str, *, now: datetime) -> list[str]:
        """The ids of a platform's conversations to which something is due."""
        found = await self._session.scalars(
            select(OutboxRow.conversation_id)
            .where(OutboxRow.platform == platform, OutboxRow.delivered.is_(None), OutboxRow.next_attempt <= now)
            .distinct()
            .order_by(OutboxRow.conversation_id)
        )
        return list(found)

    async def has(self, event: ExperimentEvent | Notice, recipient: Conversation) -> bool:
        """Whether the recipient has been told of the event, or is to be."""
        found = await self._session.scalar(
            select(OutboxRow.id).where(
                OutboxRow.experiment_id == subject_of(event)[1],
                OutboxRow.kind == _kind(event),
                OutboxRow.at == event.at,
                OutboxRow.platform == recipient.platform,
                OutboxRow.conversation_id == recipient.id,
                OutboxRow.thread == recipient.thread,
            )
        )
        return found is not None

    async def undelivered(self, experiment_id: str, recipient: Conversation) -> int:
        """How many notifications of this experiment the recipient has still to get."""
        count = await self._session.scalar(
            select(func.count())
            .select_from(OutboxRow)
            .where(
                OutboxRow.experiment_id == experiment_id,
                OutboxRow.platform == recipient.platform,
                OutboxRow.conversation_id == recipient.id,
                OutboxRow.delivered.is_(None),
            )
        )
        return count or 0

    async def mark_delivered(self, *notification_ids: int, at: datetime) -> None:
        """One statement: between the platform's answer and this a killed program forgets that it has told."""
        await self._session.execute(
            update(OutboxRow)
            .where(OutboxRow.id.in_(notification_ids))
            .values(delivered=at)
            .execution_options(synchronize_session=False)
        )

    async def forget_delivered(self, before: datetime) -> int:
        """Deletes what was delivered before a moment; gives how many it was."""
        deleted = await self._session.execute(delete(OutboxRow).where(OutboxRow.delivered < before))
        return cast("CursorResult[Any]", deleted).rowcount

    async def postpone(self, *notification_ids: int, until: datetime) -> None:
        """Counts a failed attempt and sets the time of the next."""
        for notification_id in notification_ids:
            row = await self._session.get_one(OutboxRow, notification_id)
            row.attempts += 1
            row.next_attempt = until


def _to_row(event: ExperimentEvent | Notice, recipient: Conversation, now: datetime) -> dict[str, Any]:
    return {
        "experiment_id": subject_of(event)[1],
        "kind": _kind(event),
        "at": event.at,
        "platform": recipient.platform,
        "conversation_id": recipient.id,
        "thread": recipient.thread,
        "details": _to_details(event),
        "attempts": 0,
        "noted": now,
        "next_attempt": now,
        "delivered": None,
    }


def _kind(event: ExperimentEvent | Notice) -> str:
    return _NOTICE if isinstance(event, Notice) else event.kind.value


def _to_details(event: ExperimentEvent | Notice) -> dict[str, Any]:
    if isinstance(event, Notice):
        offers = [[offer.label, offer.command] for offer in event.offers]
        return {
            "text": event.text,
            "is_trouble": event.is_trouble,
            "offers": offers,
            "more": list(event.more),
            "quote": event.quote,
            "experiment": event.experiment_id,
            "person": event.person_id,
        }
    return {
        "name": event.experiment_name,
        "worker": event.worker_id,
        "waited": event.waited.total_seconds() if event.waited is not None else None,
        "ran": event.ran.total_seconds() if event.ran is not None else None,
        "by": event.by,
        "by_name": event.by_name,
        "reason": event.reason,
        "owner": event.owner,
        "people": list(event.people),
    }


def _to_notification(row: OutboxRow) -> Notification:
    return Notification(
        id=row.id,
        event=_to_notice(row) if row.kind == _NOTICE else _to_event(row),
        recipient=Conversation(row.platform, row.conversation_id, row.thread),
        attempts=row.attempts,
        noted=row.noted,
    )


def _to_notice(row: OutboxRow) -> Notice:
    return Notice(
        subject=row.experiment_id,
        text=row.details["text"],
        at=row.at,
        is_trouble=row.details["is_trouble"],
        offers=tuple(Button(label, command) for label, command in row.details["offers"]),
        quote=row.details.get("quote", ""),
        experiment_id=row.details.get("experiment", ""),
        person_id=row.details.get("person"),
        more=tuple(row.details.get("more", ())),
    )


def _to_event(row: OutboxRow) -> ExperimentEvent:
    waited, ran = row.details["waited"], row.details["ran"]
    return ExperimentEvent(
        kind=EventKind(row.kind),
        experiment_id=row.experiment_id,
        experiment_name=row.details["name"],
        at=row.at,
        worker_id=row.details["worker"],
        waited=timedelta(seconds=waited) if waited is not None else None,
        ran=timedelta(seconds=ran) if ran is not None else None,
        by=row.details.get("by", ""),
        by_name=row.details.get("by_name", ""),
        reason=row.details.get("reason", ""),
        owner=row.details.get("owner", ""),
        people=tuple(row.details.get("people", ())),
    )
