"""What people did to experiments by commands, until it has been told to the others."""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.models.notifications import EventKind, OwnAction
from clearml_chatops.storage.chunks import split_into_chunks
from clearml_chatops.storage.schema import OwnActionRow, PersonRow


class OwnActionStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def put(self, experiment_id: str, kind: EventKind, person_id: int, *, at: datetime) -> None:
        """Notes it in place of whoever did the same before."""
        await self._session.merge(
            OwnActionRow(experiment_id=experiment_id, kind=kind.value, person_id=person_id, at=at)
        )

    async def remove_old(self, *, before: datetime) -> None:
        await self._session.execute(delete(OwnActionRow).where(OwnActionRow.at < before))

    async def remove_all(self, keys: Iterable[tuple[str, EventKind]]) -> None:
        """Forgets those of which the effect has been seen."""
        for experiment_id, kind in keys:
            await self._session.execute(
                delete(OwnActionRow).where(
                    OwnActionRow.experiment_id == experiment_id, OwnActionRow.kind == kind.value
                )
            )

    async def find_since(
        self, experiment_ids: Collection[str], moment: datetime
    ) -> dict[tuple[str, EventKind], OwnAction]:
        """Who did what to these experiments since a moment."""
        found: dict[tuple[str, EventKind], OwnAction] = {}
        for chunk in split_into_chunks(experiment_ids):
            rows = await self._session.execute(
                select(OwnActionRow, PersonRow.name)
                .join(PersonRow, PersonRow.id == OwnActionRow.person_id)
                .where(OwnActionRow.experiment_id.in_(chunk), OwnActionRow.at >= moment)
            )
            for row, name in rows:
                found[row.experiment_id, EventKind(row.kind)] = OwnAction(row.person_id, name, row.at)
        return found
