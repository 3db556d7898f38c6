"""The daily digests of conversations."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.quiet import DailyDigest
from clearml_chatops.storage.schema import DailyDigestRow


class DailyDigestStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list_all(self) -> list[DailyDigest]:
        order = (DailyDigestRow.platform, DailyDigestRow.conversation_id, DailyDigestRow.thread)
        rows = await self._session.scalars(select(DailyDigestRow).order_by(*order))
        return [_to_digest(row) for row in rows]

    async def get(self, conversation: Conversation) -> DailyDigest | None:
        row = await self._session.get(DailyDigestRow, _get_key(conversation))
        return _to_digest(row) if row else None

    async def put(self, digest: DailyDigest) -> None:
        """Set a conversation's digest, replacing an existing one."""
        conversation = digest.conversation
        await self._session.merge(
            DailyDigestRow(
                platform=conversation.platform,
                conversation_id=conversation.id,
                thread=conversation.thread,
                time_of_day=digest.time_of_day,
                zone=digest.zone,
                weekdays_only=digest.weekdays_only,
                reported_until=digest.reported_until,
                person_id=digest.person_id,
            )
        )

    async def mark_reported(self, conversation: Conversation, reported_until: datetime) -> bool:
        """Store that everything up to `reported_until` was reported. Return False if nothing changed."""
        row = await self._session.get(DailyDigestRow, _get_key(conversation))
        if row is None or row.reported_until >= reported_until:
            return False
        row.reported_until = reported_until
        return True

    async def remove(self, conversation: Conversation) -> bool:
        """Remove a conversation's digest. Return whether there was one."""
        row = await self._session.get(DailyDigestRow, _get_key(conversation))
        if row is not None:
            await self._session.delete(row)
        return row is not None


def _get_key(conversation: Conversation) -> tuple[str, str, str]:
    return conversation.platform, conversation.id, conversation.thread


def _to_digest(row: DailyDigestRow) -> DailyDigest:
    return DailyDigest(
        conversation=Conversation(row.platform, row.conversation_id, row.thread),
        time_of_day=row.time_of_day,
        zone=row.zone,
        weekdays_only=row.weekdays_only,
        reported_until=row.reported_until,
        person_id=row.person_id,
    )
