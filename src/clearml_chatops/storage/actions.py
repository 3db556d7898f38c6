"""What buttons do, by token."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.storage.schema import ActionRow


class ActionStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, token: str, command: str, *, expires: datetime) -> None:
        self._session.add(ActionRow(token=token, command=command, expires=expires))

    async def command(self, token: str, *, now: datetime) -> str | None:
        """The command line behind a token; None where it has expired or never was."""
        row = await self._session.get(ActionRow, token)
        return row.command if row and row.expires > now else None

    async def remove_expired(self, *, now: datetime) -> None:
        await self._session.execute(delete(ActionRow).where(ActionRow.expires <= now))
