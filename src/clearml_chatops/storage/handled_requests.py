"""The requests of chat platforms that were handled, so that one delivered again isn't carried out again."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.storage.schema import HandledRequestRow

RequestKey = tuple[str, str]
"""The platform, and what identifies a request there."""


class HandledRequestStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, keys: Collection[RequestKey]) -> dict[RequestKey, bool]:
        """Return the requests that are recorded, and whether each was finished."""
        # The platforms are named, because the index begins with them.
        rows = await self._session.scalars(
            select(HandledRequestRow).where(
                HandledRequestRow.platform.in_({platform for platform, _ in keys}),
                HandledRequestRow.key.in_({key for _, key in keys}),
            )
        )
        found = {(row.platform, row.key): row.is_finished for row in rows}
        return {key: found[key] for key in keys if key in found}

    def add(self, keys: Collection[RequestKey], *, received: datetime) -> None:
        self._session.add_all(
            HandledRequestRow(platform=platform, key=key, is_finished=False, received=received)
            for platform, key in keys
        )

    async def mark_finished(self, keys: Collection[RequestKey]) -> None:
        for platform in {platform for platform, _ in keys}:
            await self._session.execute(
                update(HandledRequestRow)
                .where(
                    HandledRequestRow.platform == platform,
                    HandledRequestRow.key.in_([key for other, key in keys if other == platform]),
                )
                .values(is_finished=True)
            )

    async def remove_older(self, than: datetime) -> None:
        await self._session.execute(delete(HandledRequestRow).where(HandledRequestRow.received < than))
