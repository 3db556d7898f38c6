"""What stands still, so that a restart of the bot neither forgets it nor tells it twice."""

from collections.abc import Iterable

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.models.alarms import AlarmKind, Standstill
from clearml_chatops.storage.schema import StandstillRow
from clearml_chatops.storage.upserts import insert_into


class StandstillStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list(self) -> list[Standstill]:
        rows = await self._session.scalars(select(StandstillRow))
        return [
            Standstill(row.experiment_id, AlarmKind(row.kind), row.sign, row.since, told=row.told) for row in rows
        ]

    async def put(self, standstills: Iterable[Standstill]) -> None:
        """Notes these, each in place of the one of its kind that its experiment has."""
        rows = [
            {
                "experiment_id": item.experiment_id,
                "kind": item.kind.value,
                "sign": item.sign,
                "since": item.since,
                "told": item.told,
            }
            for item in standstills
        ]
        if not rows:
            return
        insert = insert_into(self._session, StandstillRow)
        changed = {name: insert.excluded[name] for name in ("sign", "since", "told")}
        await self._session.execute(
            insert.on_conflict_do_update(index_elements=["experiment_id", "kind"], set_=changed), rows
        )

    async def remove(self, experiment_id: str, kind: AlarmKind) -> None:
        await self._session.execute(
            delete(StandstillRow).where(
                StandstillRow.experiment_id == experiment_id, StandstillRow.kind == kind.value
            )
        )
