"""The audit trail: who sent which command, and its outcome."""

from clearml_chatops.models.audit import AuditEntry
from clearml_chatops.storage.audit import AuditStore
from clearml_chatops.storage.database import Database


class AuditService:
    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def add(self, entry: AuditEntry) -> None:
        async with self._database.writing() as session:
            await AuditStore(session).add(entry)

    async def list_recent(self, count: int) -> list[AuditEntry]:
        """Return the most recent entries, newest first."""
        async with self._database.reading() as session:
            return await AuditStore(session).list_newest(count)
