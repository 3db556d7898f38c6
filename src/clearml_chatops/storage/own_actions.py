"""What people did to experiments by commands, until the watcher has seen the effect."""

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
        """Store an action, replacing an earlier one of the same kind on the experiment."""
        await self._session.merge(
            OwnActionRow(experiment_id=experiment_id, kind=kind.value, person_id=person_id, at=at)
        )

    async def remove_old(self, *, before: datetime) -> None:
        await self._session.execute(delete(OwnActionRow).where(OwnActionRow.at < before))

    async def remove_all(self, keys: Iterable[tuple[str, EventKind]]) -> None:
        """Remove actions after their effect has been seen."""
        for experiment_id, kind in keys:
            key = (OwnActionRow.experiment_id == experiment_id, OwnActionRow.kind == kind.value)
            await self._session.execute(delete(OwnActionRow).where(*key))

    async def find_since(
        self, experiment_ids: Collection[str], since: datetime
    ) -> dict[tuple[str, EventKind], OwnAction]:
        """Return the actions on these experiments since a time, by experiment id and kind."""
        found: dict[tuple[str, EventKind], OwnAction] = {}
        for chunk in split_into_chunks(experiment_ids):
            rows = await self._session.execute(
                select(OwnActionRow, PersonRow.name)
                .join(PersonRow, PersonRow.id == OwnActionRow.person_id)
                .where(OwnActionRow.experiment_id.in_(chunk), OwnActionRow.at >= since)
            )
            for row, name in rows:
                found[row.experiment_id, EventKind(row.kind)] = OwnAction(row.person_id, name, row.at)
        return found
