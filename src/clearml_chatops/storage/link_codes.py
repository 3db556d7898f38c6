"""One-time codes for linking a person's account on another platform."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.storage.schema import LinkCodeRow


class LinkCodeStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def put(self, digest: str, person_id: int, *, expires: datetime) -> None:
        """Set the code of a person; an earlier one becomes invalid."""
        await self._session.execute(delete(LinkCodeRow).where(LinkCodeRow.person_id == person_id))
        self._session.add(LinkCodeRow(digest=digest, person_id=person_id, expires=expires))

    async def take(self, digest: str, *, now: datetime) -> int | None:
        """Use up a code and return the person's id; None if there is no such code or it has expired."""
        if (row := await self._session.get(LinkCodeRow, digest)) is None:
            return None
        await self._session.delete(row)
        return row.person_id if row.expires > now else None

    async def remove_expired(self, *, now: datetime) -> None:
        await self._session.execute(delete(LinkCodeRow).where(LinkCodeRow.expires <= now))
