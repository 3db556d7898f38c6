"""The outbox: notifications from the transaction that saw the event until the message is sent."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import (
    EventKind,
    ExperimentEvent,
    Notice,
    Notification,
    StoredDiagnosis,
    get_subject,
)
from clearml_chatops.models.replies import Button
from clearml_chatops.storage.schema import OutboxRow
from clearml_chatops.storage.upserts import build_insert

_NOTICE_KIND = "notice"
"""The kind of a row that holds a Notice; `subject_id` is then its subject instead of an experiment's id."""


class OutboxStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(
        self, notifications: Iterable[tuple[ExperimentEvent | Notice, Conversation]], *, now: datetime
    ) -> None:
        """Queue events for conversations, in this order; those that a conversation already has stay unchanged."""
        rows = [_to_row(event, conversation, now) for event, conversation in notifications]
        if rows:
            await self._session.execute(build_insert(self._session, OutboxRow).on_conflict_do_nothing(), rows)

    async def list_due(
        self, platform: str, conversation_id: str, *, now: datetime, limit: int
    ) -> list[Notification]:
        """Return what is due for a conversation, in the order in which it was queued.

        A notification that waits for its next attempt holds back all after it.
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

    async def list_undelivered(self) -> list[Notification]:
        """Return what is queued for any conversation, whether it's due or not."""
        rows = await self._session.scalars(select(OutboxRow).where(OutboxRow.delivered.is_(None)))
        return [_to_notification(row) for row in rows]

    async def list_delivered_of_burst(self, burst_id: int) -> list[Notification]:
        """Return the notifications that the message of a burst shows already, in the order of their events."""
        rows = await self._session.scalars(
            select(OutboxRow)
            .where(OutboxRow.burst_id == burst_id, OutboxRow.delivered.is_not(None))
            .order_by(OutboxRow.id)
        )
        return [_to_notification(row) for row in rows]

    async def count_delivered_by_thread(
        self, platform: str, conversation_id: str, *, since: datetime
    ) -> dict[str, int]:
        """Return how many notifications were delivered in messages of their own since a time, by thread."""
        rows = await self._session.execute(
            select(OutboxRow.thread, func.count())
            .where(
                OutboxRow.delivered > since,
                OutboxRow.platform == platform,
                OutboxRow.conversation_id == conversation_id,
                OutboxRow.burst_id.is_(None),
            )
            .group_by(OutboxRow.thread)
        )
        return dict(rows.tuples().all())

    async def list_due_conversation_ids(self, platform: str, *, now: datetime) -> list[str]:
        """Return the ids of a platform's conversations with due notifications."""
        is_due = (OutboxRow.platform == platform, OutboxRow.delivered.is_(None), OutboxRow.next_attempt <= now)
        ids = select(OutboxRow.conversation_id).where(*is_due).distinct().order_by(OutboxRow.conversation_id)
        return list(await self._session.scalars(ids))

    async def has_notification(self, event: ExperimentEvent | Notice, conversation: Conversation) -> bool:
        """Return whether the event is queued for the conversation, or was sent to it."""
        found = await self._session.scalar(
            select(OutboxRow.id).where(
                OutboxRow.subject_id == get_subject(event)[1],
                OutboxRow.kind == _get_kind(event),
                OutboxRow.at == event.at,
                OutboxRow.platform == conversation.platform,
                OutboxRow.conversation_id == conversation.id,
                OutboxRow.thread == conversation.thread,
            )
        )
        return found is not None

    async def count_undelivered(self, experiment_id: str, conversation: Conversation) -> int:
        """Return how many notifications about this experiment are not yet sent to the conversation."""
        count = await self._session.scalar(
            select(func.count())
            .select_from(OutboxRow)
            .where(
                OutboxRow.subject_id == experiment_id,
                OutboxRow.platform == conversation.platform,
                OutboxRow.conversation_id == conversation.id,
                OutboxRow.delivered.is_(None),
            )
        )
        return count or 0

    async def mark_delivered(self, *notification_ids: int, at: datetime, burst_id: int | None = None) -> None:
        """Store that these were sent, in a message of their own or in the one of a burst.

        One statement: a program killed before it would send them again.
        """
        change = update(OutboxRow).where(OutboxRow.id.in_(notification_ids))
        change = change.values(delivered=at, burst_id=burst_id)
        await self._session.execute(change.execution_options(synchronize_session=False))

    async def remove_delivered(self, before: datetime) -> int:
        """Delete notifications that were delivered before a time. Return how many."""
        deleted = await self._session.execute(delete(OutboxRow).where(OutboxRow.delivered < before))
        return cast("CursorResult[Any]", deleted).rowcount

    async def put_diagnoses(self, diagnoses: Mapping[int, StoredDiagnosis]) -> None:
        """Store why runs failed, by the id of the notification."""
        for notification_id, diagnosis in diagnoses.items():
            row = await self._session.get_one(OutboxRow, notification_id)
            # A new dict, because a change inside of one isn't noticed.
            row.details = {**row.details, "cause": diagnosis.cause, "can_retry": diagnosis.can_retry}

    async def delay(self, *notification_ids: int, until: datetime) -> None:
        """Set the time of the next attempt without counting one as failed."""
        change = update(OutboxRow).where(OutboxRow.id.in_(notification_ids)).values(next_attempt=until)
        await self._session.execute(change.execution_options(synchronize_session=False))

    async def postpone(self, *notification_ids: int, until: datetime) -> None:
        """Count a failed attempt and set the time of the next."""
        for notification_id in notification_ids:
            row = await self._session.get_one(OutboxRow, notification_id)
            row.attempts += 1
            row.next_attempt = until


