"""Opt-outs of notifications about people's own experiments, which they get by default."""

from collections.abc import Collection

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.storage.chunks import split_into_chunks
from clearml_chatops.storage.schema import ExperimentOptOutRow, IdentityRow, OwnExperimentsOptOutRow, PersonRow


class OwnExperimentStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find_subscribed_owners(self) -> dict[str, list[int]]:
        """Return the people who get notified of their own experiments and can be reached, by ClearML user id."""
        rows = await self._session.execute(
            select(PersonRow.clearml_user_id, PersonRow.id)
            .where(
                PersonRow.clearml_user_id != "",
                PersonRow.id.in_(select(IdentityRow.person_id)),
                PersonRow.id.not_in(select(OwnExperimentsOptOutRow.person_id)),
            )
            .order_by(PersonRow.id)
        )
        found: dict[str, list[int]] = {}
        for clearml_user_id, person_id in rows:
            found.setdefault(clearml_user_id, []).append(person_id)
        return found

    async def set_enabled(self, person_id: int, *, is_enabled: bool) -> None:
        """Set whether a person gets notified of experiments that they enqueue outside the bot."""
        await self._session.execute(
            delete(OwnExperimentsOptOutRow).where(OwnExperimentsOptOutRow.person_id == person_id)
        )
        if not is_enabled:
            self._session.add(OwnExperimentsOptOutRow(person_id=person_id))

    async def is_enabled(self, person_id: int) -> bool:
        return await self._session.get(OwnExperimentsOptOutRow, person_id) is None

    async def opt_out(self, experiment_id: str, person_id: int) -> None:
        """Store that a person does not want notifications about this experiment."""
        await self._session.merge(ExperimentOptOutRow(experiment_id=experiment_id, person_id=person_id))

    async def find_opt_outs(self, experiment_ids: Collection[str]) -> set[tuple[str, int]]:
        """Return pairs of experiment id and person id for all opt-outs among these experiments."""
        found: set[tuple[str, int]] = set()
        for chunk in split_into_chunks(experiment_ids):
            rows = await self._session.execute(
                select(ExperimentOptOutRow.experiment_id, ExperimentOptOutRow.person_id).where(
                    ExperimentOptOutRow.experiment_id.in_(chunk)
                )
            )
            found.update(row.tuple() for row in rows)
        return found
