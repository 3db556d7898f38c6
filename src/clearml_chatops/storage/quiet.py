"""When people are told nothing: time zones, hours of quiet, muted conversations."""

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
        """By which clocks a person lives; empty where that is not known."""
        row = await self._session.get(TimeZoneRow, person_id)
        return row.zone if row else ""

    async def put_time_zone(self, person_id: int, zone: str) -> None:
        await self._session.merge(TimeZoneRow(person_id=person_id, zone=zone))

    async def put_private_conversation(self, conversation: Conversation, person_id: int) -> None:
        """Notes that a conversation is one person's alone."""
        await self._session.merge(
            PrivateConversationRow(
                platform=conversation.platform, conversation_id=conversation.id, person_id=person_id
            )
        )

    async def find_private_person_id(self, platform: str, conversation_id: str) -> int | None:
        """Whose conversation it is; None where several people are in it, or nobody is known.

        A private conversation has the person's own id, or is noted.
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
        """A person's hours of quiet, whether they hold, and when he changed that."""
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
        """Has hours of quiet hold no more; whether they did."""
        row = await self._session.get(QuietHoursRow, person_id)
        if row is None or not row.is_enabled:
            return False
        row.is_enabled, row.changed = False, now
        return True

    async def get_mute(self, platform: str, conversation_id: str) -> Mute | None:
        """The last mute of a conversation, also one that is over."""
        row = await self._session.get(MuteRow, (platform, conversation_id))
        if row is None:
            return None
        name = await self._session.scalar(select(PersonRow.name).where(PersonRow.id == row.person_id))
        return Mute(row.until, name or "")

    async def put_mute(self, conversation: Conversation, until: datetime, person_id: int) -> None:
        await self._session.merge(
            MuteRow(
                platform=conversation.platform, conversation_id=conversation.id, until=until, person_id=person_id
            )
        )
