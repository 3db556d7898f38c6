"""Migrations match the schema, and can be upgraded and downgraded."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect, text

from clearml_chatops.models.errors import DatabaseOutdatedError
from clearml_chatops.storage.database import Database, build_migration_config, get_newest_revision
from clearml_chatops.storage.schema import Table


def _get_revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _list_tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names()) - {"alembic_version"}


async def test_a_new_database_is_created_at_the_newest_revision(url: str) -> None:
    database = Database(url)
    await database.prepare()
    await database.aclose()
    with create_engine(url).connect() as connection:
        assert _get_revision(connection) == get_newest_revision()
        assert _list_tables(connection) == set(Table.metadata.tables)


async def test_migrations_match_the_schema(url: str) -> None:
    database = Database(url)
    await database.prepare()
    await database.aclose()
    with create_engine(url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Table.metadata) == []


def test_upgrade_downgrade_and_upgrade_again(url: str) -> None:
    engine = create_engine(url)
    for target, tables in (
        ("head", set(Table.metadata.tables)),
        ("base", set()),
        ("head", set(Table.metadata.tables)),
    ):
        with engine.begin() as connection:
            migrate = command.downgrade if target == "base" else command.upgrade
            migrate(build_migration_config(connection), target)
        with engine.connect() as connection:
            assert _list_tables(connection) == tables


async def test_an_outdated_database_is_rejected_unchanged_with_the_upgrade_command(url: str) -> None:
    database = Database(url)
    await database.prepare()
    with create_engine(url).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with pytest.raises(DatabaseOutdatedError) as caught:
        await database.prepare()
    await database.aclose()
    assert "clearml-chatops database upgrade" in str(caught.value)
    assert "revision 0000" in str(caught.value)
    assert get_newest_revision() in str(caught.value)
    with create_engine(url).connect() as connection:
        assert _get_revision(connection) == "0000"


async def test_a_database_of_another_program_is_rejected(url: str) -> None:
    with create_engine(url).begin() as connection:
        connection.execute(text("CREATE TABLE recipes (id INTEGER)"))
    database = Database(url)
    with pytest.raises(DatabaseOutdatedError, match="revision none"):
        await database.prepare()
    await database.aclose()
    with create_engine(url).connect() as connection:
        assert _list_tables(connection) == {"recipes"}


async def test_upgrade_reaches_the_newest_revision_and_can_be_repeated(url: str) -> None:
    database = Database(url)
    await database.upgrade()
    await database.upgrade()
    await database.prepare()
    await database.aclose()
    with create_engine(url).connect() as connection:
        assert _list_tables(connection) == set(Table.metadata.tables)


async def test_preparing_twice_keeps_existing_rows(url: str) -> None:
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
