"""Alarms of watched experiments, over looks, restarts and recoveries."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from clearml_chatops.models.alarms import AlarmSpans
from clearml_chatops.models.errors import ClearMLUnreachableError
from clearml_chatops.models.people import Role
from clearml_chatops.sandbox.documents import Document
from clearml_chatops.services.watching.alarms import SETTLING
from clearml_chatops.storage.standstills import StandstillStore
from tests.support.watched_runs import WORKER, WatchedRuns, watched_runs

MINUTE = 60


@pytest.fixture
async def runs(tmp_path: Path) -> AsyncIterator[WatchedRuns]:
    async with watched_runs(tmp_path) as world:
        yield world


@pytest.fixture
async def waiting(runs: WatchedRuns) -> Document:
    """A watched experiment that waits in Alice's queue."""
    await runs.program.ask("/queue create")
    queue = runs.sandbox.state.queue_named("alice_queue")
    assert queue
    return await runs.watched("waits", "queued", execution={"queue": queue["id"]})


async def looks(runs: WatchedRuns, minutes: int) -> list[str]:
    """What is told in so many minutes, with a look in each."""
    return [text for _ in range(minutes) for text in await runs.look(later=MINUTE)]


async def test_what_waits_where_nobody_listens_is_told_once_with_what_helps(
    runs: WatchedRuns, waiting: Document
) -> None:
    assert await looks(runs, 10) == []
    (told,) = await looks(runs, 30)
    assert told.splitlines() == [
        "“waits” is still Pending: no worker has listened on its queue alice_queue for 10 min.",
        f"[Start my worker] /worker start queue={waiting['execution']['queue']}",
        f"[Dequeue] /dequeue {waiting['id']}",
        f"[Show] /show {waiting['id']}",
    ]
    assert "alice_queue" in await runs.program.ask(f"/queue use {waiting['execution']['queue']}")


async def test_what_waits_for_a_busy_worker_is_not_told(runs: WatchedRuns, waiting: Document) -> None:
    other = runs.run("another's")
    for _ in range(30):
        runs.worker_reports(other, queues=(waiting["execution"]["queue"],))
        assert await runs.look(later=MINUTE) == []


async def test_a_silent_run_is_told_once_until_it_is_heard_of(runs: WatchedRuns) -> None:
    task = await runs.watched()
    runs.log(task, "starting")
    assert await looks(runs, 30) == []
    (told,) = await looks(runs, 60)
    assert told.splitlines() == [
        "“a run” is Running, but has given no sign of life for 30 min: no log, no iteration, no use of a GPU.",
        f"[Log] /log {task['id']}",
        f"[Show] /show {task['id']}",
        f"[Abort] /abort {task['id']}",
    ]
    runs.log(task, "going on")
    assert await looks(runs, 30) == []
    assert len(await looks(runs, 10)) == 1


@pytest.mark.parametrize(
    ("metric", "value", "is_told"),
    [
        ("loss/train", 0.0, False),
        (":monitor:gpu/gpu_0_utilization", 37.0, False),
        (":monitor:gpu/gpu_0_utilization", 0.0, True),
        (":monitor:gpu/gpu_0_temperature", 37.0, True),
        (":monitor:machine/cpu_usage", 5.0, True),
    ],
)
async def test_which_reports_are_signs_of_life(
    runs: WatchedRuns, metric: str, value: float, *, is_told: bool
) -> None:
    """The SDK goes on reporting the machine's load of a script that hangs."""
    task = await runs.watched()
    told = []
    for _ in range(45):
        runs.report(task, metric, value)
        told += await runs.look(later=MINUTE)
    assert bool(told) is is_told


async def test_a_run_whose_worker_reports_no_more_is_told_once(runs: WatchedRuns) -> None:
    task = await runs.watched()
    for _ in range(5):
        runs.worker_reports(task)
        runs.log(task, "going on")
        assert await runs.look(later=MINUTE) == []
    assert await looks(runs, 9) == []
    (told,) = await looks(runs, 60)
    assert f"its worker {WORKER} has not reported of it for 10 min" in told
    assert "ClearML itself waits two hours" in told
    assert f"[Abort] /abort {task['id']}" in told


