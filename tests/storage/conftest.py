"""Fixtures: a database for each test, in a file, because SQLite locks differently in memory."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from clearml_chatops.models.people import Identity, Person, Role
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.people import PeopleStore


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'chatops.db'}"


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = Database(url)
    await opened.prepare()
    yield opened
    await opened.aclose()


@pytest.fixture
async def alice(database: Database) -> Person:
    async with database.writing() as session:
        return await PeopleStore(session).add(
            Identity("terminal", "alice"), name="Alice", role=Role.MEMBER, clearml_user_id="a1"
        )
