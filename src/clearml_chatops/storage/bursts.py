"""Bursts, the messages that show them, and when they need attention."""

from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.models.bursts import Burst
from clearml_chatops.models.messages import Conversation, SentMessage
from clearml_chatops.storage.schema import BurstRow, OutboxRow


class BurstStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def start(self, conversation: Conversation, *, now: datetime) -> Burst:
        """Store a new burst without events."""
        row = BurstRow(
            platform=conversation.platform,
            conversation_id=conversation.id,
            thread=conversation.thread,
            started=now,
            last_event=now,
            due=now,
            sent_conversation_id="",
            message_id="",
        )
        self._session.add(row)
        await self._session.flush()
        return _to_burst(row)

    async def add(self, burst: Burst, *notification_ids: int, now: datetime) -> Burst:
        """Add queued notifications to a burst, and return the changed burst."""
        change = update(OutboxRow).where(OutboxRow.id.in_(notification_ids)).values(burst_id=burst.id)
        await self._session.execute(change.execution_options(synchronize_session=False))
        row = await self._session.get_one(BurstRow, burst.id)
        row.last_event = now
        return _to_burst(row)

    async def list_open(self, platform: str, conversation_id: str) -> list[Burst]:
        """Return the bursts of a conversation and its threads that aren't finished, the oldest first."""
        is_waiting = exists().where(OutboxRow.burst_id == BurstRow.id, OutboxRow.delivered.is_(None))
        rows = await self._session.execute(
            select(BurstRow, is_waiting)
            .where(
                BurstRow.due.is_not(None),
                BurstRow.platform == platform,
                BurstRow.conversation_id == conversation_id,
            )
            .order_by(BurstRow.id)
        )
        return [replace(_to_burst(row), is_waiting=waiting) for row, waiting in rows]

    async def list_all_open(self) -> list[Burst]:
        """Return the bursts of all conversations that aren't finished."""
        return [
            _to_burst(row)
            for row in await self._session.scalars(select(BurstRow).where(BurstRow.due.is_not(None)))
        ]

    async def list_due_conversation_ids(self, platform: str, *, now: datetime) -> list[str]:
        """Return the ids of a platform's conversations with a burst that needs attention."""
        is_due = (BurstRow.platform == platform, BurstRow.due <= now)
        return list(await self._session.scalars(select(BurstRow.conversation_id).where(*is_due).distinct()))

    async def record_message(self, burst_id: int, message: SentMessage, *, now: datetime) -> None:
        """Store the message that shows a burst at present."""
        row = await self._session.get_one(BurstRow, burst_id)
        row.sent_conversation_id, row.message_id, row.shown = message.conversation.id, message.id, now

    async def set_due(self, burst_id: int, due: datetime | None) -> None:
        """Set when a burst needs attention next; None finishes it."""
        row = await self._session.get_one(BurstRow, burst_id)
        row.due = due

    async def remove_finished(self, before: datetime) -> int:
        """Delete finished bursts without events since a time. Return how many."""
        deleted = await self._session.execute(
            delete(BurstRow).where(BurstRow.due.is_(None), BurstRow.last_event < before)
        )
        return cast("CursorResult[Any]", deleted).rowcount


def _to_burst(row: BurstRow) -> Burst:
    conversation = Conversation(row.platform, row.conversation_id, row.thread)
    sent_to = Conversation(row.platform, row.sent_conversation_id, row.thread)
    return Burst(
        row.id,
        conversation,
        started=row.started,
        last_event=row.last_event,
        due=row.due or row.last_event,
        shown=row.shown,
        message=SentMessage(sent_to, row.message_id) if row.message_id else None,
    )