async def test_an_agent_that_was_killed_and_began_anew_has_lost_its_run(runs: WatchedRuns) -> None:
    task = await runs.watched()
    runs.worker_reports(task)
    told = []
    for _ in range(15):
        runs.worker_reports()
        told += await runs.look(later=MINUTE)
    assert ["has not reported of it" in text for text in told] == [True]


async def test_a_restart_neither_forgets_nor_tells_twice(runs: WatchedRuns) -> None:
    await runs.watched()
    told = []
    for _ in range(10):
        told += await looks(runs, 9)
        runs.restart()
    assert len(told) == 1


async def test_while_clearml_is_down_nothing_stands_still(runs: WatchedRuns) -> None:
    """No agent can report then, and none has when it is back."""
    task = await runs.watched()
    runs.worker_reports(task)
    assert await looks(runs, 5) == []
    port = int(runs.sandbox.url.rpartition(":")[2])
    await runs.sandbox.aclose()
    for _ in range(3):
        with pytest.raises(ClearMLUnreachableError):
            await runs.look(later=20 * MINUTE)
    await runs.sandbox.start(port=port)
    assert await runs.look() == []
    runs.worker_reports(task)
    runs.log(task, "going on")
    assert await looks(runs, 9) == []
    assert len(await looks(runs, 5)) == 1, "it looks on as before"


async def test_after_a_long_rest_of_the_bot_there_is_time_for_signs_of_life(runs: WatchedRuns) -> None:
    task = await runs.watched()
    runs.worker_reports(task)
    assert await runs.look() == []
    runs.restart()
    assert await runs.look(later=600 * MINUTE) == []
    runs.worker_reports(task)
    runs.log(task, "going on")
    assert await runs.look(later=SETTLING.total_seconds()) == []


async def test_all_who_watch_are_told_and_nobody_else(runs: WatchedRuns) -> None:
    task = await runs.watched()
    runs.run("of nobody's interest")
    bob = await runs.program.introduce(runs.sandbox.bob, Role.MEMBER)
    stranger = await runs.program.introduce(runs.sandbox.carol, Role.VIEWER)
    await bob.ask(f"/watch {task['id']}")
    assert len(await looks(runs, 40)) == 1
    assert len(await runs.delivered(bob)) == 1
    assert await runs.delivered(stranger) == []


async def test_requests_are_as_many_for_many_as_for_one(runs: WatchedRuns, waiting: Document) -> None:
    for number in range(20):
        await runs.watched(f"run {number}")
    runs.sandbox.requests.clear()
    await runs.look()
    assert sorted(runs.sandbox.requests.names()) == ["tasks.get_all_ex", "workers.get_all"]
    (request,) = runs.sandbox.requests.named("tasks.get_all_ex")
    assert not {"hyperparams", "last_metrics", "metric_stats"} & set(request.body["only_fields"])
    runs.sandbox.requests.clear()
    assert len(await looks(runs, 11)) == 1
    assert runs.sandbox.requests.names().count("queues.get_all_ex") == 1, "only for the one alarm"
    assert waiting


async def test_nothing_is_asked_and_nothing_kept_when_all_is_over(runs: WatchedRuns) -> None:
    task = await runs.watched()
    await runs.look()
    runs.end(task)
    await runs.program.program.process.watcher.look()
    await runs.program.program.process.watcher.look()
    await runs.program.ask(f"/unwatch {task['id']}")
    await runs.look()
    runs.sandbox.requests.clear()
    await runs.look()
    assert runs.sandbox.requests.names() == []
    async with runs.program.program.process.database.reading() as session:
        assert await StandstillStore(session).list() == []


async def test_without_alarms_nothing_is_asked(runs: WatchedRuns) -> None:
    await runs.watched()
    process = runs.program.program.process
    spans = AlarmSpans(timedelta(0), timedelta(0), timedelta(0))
    watching = replace(process, clock=runs.clock, alarm_spans=spans).run_watching
    runs.sandbox.requests.clear()
    assert await watching.look() == 0
    assert runs.sandbox.requests.names() == []
