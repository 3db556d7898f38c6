"""Stalls, stored so a restart of the bot neither forgets them nor notifies twice."""

from collections.abc import Iterable

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.models.alarms import AlarmKind, Stall
from clearml_chatops.storage.schema import StallRow
from clearml_chatops.storage.upserts import build_insert


class StallStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list_all(self) -> list[Stall]:
        rows = await self._session.scalars(select(StallRow))
        return [
            Stall(row.experiment_id, AlarmKind(row.kind), row.fingerprint, row.since, is_notified=row.is_notified)
            for row in rows
        ]

    async def put(self, stalls: Iterable[Stall]) -> None:
        """Store stalls, each replacing the one of the same experiment and kind."""
        rows = [
            {
                "experiment_id": item.experiment_id,
                "kind": item.kind.value,
                "fingerprint": item.fingerprint,
                "since": item.since,
                "is_notified": item.is_notified,
            }
            for item in stalls
        ]
        if not rows:
            return
        insert = build_insert(self._session, StallRow)
        changed = {name: insert.excluded[name] for name in ("fingerprint", "since", "is_notified")}
        await self._session.execute(
            insert.on_conflict_do_update(index_elements=["experiment_id", "kind"], set_=changed), rows
        )

    async def remove(self, experiment_id: str, kind: AlarmKind) -> None:
        await self._session.execute(
            delete(StallRow).where(StallRow.experiment_id == experiment_id, StallRow.kind == kind.value)
        )
