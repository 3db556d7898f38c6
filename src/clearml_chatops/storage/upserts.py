"""INSERT statements with conflict handling, for SQLite and PostgreSQL."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession


def build_insert(session: AsyncSession, table: type) -> Any:
    """Return an INSERT with `on_conflict_…` methods. Each dialect has its own class for the same syntax."""
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    return (postgresql.insert if is_postgresql else sqlite.insert)(table)
