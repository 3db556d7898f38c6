"""The audit trail."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.models.audit import AuditEntry
from clearml_chatops.models.replies import Outcome
from clearml_chatops.storage.schema import AuditRow


class AuditStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, entry: AuditEntry) -> None:
        self._session.add(
            AuditRow(
                at=entry.at,
                identity=entry.identity,
                person_id=entry.person_id,
                conversation=entry.conversation,
                command=entry.command,
                experiment_id=entry.experiment_id,
                outcome=entry.outcome.value,
                error_code=entry.error_code,
                incident_id=entry.incident_id,
            )
        )

    async def count(self, identity: str, *, error_code: str, since: datetime) -> int:
        """Return how many commands of an identity ended in this error since a time."""
        matches = (AuditRow.at >= since, AuditRow.identity == identity, AuditRow.error_code == error_code)
        counted = await self._session.scalar(select(func.count()).select_from(AuditRow).where(*matches))
        return counted or 0

    async def list_newest(self, limit: int) -> list[AuditEntry]:
        """Return the newest entries, newest first."""
        rows = await self._session.scalars(select(AuditRow).order_by(AuditRow.id.desc()).limit(limit))
        return [
            AuditEntry(
                at=row.at,
                identity=row.identity,
                person_id=row.person_id,
                conversation=row.conversation,
                command=row.command,
                outcome=Outcome(row.outcome),
                experiment_id=row.experiment_id,
                error_code=row.error_code,
                incident_id=row.incident_id,
            )
            for row in rows
        ]
