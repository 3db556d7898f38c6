"""Inserts that mind what is there already, in the words of whichever database it is."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession


def build_insert(session: AsyncSession, table: type) -> Any:
    """An INSERT that can be told what to do on a conflict: both databases write it alike, in two classes."""
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    return (postgresql.insert if is_postgresql else sqlite.insert)(table)
