"""Moving all that is stored for a conversation when its id changes."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.models.messages import Conversation
from clearml_chatops.storage.schema import (
    AlertRow,
    BurstRow,
    CardRow,
    CurrentExperimentRow,
    DailyDigestRow,
    MuteRow,
    OutboxRow,
    QuestionRow,
    SubscriptionRow,
    WatchRow,
)

UNREACHABLE_MESSAGE_PREFIX = "old:"
"""Prefix of the id of a message that can no longer be reached."""


class ConversationMover:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def move(self, old: Conversation, new: Conversation, *, now: datetime) -> None:
        """Move everything of one conversation, with its threads, to another.

        What the new conversation already has stays unchanged.
        """
        await self._move_watches(old, new)
        await self._move_subscriptions(old, new)
        for row in await self._session.scalars(_select_rows(AlertRow, old)):
            row.platform, row.conversation_id = new.platform, new.id
        await self._move_outbox(old, new, now)
        await self._move_current_experiments(old, new)
        await self._move_digests_and_mutes(old, new)
        await self._move_cards(old, new)
        for row in await self._session.scalars(_select_rows(BurstRow, old)):
            # Its message stays behind, so it is sent again with the next event.
            row.conversation_id = row.sent_conversation_id = new.id
            row.message_id = row.message_id and UNREACHABLE_MESSAGE_PREFIX + row.message_id

    async def _move_watches(self, old: Conversation, new: Conversation) -> None:
        existing = {
            (row.experiment_id, row.thread) for row in await self._session.scalars(_select_rows(WatchRow, new))
        }
        for row in await self._session.scalars(_select_rows(WatchRow, old)):
            if (row.experiment_id, row.thread) in existing:
                await self._session.delete(row)
            else:
                row.platform, row.conversation_id = new.platform, new.id

    async def _move_subscriptions(self, old: Conversation, new: Conversation) -> None:
        existing = {
            (row.kind, row.target_id, row.thread)
            for row in await self._session.scalars(_select_rows(SubscriptionRow, new))
        }
        for row in await self._session.scalars(_select_rows(SubscriptionRow, old)):
            if (row.kind, row.target_id, row.thread) in existing:
                await self._session.delete(row)
            else:
                row.platform, row.conversation_id = new.platform, new.id

    async def _move_outbox(self, old: Conversation, new: Conversation, now: datetime) -> None:
        """Move notifications; those queued for both conversations are sent to the new one only."""
        existing = {_get_event_key(row) for row in await self._session.scalars(_select_rows(OutboxRow, new))}
        for row in await self._session.scalars(_select_rows(OutboxRow, old)):
            if _get_event_key(row) in existing:
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
            new_name = str(new) + row.conversation.removeprefix(str(old))
            if await self._session.get(CurrentExperimentRow, (new_name, row.person_id)) is None:
                self._session.add(
                    CurrentExperimentRow(
                        conversation=new_name, person_id=row.person_id, experiment_id=row.experiment_id
                    )
                )
            await self._session.delete(row)

    async def _move_digests_and_mutes(self, old: Conversation, new: Conversation) -> None:
        threads_with_digest = {
            row.thread for row in await self._session.scalars(_select_rows(DailyDigestRow, new))
        }
        is_new_muted = await self._session.get(MuteRow, (new.platform, new.id)) is not None
        for row in await self._session.scalars(_select_rows(DailyDigestRow, old)):
            if row.thread in threads_with_digest:
                await self._session.delete(row)
            else:
                row.platform, row.conversation_id = new.platform, new.id
        for row in await self._session.scalars(_select_rows(MuteRow, old)):
            if is_new_muted:
                await self._session.delete(row)
            else:
                row.platform, row.conversation_id = new.platform, new.id

    async def _move_cards(self, old: Conversation, new: Conversation) -> None:
        """Move cards, but not their messages: the old ids would refer to other messages in the new conversation.

        Questions are therefore deleted, and replies no longer find the experiment of an old message. The front
        end finds a moved card missing and sends a new one when its experiment changes.
        """
        await self._session.execute(
            delete(QuestionRow).where(QuestionRow.platform == old.platform, QuestionRow.conversation_id == old.id)
        )
        for row in await self._session.scalars(_select_rows(CardRow, old)):
            if row.is_card and not row.is_superseded:
                await self._session.merge(
                    CardRow(
                        platform=new.platform,
                        conversation_id=new.id,
                        message_id=UNREACHABLE_MESSAGE_PREFIX + row.message_id,
                        thread=row.thread,
                        experiment_id=row.experiment_id,
                        is_card=True,
                        is_superseded=False,
                        due=row.due,
                        edited=row.edited,
                        shown_status_changed=row.shown_status_changed,
                    )
                )
            await self._session.delete(row)


def _select_rows(table: Any, conversation: Conversation) -> Any:
    return select(table).where(table.platform == conversation.platform, table.conversation_id == conversation.id)


def _get_event_key(row: OutboxRow) -> tuple[object, ...]:
    return row.subject_id, row.kind, row.at, row.thread
