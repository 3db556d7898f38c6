"""Transactions, and the errors of a database that cannot be used."""

import asyncio
import socket
import sqlite3
import threading
import traceback
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from clearml_chatops.models.errors import DatabaseBusyError, DatabaseUnusableError
from clearml_chatops.models.people import Person
from clearml_chatops.storage.busy_databases import is_busy
from clearml_chatops.storage.database import Database, mask_password
from clearml_chatops.storage.schema import WatcherCursorRow
from clearml_chatops.storage.watcher import WatcherStore

_NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
async def _join_connection_threads() -> AsyncIterator[None]:
    """Wait for the threads of connections; that of a connection that could not be opened ends a little later."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=5)
        assert not thread.is_alive(), thread


async def test_concurrent_writes_are_not_lost(database: Database) -> None:
    async with database.writing() as session:
        session.add(WatcherCursorRow(id=1, position=_NOON, started=_NOON))

    async def add_one_second() -> None:
        async with database.writing() as session:
            row = await session.get_one(WatcherCursorRow, 1)
            position = row.position
            await asyncio.sleep(0)
            row.position = position + timedelta(seconds=1)

    await asyncio.gather(*(add_one_second() for _ in range(90)))
    async with database.reading() as session:
        assert await WatcherStore(session).get_cursor() == _NOON + timedelta(seconds=90)


async def test_readers_do_not_block_on_a_writer_and_see_old_data(database: Database) -> None:
    async with database.writing() as writer:
        await WatcherStore(writer).move_cursor(_NOON)
        await writer.flush()
        async with asyncio.timeout(2), database.reading() as reader:
            assert await WatcherStore(reader).get_cursor() is None
    async with database.reading() as reader:
        assert await WatcherStore(reader).get_cursor() == _NOON


async def test_a_writer_does_not_block_on_readers(database: Database) -> None:
    async with database.reading() as reader:
        assert await WatcherStore(reader).get_cursor() is None
        async with asyncio.timeout(2):
            await _move_cursor(database, _NOON)
        assert await WatcherStore(reader).get_cursor() is None, "a reader sees the same snapshot until its end"


async def test_a_failed_transaction_is_rolled_back(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        await _write_and_fail(database)
    async with database.reading() as session:
        assert await WatcherStore(session).get_cursor() is None


async def _write_and_fail(database: Database) -> None:
    async with database.writing() as session:
        await WatcherStore(session).move_cursor(_NOON)
        await session.flush()
        raise ZeroDivisionError


async def test_writes_in_a_read_only_transaction_are_discarded(database: Database) -> None:
    async with database.reading() as session:
        await WatcherStore(session).move_cursor(_NOON)
        await session.flush()
    async with database.reading() as session:
        assert await WatcherStore(session).get_cursor() is None


async def test_foreign_keys_are_enforced(database: Database, alice: Person) -> None:
    with pytest.raises(IntegrityError):
        await _insert_queue_binding(database, alice.id + 1)
    await _insert_queue_binding(database, alice.id)


async def _insert_queue_binding(database: Database, person_id: int) -> None:
    async with database.writing() as session:
        await session.execute(
            text("INSERT INTO queue_bindings VALUES (:person, 'q1', 'alice_queue')"), {"person": person_id}
        )


async def test_datetimes_are_read_back_in_utc(database: Database) -> None:
    async with database.writing() as session:
        await WatcherStore(session).move_cursor(_NOON.astimezone(timezone(timedelta(hours=3))))
    async with database.reading() as session:
        found = await WatcherStore(session).get_cursor()
    assert found == _NOON
    assert found is not None
    assert found.utcoffset() == timedelta(0)


async def test_naive_datetimes_are_rejected(database: Database) -> None:
    with pytest.raises(StatementError, match="naive datetime"):
        await _move_cursor(database, _NOON.replace(tzinfo=None))


async def _move_cursor(database: Database, position: datetime) -> None:
    async with database.writing() as session:
        await WatcherStore(session).move_cursor(position)


@pytest.mark.parametrize("step", ["prepare", "upgrade", "reading", "writing"])
async def test_a_file_that_is_not_a_database_is_rejected(url: str, tmp_path: Path, step: str) -> None:
    (tmp_path / "chatops.db").write_bytes(b"a letter to grandmother " * 100)
    database = Database(url)
    with pytest.raises(DatabaseUnusableError) as caught:
        await _run_step(database, step)
    await database.aclose()
    assert "chatops.db can't be opened (file is not a database)" in str(caught.value)
    assert (tmp_path / "chatops.db").read_bytes() == b"a letter to grandmother " * 100


async def _run_step(database: Database, step: str) -> None:
    if step == "prepare":
        await database.prepare()
    elif step == "upgrade":
        await database.upgrade()
    elif step == "reading":
        async with database.reading() as session:
            await WatcherStore(session).get_cursor()
    else:
        await _move_cursor(database, _NOON)


async def test_the_error_for_a_missing_folder_names_the_setting(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'missing' / 'chatops.db'}")
    with pytest.raises(DatabaseUnusableError, match=r"DATABASE_URL: .*unable to open database file"):
        await database.prepare()
    await database.aclose()


async def test_a_locked_database_raises_database_busy(
    database: Database, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clearml_chatops.storage.database._BUSY_TIMEOUT_MILLISECONDS", 50)
    other = Database(url)
    async with database.writing() as session:
        await session.execute(text("DELETE FROM people"))
        with pytest.raises(DatabaseBusyError, match="database is locked"):
            await _move_cursor(other, _NOON)
        with pytest.raises(DatabaseBusyError, match="database is locked"):
            await other.prepare()
        with pytest.raises(DatabaseBusyError, match="not ready yet"):
            await _run_step(other, "reading")
    await other.prepare()
    await _move_cursor(other, _NOON)
    await other.aclose()


async def test_transactions_wait_while_the_tables_are_created(url: str) -> None:
    database = Database(url)
    preparation = asyncio.create_task(database.prepare())
    await asyncio.sleep(0)
    await _move_cursor(database, _NOON)
    assert preparation.done()
    await database.aclose()


class _PostgresqlError(Exception):
    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConnectionRefusedError(111, "Connection refused"), True),
        (TimeoutError(), True),
        (PoolTimeoutError("QueuePool limit reached"), True),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), True),
        (OperationalError("SELECT 1", {}, _PostgresqlError("57P03")), True),
        (OperationalError("SELECT 1", {}, _PostgresqlError("53300")), True),
        (OperationalError("SELECT 1", {}, _PostgresqlError("08006")), True),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), False),
        (OperationalError("SELECT 1", {}, _PostgresqlError("28P01")), False),
        (OperationalError("SELECT 1", {}, sqlite3.OperationalError("no such table: people")), False),
        (PermissionError(13, "Permission denied"), False),
    ],
)
def test_only_errors_that_pass_by_themselves_count_as_busy(error: Exception, *, expected: bool) -> None:
    assert is_busy(error) is expected


@pytest.mark.parametrize(
    "url",
    [
        "mysql://bot:hunter2@db/chatops",
        "foo+bar://bot:hunter2@db/chatops",
        "postgresql://bot:hunter2@db:port/chatops",
        "postgresql+nope://bot:x@db/chatops?password=hunter2",
        "nope://bot:pass@hunter2@db/chatops",
        "nope://bot:pass@hun:hunter2@db/chatops",
        "bot hunter2",
        "",
    ],
)
def test_the_error_for_an_invalid_url_is_one_line_without_the_password(url: str) -> None:
    with pytest.raises(DatabaseUnusableError) as caught:
        Database(url)
    assert str(caught.value).startswith("DATABASE_URL: the database ")
    assert "\n" not in str(caught.value)
    for shown in (str(caught.value), repr(caught.value), "".join(traceback.format_exception(caught.value))):
        assert "hunter2" not in shown


@pytest.mark.filterwarnings("ignore:Query string argument")
async def test_errors_of_an_open_database_do_not_contain_the_password(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}?password=hunter2")
    with pytest.raises(DatabaseUnusableError) as caught:
        await database.prepare()
    await database.aclose()
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(database)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////data/chatops.db", "sqlite:////data/chatops.db"),
        ("postgresql://bot:hunter2@db:5432/chatops", "postgresql://bot:***@db:5432/chatops"),
        ("postgresql://db/chatops?user=bot&password=hunter2", "postgresql://db/chatops"),
        ("postgresql://bot:p@hunter2@db/chatops", "(not a database URL)"),
        ("hunter2", "(not a database URL)"),
    ],
)
def test_mask_password_removes_secrets_from_a_url(url: str, shown: str) -> None:
    assert mask_password(url) == shown
