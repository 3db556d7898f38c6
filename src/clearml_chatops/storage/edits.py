"""Edits of drafts that the bot made."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.models.edits import DraftEdit, EditKind
from clearml_chatops.storage.schema import DraftEditRow


class DraftEditStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, edit: DraftEdit, *, person_id: int, at: datetime) -> None:
        self._session.add(
            DraftEditRow(
                experiment_id=edit.experiment_id,
                person_id=person_id,
                at=at,
                kind=edit.kind.value,
                before=dict(edit.before),
                after=dict(edit.after),
                is_undone=False,
            )
        )

    async def get_last(self, experiment_id: str) -> DraftEdit | None:
        """Return the last edit of the experiment that is not undone yet."""
        row = await self._session.scalar(
            select(DraftEditRow)
            .where(DraftEditRow.experiment_id == experiment_id, DraftEditRow.is_undone.is_(False))
            .order_by(DraftEditRow.id.desc())
            .limit(1)
        )
        if row is None:
            return None
        return DraftEdit(row.experiment_id, EditKind(row.kind), row.before, row.after, row.id)

    async def mark_undone(self, edit_id: int) -> None:
        (await self._session.get_one(DraftEditRow, edit_id)).is_undone = True
