"""Requests that a platform delivers again: carried out at most once, across restarts and processes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import StatementError

from clearml_chatops.models.errors import DatabaseBusyError
from clearml_chatops.models.requests import RequestState
from clearml_chatops.services.request_deduplicator import RequestDeduplicator
from clearml_chatops.storage.database import Database
from tests.support.program import create_database

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
NEW, HANDLED, INTERRUPTED = RequestState.NEW, RequestState.HANDLED, RequestState.INTERRUPTED


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    await create_database(tmp_path / "chatops.db")
    database = Database(f"sqlite:///{tmp_path / 'chatops.db'}")
    yield database
    await database.aclose()


@pytest.fixture
def now() -> list[datetime]:
    return [NOON]


@pytest.fixture
def start_process(database: Database, now: list[datetime]) -> Callable[[], RequestDeduplicator]:
    """Return a function that gives what a newly started bot has."""
    return lambda: RequestDeduplicator(database=database, clock=lambda: now[0])


async def test_a_request_is_new_once(start_process: Callable[[], RequestDeduplicator]) -> None:
    requests = start_process()
    assert await requests.begin("telegram", ["1"]) is NEW
    assert await requests.begin("telegram", ["1"]) is HANDLED, "while it runs"
    await requests.finish("telegram", ["1"])
    assert await requests.begin("telegram", ["1"]) is HANDLED
    assert await start_process().begin("telegram", ["1"]) is HANDLED
    assert await requests.begin("slack", ["1"]) is NEW, "a number means something else there"
    assert await requests.begin("telegram", ["2"]) is NEW


async def test_a_request_of_a_killed_process_is_reported_once(
    start_process: Callable[[], RequestDeduplicator],
) -> None:
    assert await start_process().begin("telegram", ["1"]) is NEW
    restarted = start_process()
    assert await restarted.begin("telegram", ["1"]) is INTERRUPTED
    assert await restarted.begin("telegram", ["1"]) is HANDLED
    assert await start_process().begin("telegram", ["1"]) is HANDLED


async def test_one_common_key_is_enough(start_process: Callable[[], RequestDeduplicator]) -> None:
    """Slack sends a mention in a direct message twice, with two event ids and the same message."""
    requests = start_process()
    assert await requests.begin("slack", ["Ev1", "C1/1.1"]) is NEW
    assert await requests.begin("slack", ["Ev2", "C1/1.1"]) is HANDLED
    assert await start_process().begin("slack", ["Ev3", "C1/1.1"]) is INTERRUPTED


@pytest.mark.parametrize("keys", [[], ["a", "a"]])
async def test_missing_and_repeated_keys_are_no_problem(
    start_process: Callable[[], RequestDeduplicator], keys: list[str]
) -> None:
    requests = start_process()
    assert await requests.begin("slack", keys) is NEW
    await requests.finish("slack", keys)


async def test_deliveries_at_the_same_time_are_carried_out_once_and_in_order(
    start_process: Callable[[], RequestDeduplicator],
) -> None:
    requests = start_process()
    order: list[int] = []

    async def deliver(number: int) -> RequestState:
        state = await requests.begin("slack", [f"Ev{number // 2}"])
        order.append(number)
        return state

    states = await asyncio.gather(*(deliver(number) for number in range(200)))
    assert states == [NEW, HANDLED] * 100
    assert order == sorted(order), "no message overtakes another"


async def test_a_hundred_requests_at_once_cost_two_transactions(
    database: Database, start_process: Callable[[], RequestDeduplicator]
) -> None:
    requests = start_process()
    commits: list[object] = []
    event.listen(database._engine.sync_engine, "commit", commits.append)
    await asyncio.gather(*(requests.begin("slack", [f"Ev{number}"]) for number in range(100)))
    assert len(commits) <= 2


async def test_requests_at_once_share_the_wait_for_a_locked_database(
    database: Database,
    start_process: Callable[[], RequestDeduplicator],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("clearml_chatops.storage.database._BUSY_TIMEOUT_MILLISECONDS", 100)
    requests, other = start_process(), Database(f"sqlite:///{tmp_path / 'chatops.db'}")
    async with other.writing() as session:
        await session.execute(text("DELETE FROM people"))
        async with asyncio.timeout(5):
            results = await asyncio.gather(
                *(requests.begin("slack", [f"Ev{number}"]) for number in range(100)), return_exceptions=True
            )
    await other.aclose()
    assert all(isinstance(result, DatabaseBusyError) for result in results)
    assert await requests.begin("slack", ["Ev7"]) is NEW, "it was not recorded, so it was not carried out"


async def test_a_cancelled_request_does_not_hold_up_the_others(
    start_process: Callable[[], RequestDeduplicator],
) -> None:
    requests = start_process()
    tasks = [asyncio.create_task(requests.begin("slack", [f"Ev{number}"])) for number in range(3)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    async with asyncio.timeout(5):
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert all(isinstance(result, RequestState) for result in results[1:])


async def test_an_unexpected_error_is_not_raised_again_for_later_requests(
    start_process: Callable[[], RequestDeduplicator],
) -> None:
    requests = start_process()
    with pytest.raises(StatementError):
        await requests.begin("slack", [object()])  # type: ignore[list-item]  # what no database can store
    assert await requests.begin("slack", ["Ev1"]) is NEW


async def test_requests_are_found_by_the_index(
    database: Database, start_process: Callable[[], RequestDeduplicator]
) -> None:
    requests = start_process()
    plans: list[str] = []

    def explain(_connection: object, cursor: Any, statement: str, parameters: Any, *_: object) -> None:
        if statement.startswith("SELECT"):
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row[3] for row in cursor.fetchall())

    event.listen(database._engine.sync_engine, "before_cursor_execute", explain)
    await requests.begin("slack", ["Ev1", "C1/1.1"])
    assert plans
    assert all(plan.startswith("SEARCH") for plan in plans), plans


async def test_requests_are_forgotten_after_a_day(
    start_process: Callable[[], RequestDeduplicator], now: list[datetime]
) -> None:
    requests = start_process()
    await requests.begin("slack", ["old"])
    now[0] += timedelta(hours=23)
    await requests.begin("slack", ["young"])
    await requests.delete_old()
    assert await start_process().begin("slack", ["old"]) is INTERRUPTED
    now[0] += timedelta(hours=2)
    await requests.delete_old()
    assert await start_process().begin("slack", ["old"]) is NEW
    assert await start_process().begin("slack", ["young"]) is INTERRUPTED
