"""The watcher when thousands of experiments change at once: page by page, each once, and idle afterwards."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clearml_chatops.models.notifications import EventKind, ExperimentEvent
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.services.watching.watcher import OVERLAP, PAGE_SIZE
from clearml_chatops.storage.outbox import OutboxStore
from tests.support.bulk_experiments import add_pending, fail_all, watch_all
from tests.support.program import RunningProgram, run_program

COUNT = 4 * PAGE_SIZE + 7
PAGES = 5
EXTRA_PAGES = 1
"""The second page begins at the last change of the first, so it repeats it if all changes are at one moment."""


class Clock:
    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def program(clock: Clock, tmp_path: Path) -> AsyncIterator[RunningProgram]:
    async with Sandbox(clock=clock) as sandbox, run_program(sandbox, tmp_path) as running:
        await running.ask("/whoami")
        yield running


async def test_thousands_of_simultaneous_changes_cost_one_request_a_page(
    program: RunningProgram, clock: Clock
) -> None:
    process, sandbox = program.program.process, program.sandbox
    watcher = replace(process, clock=clock).watcher
    tasks = add_pending(sandbox.state, COUNT, user=sandbox.alice.id)
    person = await program.find_person()
    assert person
    await watch_all(process.database, tasks, program.conversation, person.id)
    await watcher.poll()
    clock.moment += timedelta(minutes=1)
    await watcher.poll()
    clock.moment += timedelta(minutes=1)
    fail_all(tasks, clock())
    sandbox.requests.clear()

    assert await watcher.poll() == 2 * COUNT
    assert sandbox.requests.list_endpoints() == ["tasks.get_all_ex"] * (PAGES + EXTRA_PAGES)
    clock.moment += timedelta(seconds=2)
    assert await watcher.poll() == 0

    async with process.database.reading() as session:
        outbox = OutboxStore(session)
        messages = await outbox.list_due(
            program.conversation.platform, program.conversation.id, now=clock(), limit=10**6
        )
    events = [item.event for item in messages if isinstance(item.event, ExperimentEvent)]
    assert Counter((event.experiment_id, event.kind) for event in events) == Counter(
        (task["id"], kind) for task in tasks for kind in (EventKind.STARTED, EventKind.FAILED)
    )

    clock.moment += OVERLAP
    await watcher.poll()
    sandbox.requests.clear()
    clock.moment += timedelta(seconds=2)
    assert await watcher.poll() == 0
    assert sandbox.requests.list_endpoints() == ["tasks.get_all_ex"], "old changes are not read in every poll"


async def test_changes_after_an_idle_period_are_notified(program: RunningProgram, clock: Clock) -> None:
    process, sandbox = program.program.process, program.sandbox
    watcher = replace(process, clock=clock).watcher
    tasks = add_pending(sandbox.state, 3, user=sandbox.alice.id)
    person = await program.find_person()
    assert person
    await watch_all(process.database, tasks, program.conversation, person.id)
    for _ in range(8):
        await watcher.poll()
        clock.moment += timedelta(seconds=5)
    for task in tasks:
        clock.moment += timedelta(milliseconds=1)
        fail_all([task], clock())
        assert await watcher.poll() == 2
