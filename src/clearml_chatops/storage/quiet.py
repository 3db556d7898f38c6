"""Time zones, quiet hours, private conversations and mutes."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.quiet import Mute, QuietHours
from clearml_chatops.storage.schema import (
    IdentityRow,
    MuteRow,
    PersonRow,
    PrivateConversationRow,
    QuietHoursRow,
    TimeZoneRow,
)


class QuietStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get_time_zone(self, person_id: int) -> str:
        """Return a person's time zone; empty if unknown."""
        row = await self._session.get(TimeZoneRow, person_id)
        return row.zone if row else ""

    async def put_time_zone(self, person_id: int, zone: str) -> None:
        await self._session.merge(TimeZoneRow(person_id=person_id, zone=zone))

    async def put_private_conversation(self, conversation: Conversation, person_id: int) -> None:
        await self._session.merge(
            PrivateConversationRow(
                platform=conversation.platform, conversation_id=conversation.id, person_id=person_id
            )
        )

    async def find_private_person_id(self, platform: str, conversation_id: str) -> int | None:
        """Return the person of a private conversation; None if it is shared, or the person is unknown.

        A private conversation has the person's own user id, or is stored as private.
        """
        row = await self._session.get(PrivateConversationRow, (platform, conversation_id))
        if row is not None:
            return row.person_id
        return await self._session.scalar(
            select(IdentityRow.person_id)
            .where(IdentityRow.platform == platform, IdentityRow.user_id == conversation_id)
            .order_by(IdentityRow.workspace)
            .limit(1)
        )

    async def get_hours(self, person_id: int) -> tuple[QuietHours, bool, datetime] | None:
        """Return a person's quiet hours, whether they are enabled, and when that was changed."""
        row = await self._session.get(QuietHoursRow, person_id)
        if row is None:
            return None
        return QuietHours(row.start_time, row.end_time, row.zone, row.allow_failures), row.is_enabled, row.changed

    async def put_hours(self, person_id: int, hours: QuietHours, *, now: datetime) -> None:
        await self._session.merge(
            QuietHoursRow(
                person_id=person_id,
                start_time=hours.start_time,
                end_time=hours.end_time,
                zone=hours.zone,
                allow_failures=hours.allow_failures,
                is_enabled=True,
                changed=now,
            )
        )

    async def disable_hours(self, person_id: int, *, now: datetime) -> bool:
        """Turn quiet hours off. Return whether they were on."""
        if not (row := await self._session.get(QuietHoursRow, person_id)) or not row.is_enabled:
            return False
        row.is_enabled, row.changed = False, now
        return True

    async def get_mute(self, platform: str, conversation_id: str) -> Mute | None:
        """Return the last mute of a conversation, even if it is over."""
        if (row := await self._session.get(MuteRow, (platform, conversation_id))) is None:
            return None
        name = await self._session.scalar(select(PersonRow.name).where(PersonRow.id == row.person_id))
        return Mute(row.until, name or "")

    async def put_mute(self, conversation: Conversation, until: datetime, person_id: int) -> None:
        await self._session.merge(
            MuteRow(
                platform=conversation.platform, conversation_id=conversation.id, until=until, person_id=person_id
            )
        )
