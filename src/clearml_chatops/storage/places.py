"""Conversations whose id changes: what is kept for the old id is kept for the new one."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.models.messages import Conversation
from clearml_chatops.storage.schema import (
    AlertRow,
    CardRow,
    CurrentExperimentRow,
    DailyDigestRow,
    MuteRow,
    OutboxRow,
    QuestionRow,
    SubscriptionRow,
    WatchRow,
)

STAYED_BEHIND = "old:"
"""Stands before the id of a message that cannot be reached any more."""


class PlaceStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def move(self, old: Conversation, new: Conversation, *, now: datetime) -> None:
        """Has all that was to go to one conversation, and to the threads in it, go to another.

        What the new one has already stays as it is there.
        """
        await self._move_watches(old, new)
        await self._move_subscriptions(old, new)
        for row in await self._session.scalars(_rows_of(AlertRow, old)):
            row.platform, row.conversation_id = new.platform, new.id
        await self._move_outbox(old, new, now)
        await self._move_current_experiments(old, new)
        await self._move_times(old, new)
        await self._move_messages(old, new)

    async def _move_watches(self, old: Conversation, new: Conversation) -> None:
        there = {(row.experiment_id, row.thread) for row in await self._session.scalars(_rows_of(WatchRow, new))}
        for row in await self._session.scalars(_rows_of(WatchRow, old)):
            if (row.experiment_id, row.thread) in there:
                await self._session.delete(row)
            else:
                row.platform, row.conversation_id = new.platform, new.id

    async def _move_subscriptions(self, old: Conversation, new: Conversation) -> None:
        there = {
            (row.kind, row.target_id, row.thread)
            for row in await self._session.scalars(_rows_of(SubscriptionRow, new))
        }
        for row in await self._session.scalars(_rows_of(SubscriptionRow, old)):
            if (row.kind, row.target_id, row.thread) in there:
                await self._session.delete(row)
            else:
                row.platform, row.conversation_id = new.platform, new.id

    async def _move_outbox(self, old: Conversation, new: Conversation, now: datetime) -> None:
        """What is to be delivered at both places goes to the new one alone."""
        there = {_event(row) for row in await self._session.scalars(_rows_of(OutboxRow, new))}
        for row in await self._session.scalars(_rows_of(OutboxRow, old)):
            if _event(row) in there:
                row.delivered = row.delivered or now
            else:
                row.platform, row.conversation_id = new.platform, new.id

    async def _move_current_experiments(self, old: Conversation, new: Conversation) -> None:
        column = CurrentExperimentRow.conversation
        rows = await self._session.scalars(
            select(CurrentExperimentRow).where(
                or_(column == str(old), column.startswith(f"{old}:", autoescape=True))
            )
        )
        for row in rows:
            moved = str(new) + row.conversation.removeprefix(str(old))
            if await self._session.get(CurrentExperimentRow, (moved, row.person_id)) is None:
                self._session.add(
                    CurrentExperimentRow(
                        conversation=moved, person_id=row.person_id, experiment_id=row.experiment_id
                    )
                )
            await self._session.delete(row)

    async def _move_times(self, old: Conversation, new: Conversation) -> None:
        """When the conversation is told nothing, and when all at once."""
        digests_there = {row.thread for row in await self._session.scalars(_rows_of(DailyDigestRow, new))}
        is_muted_there = await self._session.get(MuteRow, (new.platform, new.id)) is not None
        for row in await self._session.scalars(_rows_of(DailyDigestRow, old)):
            if row.thread in digests_there:
                await self._session.delete(row)
            else:
                row.platform, row.conversation_id = new.platform, new.id
        for row in await self._session.scalars(_rows_of(MuteRow, old)):
            if is_muted_there:
                await self._session.delete(row)
            else:
                row.platform, row.conversation_id = new.platform, new.id

    async def _move_messages(self, old: Conversation, new: Conversation) -> None:
        """Messages stay where they are, and their ids would mean other messages in the new place.

        So questions are asked no more, nor do replies reach what was about an experiment. A card moves
        without its message: the front end finds it gone and sends it anew when its experiment moves on.
        """
        await self._session.execute(
            delete(QuestionRow).where(QuestionRow.platform == old.platform, QuestionRow.conversation_id == old.id)
        )
        for row in await self._session.scalars(_rows_of(CardRow, old)):
            if row.is_card and not row.is_superseded:
                await self._session.merge(
                    CardRow(
                        platform=new.platform,
                        conversation_id=new.id,
                        message_id=STAYED_BEHIND + row.message_id,
                        thread=row.thread,
                        experiment_id=row.experiment_id,
                        is_card=True,
                        is_superseded=False,
                        due=row.due,
                        edited=row.edited,
                        shown_change=row.shown_change,
                    )
                )
            await self._session.delete(row)


def _rows_of(table: Any, conversation: Conversation) -> Any:
    return select(table).where(table.platform == conversation.platform, table.conversation_id == conversation.id)


def _event(row: OutboxRow) -> tuple[object, ...]:
    return row.experiment_id, row.kind, row.at, row.thread
