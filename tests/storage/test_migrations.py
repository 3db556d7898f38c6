"""Migrations and schema say the same, and there is a way forth and back."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect, text

from clearml_chatops.models.errors import DatabaseOutdatedError
from clearml_chatops.storage.database import Database, migration_config, newest_revision
from clearml_chatops.storage.schema import Table


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names()) - {"alembic_version"}


async def test_a_fresh_database_is_made_at_the_newest_revision(url: str) -> None:
    database = Database(url)
    await database.prepare()
    await database.aclose()
    with create_engine(url).connect() as connection:
        assert _revision(connection) == newest_revision()
        assert _tables(connection) == set(Table.metadata.tables)


async def test_the_migrations_make_what_the_schema_describes(url: str) -> None:
    database = Database(url)
    await database.prepare()
    await database.aclose()
    with create_engine(url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Table.metadata) == []


def test_up_down_and_up_again(url: str) -> None:
    engine = create_engine(url)
    for target, tables in (
        ("head", set(Table.metadata.tables)),
        ("base", set()),
        ("head", set(Table.metadata.tables)),
    ):
        with engine.begin() as connection:
            move = command.downgrade if target == "base" else command.upgrade
            move(migration_config(connection), target)
        with engine.connect() as connection:
            assert _tables(connection) == tables


async def test_an_outdated_database_is_refused_with_the_command_that_helps_and_is_left_alone(url: str) -> None:
    database = Database(url)
    await database.prepare()
    with create_engine(url).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with pytest.raises(DatabaseOutdatedError) as caught:
        await database.prepare()
    await database.aclose()
    assert "clearml-chatops database upgrade" in str(caught.value)
    assert "revision 0000" in str(caught.value)
    assert newest_revision() in str(caught.value)
    with create_engine(url).connect() as connection:
        assert _revision(connection) == "0000"


async def test_the_tables_of_another_program_are_never_mixed_with_ours(url: str) -> None:
    with create_engine(url).begin() as connection:
        connection.execute(text("CREATE TABLE recipes (id INTEGER)"))
    database = Database(url)
    with pytest.raises(DatabaseOutdatedError, match="revision none"):
        await database.prepare()
    await database.aclose()
    with create_engine(url).connect() as connection:
        assert _tables(connection) == {"recipes"}


async def test_upgrading_brings_an_empty_file_and_an_up_to_date_one_to_the_newest_revision(url: str) -> None:
    database = Database(url)
    await database.upgrade()
    await database.upgrade()
    await database.prepare()
    await database.aclose()
    with create_engine(url).connect() as connection:
        assert _tables(connection) == set(Table.metadata.tables)


async def test_preparing_twice_keeps_what_is_there(url: str) -> None:
    first = Database(url)
    await first.prepare()
    async with first.writing() as session:
        await session.execute(text("INSERT INTO people VALUES (7, 'Alice', 2, 'a1', 0)"))
    await first.aclose()
    second = Database(url)
    await second.prepare()
    async with second.reading() as session:
        assert await session.scalar(text("SELECT name FROM people WHERE id = 7")) == "Alice"
    await second.aclose()