def _to_row(event: ExperimentEvent | Notice, conversation: Conversation, now: datetime) -> dict[str, Any]:
    return {
        "subject_id": get_subject(event)[1],
        "kind": _get_kind(event),
        "at": event.at,
        "platform": conversation.platform,
        "conversation_id": conversation.id,
        "thread": conversation.thread,
        "details": _to_details(event),
        "attempts": 0,
        "queued": now,
        "next_attempt": now,
        "delivered": None,
    }


def _get_kind(event: ExperimentEvent | Notice) -> str:
    return _NOTICE_KIND if isinstance(event, Notice) else event.kind.value


def _to_details(event: ExperimentEvent | Notice) -> dict[str, Any]:
    if isinstance(event, Notice):
        buttons = [[button.label, button.command] for button in event.buttons]
        return {
            "text": event.text,
            "is_warning": event.is_warning,
            "buttons": buttons,
            "extra_texts": list(event.extra_texts),
            "quote": event.quote,
            "experiment_id": event.experiment_id,
            "person_id": event.person_id,
        }
    return {
        "experiment_name": event.experiment_name,
        "worker_id": event.worker_id,
        "waiting_seconds": event.waiting_time.total_seconds() if event.waiting_time is not None else None,
        "running_seconds": event.running_time.total_seconds() if event.running_time is not None else None,
        "actor_id": event.actor_id,
        "actor_name": event.actor_name,
        "reason": event.reason,
        "owner_name": event.owner_name,
        "person_ids": list(event.person_ids),
    }


def _to_notification(row: OutboxRow) -> Notification:
    return Notification(
        id=row.id,
        event=_to_notice(row) if row.kind == _NOTICE_KIND else _to_event(row),
        conversation=Conversation(row.platform, row.conversation_id, row.thread),
        attempts=row.attempts,
        queued=row.queued,
        burst_id=row.burst_id,
        diagnosis=_to_diagnosis(row.details),
    )


def _to_diagnosis(details: dict[str, Any]) -> StoredDiagnosis | None:
    return StoredDiagnosis(details["cause"], details["can_retry"]) if "cause" in details else None


def _to_notice(row: OutboxRow) -> Notice:
    return Notice(
        subject=row.subject_id,
        text=row.details["text"],
        at=row.at,
        is_warning=row.details["is_warning"],
        buttons=tuple(Button(label, command) for label, command in row.details["buttons"]),
        quote=row.details.get("quote", ""),
        experiment_id=row.details.get("experiment_id", ""),
        person_id=row.details.get("person_id"),
        extra_texts=tuple(row.details.get("extra_texts", ())),
    )


def _to_event(row: OutboxRow) -> ExperimentEvent:
    waiting_seconds, running_seconds = row.details["waiting_seconds"], row.details["running_seconds"]
    return ExperimentEvent(
        kind=EventKind(row.kind),
        experiment_id=row.subject_id,
        experiment_name=row.details["experiment_name"],
        at=row.at,
        worker_id=row.details["worker_id"],
        waiting_time=timedelta(seconds=waiting_seconds) if waiting_seconds is not None else None,
        running_time=timedelta(seconds=running_seconds) if running_seconds is not None else None,
        actor_id=row.details.get("actor_id", ""),
        actor_name=row.details.get("actor_name", ""),
        reason=row.details.get("reason", ""),
        owner_name=row.details.get("owner_name", ""),
        person_ids=tuple(row.details.get("person_ids", ())),
    )
