"""The codes by which a person is known on another platform too."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.storage.schema import LinkCodeRow


class LinkCodeStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def put(self, digest: str, person_id: int, *, expires: datetime) -> None:
        """The one code of a person; an earlier one is good no more."""
        await self._session.execute(delete(LinkCodeRow).where(LinkCodeRow.person_id == person_id))
        self._session.add(LinkCodeRow(digest=digest, person_id=person_id, expires=expires))

    async def take(self, digest: str, *, now: datetime) -> int | None:
        """The person's id, once; None where there is no such code, or no more."""
        row = await self._session.get(LinkCodeRow, digest)
        if row is None:
            return None
        await self._session.delete(row)
        return row.person_id if row.expires > now else None

    async def remove_expired(self, *, now: datetime) -> None:
        await self._session.execute(delete(LinkCodeRow).where(LinkCodeRow.expires <= now))
