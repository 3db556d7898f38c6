"""Alarms of watched experiments, over polls, restarts and outages."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from clearml_chatops.models.alarms import AlarmThresholds
from clearml_chatops.models.errors import ClearMLUnreachableError
from clearml_chatops.models.people import Role
from clearml_chatops.sandbox.documents import Document
from clearml_chatops.services.watching.stalls import OUTAGE_GRACE
from clearml_chatops.storage.stalls import StallStore
from tests.support.watched_runs import WORKER, WatchedRuns, open_watched_runs

MINUTE = 60


@pytest.fixture
async def runs(tmp_path: Path) -> AsyncIterator[WatchedRuns]:
    async with open_watched_runs(tmp_path) as runs:
        yield runs


@pytest.fixture
async def waiting(runs: WatchedRuns) -> Document:
    """A watched experiment that is Pending in Alice's queue."""
    await runs.program.ask("/queue create")
    queue = runs.sandbox.state.find_queue("alice_queue")
    assert queue
    return await runs.add_watched_run("waits", "queued", execution={"queue": queue["id"]})


async def poll_each_minute(runs: WatchedRuns, minutes: int) -> list[str]:
    """Poll once a minute; return the messages."""
    return [text for _ in range(minutes) for text in await runs.poll(advance_by=MINUTE)]


async def test_unattended_experiment_is_notified_once_with_actions(runs: WatchedRuns, waiting: Document) -> None:
    assert await poll_each_minute(runs, 10) == []
    (message,) = await poll_each_minute(runs, 30)
    assert message.splitlines() == [
        "“waits” is still Pending: queue alice_queue has had no worker for 10 min. Start one to run it.",
        f"[Start worker] /worker start queue={waiting['execution']['queue']}",
        f"[Dequeue] /dequeue {waiting['id']}",
        f"[Show] /show {waiting['id']}",
    ]
    assert "alice_queue" in await runs.program.ask(f"/queue use {waiting['execution']['queue']}")


async def test_experiment_waiting_for_a_busy_worker_raises_no_alarm(runs: WatchedRuns, waiting: Document) -> None:
    other = runs.add_run("another's")
    for _ in range(30):
        runs.report_worker_status(other, queues=(waiting["execution"]["queue"],))
        assert await runs.poll(advance_by=MINUTE) == []


async def test_silent_run_is_notified_once_until_it_reports_again(runs: WatchedRuns) -> None:
    task = await runs.add_watched_run()
    runs.add_log_lines(task, "starting")
    assert await poll_each_minute(runs, 30) == []
    (message,) = await poll_each_minute(runs, 60)
    assert message.splitlines() == [
        (
            "“a run” is Running, but has shown no activity for 30 min: no log lines, no iterations, no GPU use. "
            "Check its log, or abort it."
        ),
        f"[Show log] /log {task['id']}",
        f"[Show] /show {task['id']}",
        f"[Abort] /abort {task['id']}",
    ]
    runs.add_log_lines(task, "another line")
    assert await poll_each_minute(runs, 30) == []
    assert len(await poll_each_minute(runs, 10)) == 1


@pytest.mark.parametrize(
    ("metric", "value", "is_notified"),
    [
        ("loss/train", 0.0, False),
        (":monitor:gpu/gpu_0_utilization", 37.0, False),
        (":monitor:gpu/gpu_0_utilization", 0.0, True),
        (":monitor:gpu/gpu_0_temperature", 37.0, True),
        (":monitor:machine/cpu_usage", 5.0, True),
    ],
)
async def test_which_reports_count_as_activity(
    runs: WatchedRuns, metric: str, value: float, *, is_notified: bool
) -> None:
    """The SDK still reports the machine's load when a script hangs."""
    task = await runs.add_watched_run()
    messages = []
    for _ in range(45):
        runs.report_scalar(task, metric, value)
        messages += await runs.poll(advance_by=MINUTE)
    assert bool(messages) is is_notified


async def test_lost_worker_is_notified_once(runs: WatchedRuns) -> None:
    task = await runs.add_watched_run()
    for _ in range(5):
        runs.report_worker_status(task)
        runs.add_log_lines(task, "another line")
        assert await runs.poll(advance_by=MINUTE) == []
    assert await poll_each_minute(runs, 9) == []
    (message,) = await poll_each_minute(runs, 60)
    assert f"its worker {WORKER} hasn't reported on it for 10 min." in message
    assert "ClearML itself waits 2 hours" in message
    assert f"[Abort] /abort {task['id']}" in message


