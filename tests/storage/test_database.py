"""Transactions, and what is said when there can be none."""

import asyncio
import threading
import traceback
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, StatementError

from clearml_chatops.models.errors import DatabaseUnusableError
from clearml_chatops.models.people import Person
from clearml_chatops.storage.database import Database, without_password
from clearml_chatops.storage.schema import WatcherCursorRow
from clearml_chatops.storage.states import WatcherStore

_NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
async def _no_thread_outlives_the_loop() -> AsyncIterator[None]:
    """Each connection has a thread; that of one which could not be opened ends by itself, a moment later."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=5)
        assert not thread.is_alive(), thread


async def test_ninety_concurrent_changes_of_one_value_are_all_kept(database: Database) -> None:
    async with database.writing() as session:
        session.add(WatcherCursorRow(id=1, position=_NOON, begun=_NOON))

    async def a_second_more() -> None:
        async with database.writing() as session:
            row = await session.get_one(WatcherCursorRow, 1)
            position = row.position
            await asyncio.sleep(0)
            row.position = position + timedelta(seconds=1)

    await asyncio.gather(*(a_second_more() for _ in range(90)))
    async with database.reading() as session:
        assert await WatcherStore(session).cursor() == _NOON + timedelta(seconds=90)


async def test_readers_do_not_wait_for_a_writer_and_see_what_was_before(database: Database) -> None:
    async with database.writing() as writer:
        await WatcherStore(writer).move_cursor(_NOON)
        await writer.flush()
        async with asyncio.timeout(2), database.reading() as reader:
            assert await WatcherStore(reader).cursor() is None
    async with database.reading() as reader:
        assert await WatcherStore(reader).cursor() == _NOON


async def test_a_writer_does_not_wait_for_readers(database: Database) -> None:
    async with database.reading() as reader:
        assert await WatcherStore(reader).cursor() is None
        async with asyncio.timeout(2):
            await _move_cursor(database, _NOON)
        assert await WatcherStore(reader).cursor() is None, "a reader sees one moment until its end"


async def test_a_transaction_in_which_something_is_raised_leaves_no_trace(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        await _write_and_fail(database)
    async with database.reading() as session:
        assert await WatcherStore(session).cursor() is None


async def _write_and_fail(database: Database) -> None:
    async with database.writing() as session:
        await WatcherStore(session).move_cursor(_NOON)
        await session.flush()
        raise ZeroDivisionError


async def test_what_is_written_while_reading_is_not_kept(database: Database) -> None:
    async with database.reading() as session:
        await WatcherStore(session).move_cursor(_NOON)
        await session.flush()
    async with database.reading() as session:
        assert await WatcherStore(session).cursor() is None


async def test_foreign_keys_hold(database: Database, alice: Person) -> None:
    with pytest.raises(IntegrityError):
        await _bind_a_queue_for(database, alice.id + 1)
    await _bind_a_queue_for(database, alice.id)


async def _bind_a_queue_for(database: Database, person_id: int) -> None:
    async with database.writing() as session:
        await session.execute(
            text("INSERT INTO queue_bindings VALUES (:person, 'q1', 'alice_queue')"), {"person": person_id}
        )


async def test_moments_come_back_in_utc_whatever_zone_they_were_in(database: Database) -> None:
    async with database.writing() as session:
        await WatcherStore(session).move_cursor(_NOON.astimezone(timezone(timedelta(hours=3))))
    async with database.reading() as session:
        found = await WatcherStore(session).cursor()
    assert found == _NOON
    assert found is not None
    assert found.utcoffset() == timedelta(0)


async def test_a_moment_without_a_time_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="naive datetime"):
        await _move_cursor(database, _NOON.replace(tzinfo=None))


async def _move_cursor(database: Database, position: datetime) -> None:
    async with database.writing() as session:
        await WatcherStore(session).move_cursor(position)


@pytest.mark.parametrize("step", ["prepare", "upgrade", "reading", "writing"])
async def test_a_file_that_is_no_database_is_refused_at_every_step(url: str, tmp_path: Path, step: str) -> None:
    (tmp_path / "chatops.db").write_bytes(b"a letter to grandmother " * 100)
    database = Database(url)
    with pytest.raises(DatabaseUnusableError) as caught:
        await _take(database, step)
    await database.aclose()
    assert "chatops.db cannot be opened (file is not a database)" in str(caught.value)
    assert (tmp_path / "chatops.db").read_bytes() == b"a letter to grandmother " * 100


async def _take(database: Database, step: str) -> None:
    if step == "prepare":
        await database.prepare()
    elif step == "upgrade":
        await database.upgrade()
    elif step == "reading":
        async with database.reading() as session:
            await WatcherStore(session).cursor()
    else:
        await _move_cursor(database, _NOON)


async def test_a_folder_that_is_not_there_is_told_with_the_name_of_the_setting(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'missing' / 'chatops.db'}")
    with pytest.raises(DatabaseUnusableError, match=r"DATABASE_URL: .*unable to open database file"):
        await database.prepare()
    await database.aclose()


async def test_a_locked_database_is_told_and_no_crash(
    database: Database, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clearml_chatops.storage.database._BUSY_TIMEOUT_MILLISECONDS", 50)
    other = Database(url)
    async with database.writing() as session:
        await session.execute(text("DELETE FROM people"))
        with pytest.raises(DatabaseUnusableError, match="database is locked"):
            await _move_cursor(other, _NOON)
    await other.aclose()


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
def test_a_wrong_url_is_refused_in_one_line_without_the_password(url: str) -> None:
    with pytest.raises(DatabaseUnusableError) as caught:
        Database(url)
    assert str(caught.value).startswith("DATABASE_URL: the database ")
    assert "\n" not in str(caught.value)
    for shown in (str(caught.value), repr(caught.value), "".join(traceback.format_exception(caught.value))):
        assert "hunter2" not in shown


@pytest.mark.filterwarnings("ignore:Query string argument")
async def test_a_password_is_in_no_error_of_an_open_database(tmp_path: Path) -> None:
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
def test_a_url_is_shown_without_what_is_secret_in_it(url: str, shown: str) -> None:
    assert without_password(url) == shown
