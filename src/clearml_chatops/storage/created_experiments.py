"""The people that the bot made experiments for, if the server has only the bot as the user."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.storage.chunks import split_into_chunks
from clearml_chatops.storage.schema import CreatedExperimentRow, PersonRow


class CreatedExperimentStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, experiment_id: str, person_id: int) -> None:
        self._session.add(CreatedExperimentRow(experiment_id=experiment_id, person_id=person_id))

    async def get_creator_id(self, experiment_id: str) -> int | None:
        row = await self._session.get(CreatedExperimentRow, experiment_id)
        return row.person_id if row else None

    async def get_creator_name(self, experiment_id: str) -> str:
        """Return the name of the person it was made for; empty if unknown."""
        names = select(PersonRow.name).join(CreatedExperimentRow, CreatedExperimentRow.person_id == PersonRow.id)
        name = await self._session.scalar(names.where(CreatedExperimentRow.experiment_id == experiment_id))
        return name or ""

    async def find_creator_names(self, experiment_ids: Collection[str]) -> dict[str, str]:
        """Return the names of the people these were made for, by experiment id; unknown ones are left out."""
        found: dict[str, str] = {}
        for chunk in split_into_chunks(experiment_ids):
            rows = await self._session.execute(
                select(CreatedExperimentRow.experiment_id, PersonRow.name)
                .join(PersonRow, PersonRow.id == CreatedExperimentRow.person_id)
                .where(CreatedExperimentRow.experiment_id.in_(chunk))
            )
            found.update(row.tuple() for row in rows)
        return found

    async def list_experiment_ids(self, person_id: int) -> list[str]:
        """Return the ids of all experiments made for a person."""
        rows = await self._session.scalars(
            select(CreatedExperimentRow.experiment_id).where(CreatedExperimentRow.person_id == person_id)
        )
        return list(rows)