async def test_restarted_agent_has_lost_its_run(runs: WatchedRuns) -> None:
    task = await runs.add_watched_run()
    runs.report_worker_status(task)
    messages = []
    for _ in range(15):
        runs.report_worker_status()
        messages += await runs.poll(advance_by=MINUTE)
    assert ["hasn't reported on it" in text for text in messages] == [True]


async def test_restart_neither_loses_nor_repeats_alarms(runs: WatchedRuns) -> None:
    await runs.add_watched_run()
    messages = []
    for _ in range(10):
        messages += await poll_each_minute(runs, 9)
        runs.restart()
    assert len(messages) == 1


async def test_clearml_outage_raises_no_alarm(runs: WatchedRuns) -> None:
    """During the outage no agent can report."""
    task = await runs.add_watched_run()
    runs.report_worker_status(task)
    assert await poll_each_minute(runs, 5) == []
    port = int(runs.sandbox.url.rpartition(":")[2])
    await runs.sandbox.aclose()
    for _ in range(3):
        with pytest.raises(ClearMLUnreachableError):
            await runs.poll(advance_by=20 * MINUTE)
    await runs.sandbox.start(port=port)
    assert await runs.poll() == []
    runs.report_worker_status(task)
    runs.add_log_lines(task, "another line")
    assert await poll_each_minute(runs, 9) == []
    assert len(await poll_each_minute(runs, 5)) == 1, "it works as before"


async def test_grace_period_after_a_long_downtime(runs: WatchedRuns) -> None:
    task = await runs.add_watched_run()
    runs.report_worker_status(task)
    assert await runs.poll() == []
    runs.restart()
    assert await runs.poll(advance_by=600 * MINUTE) == []
    runs.report_worker_status(task)
    runs.add_log_lines(task, "another line")
    assert await runs.poll(advance_by=OUTAGE_GRACE.total_seconds()) == []


async def test_only_watchers_are_notified(runs: WatchedRuns) -> None:
    task = await runs.add_watched_run()
    runs.add_run("that nobody watches")
    bob = await runs.program.add_person(runs.sandbox.bob, Role.MEMBER)
    other_person = await runs.program.add_person(runs.sandbox.carol, Role.VIEWER)
    await bob.ask(f"/watch {task['id']}")
    assert len(await poll_each_minute(runs, 40)) == 1
    assert len(await runs.deliver(bob)) == 1
    assert await runs.deliver(other_person) == []


async def test_request_count_does_not_grow_with_runs(runs: WatchedRuns, waiting: Document) -> None:
    for number in range(20):
        await runs.add_watched_run(f"run {number}")
    runs.sandbox.requests.clear()
    await runs.poll()
    assert sorted(runs.sandbox.requests.list_endpoints()) == ["tasks.get_all_ex", "workers.get_all"]
    (request,) = runs.sandbox.requests.find_by_endpoint("tasks.get_all_ex")
    assert not {"hyperparams", "last_metrics", "metric_stats"} & set(request.body["only_fields"])
    runs.sandbox.requests.clear()
    assert len(await poll_each_minute(runs, 11)) == 1
    assert runs.sandbox.requests.list_endpoints().count("queues.get_all_ex") == 1, "only for the one alarm"
    assert waiting


async def test_no_requests_and_no_stalls_after_the_last_run(runs: WatchedRuns) -> None:
    task = await runs.add_watched_run()
    await runs.poll()
    runs.finish_run(task)
    await runs.program.program.process.watcher.poll()
    await runs.program.program.process.watcher.poll()
    await runs.program.ask(f"/unwatch {task['id']}")
    await runs.poll()
    runs.sandbox.requests.clear()
    await runs.poll()
    assert runs.sandbox.requests.list_endpoints() == []
    async with runs.program.program.process.database.reading() as session:
        assert await StallStore(session).list_all() == []


async def test_no_requests_when_alarms_are_disabled(runs: WatchedRuns) -> None:
    await runs.add_watched_run()
    process = runs.program.program.process
    thresholds = AlarmThresholds(timedelta(0), timedelta(0), timedelta(0))
    poller = replace(process, clock=runs.clock, alarm_thresholds=thresholds).run_poller
    runs.sandbox.requests.clear()
    assert await poller.poll() == 0
    assert runs.sandbox.requests.list_endpoints() == []
