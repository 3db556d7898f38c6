"""What people did to experiments by commands, until it has been told to the others."""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.models.notifications import Act, EventKind
from clearml_chatops.storage.chunks import chunks
from clearml_chatops.storage.schema import ActRow, PersonRow


class ActStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def note(self, experiment_id: str, kind: EventKind, person_id: int, *, at: datetime) -> None:
        """Notes it in place of whoever did the same before."""
        await self._session.merge(ActRow(experiment_id=experiment_id, kind=kind.value, person_id=person_id, at=at))

    async def forget(self, *, before: datetime) -> None:
        await self._session.execute(delete(ActRow).where(ActRow.at < before))

    async def forget_done(self, acts: Iterable[tuple[str, EventKind]]) -> None:
        """Forgets those of which the effect has been seen."""
        for experiment_id, kind in acts:
            await self._session.execute(
                delete(ActRow).where(ActRow.experiment_id == experiment_id, ActRow.kind == kind.value)
            )

    async def since(self, experiment_ids: Collection[str], moment: datetime) -> dict[tuple[str, EventKind], Act]:
        """Who did what to these experiments since a moment."""
        found: dict[tuple[str, EventKind], Act] = {}
        for chunk in chunks(experiment_ids):
            rows = await self._session.execute(
                select(ActRow, PersonRow.name)
                .join(PersonRow, PersonRow.id == ActRow.person_id)
                .where(ActRow.experiment_id.in_(chunk), ActRow.at >= moment)
            )
            for row, name in rows:
                found[row.experiment_id, EventKind(row.kind)] = Act(row.person_id, name, row.at)
        return found
