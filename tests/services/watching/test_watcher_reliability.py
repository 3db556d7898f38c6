"""The watcher: no notification is lost or repeated, whatever happens in between."""

from datetime import timedelta
from pathlib import Path

import pytest

from clearml_chatops.models.errors import ClearMLUnreachableError
from clearml_chatops.services.watching import watcher
from clearml_chatops.services.watching.watcher import OVERLAP, PAGE_SIZE
from tests.support.program import run_program
from tests.support.watcher_setup import WatcherSetup, add_changed_experiment, build_watcher


async def test_more_simultaneous_changes_than_a_page_are_all_seen(setup: WatcherSetup) -> None:
    mine = [await setup.enqueue_clone(f"mine {number}") for number in range(3)]
    await setup.poll()
    setup.clock.advance(60)
    for number in range(PAGE_SIZE + 100):
        add_changed_experiment(setup, f"other {number}")
    for task in mine:
        await setup.start_run(task)
    messages = await setup.poll()
    assert sorted(line.split("”")[0] for line in messages) == ["“mine 0", "“mine 1", "“mine 2"]
    assert await setup.poll() == []


async def test_changes_over_many_pages_are_each_seen_once(
    setup: WatcherSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "PAGE_SIZE", 4)
    mine = [await setup.enqueue_clone(f"mine {number}") for number in range(7)]
    await setup.poll()
    for number, task in enumerate(mine):
        setup.clock.advance(5)
        await setup.start_run(task)
        for other in range(3):
            add_changed_experiment(setup, f"other {number} {other}")
    messages = await setup.poll()
    assert [line.split("”")[0] for line in messages] == [f"“mine {number}" for number in range(7)]
    assert await setup.poll() == []


async def test_late_change_with_an_earlier_timestamp_is_seen(setup: WatcherSetup) -> None:
    """The server stamps a change before it stores it."""
    task = await setup.enqueue_clone()
    await setup.start_run(task)
    stamped, setup.clock.now = setup.clock.now, setup.clock.now + OVERLAP - timedelta(seconds=2)
    hidden = dict(task)
    task.update(status="queued", status_changed=stamped - timedelta(seconds=30), started=None)
    add_changed_experiment(setup, "other")
    assert await setup.poll() == []
    task.update(hidden)
    assert len(await setup.poll()) == 1


async def test_clearml_outage_loses_nothing(setup: WatcherSetup) -> None:
    first, second = await setup.enqueue_clone("first"), await setup.enqueue_clone("second")
    await setup.poll()
    await setup.start_run(first)
    port = int(setup.sandbox.url.rpartition(":")[2])
    await setup.sandbox.aclose()
    for _ in range(3):
        with pytest.raises(ClearMLUnreachableError):
            await setup.poll(advance_by=60)
    assert await setup.deliver() == []
    await setup.sandbox.start(port=port)
    await setup.start_run(second)
    assert [line.split("”")[0] for line in await setup.poll()] == ["“first", "“second"]
    assert await setup.poll() == []


async def test_poll_interrupted_between_pages_resumes(
    setup: WatcherSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "PAGE_SIZE", 2)
    mine = [await setup.enqueue_clone(f"mine {number}") for number in range(5)]
    await setup.poll()
    for task in mine:
        setup.clock.advance(20)
        await setup.start_run(task)
    setup.sandbox.faults.delay("tasks.get_all_ex", 0.0, times=2)
    setup.sandbox.faults.answer("tasks.get_all_ex", status=500, body="broken", times=2)
    with pytest.raises(Exception, match="has an internal error"):
        await setup.poll()
    messages = await setup.deliver()
    assert 0 < len(messages) < 5
    messages += await setup.poll()
    assert [line.split("”")[0] for line in messages] == [f"“mine {number}" for number in range(5)]


async def test_restarted_program_notifies_missed_events_once(setup: WatcherSetup, tmp_path: Path) -> None:
    first, second = await setup.enqueue_clone("first"), await setup.enqueue_clone("second")
    await setup.start_run(first)
    assert len(await setup.poll()) == 1
    setup.clock.advance(3600)
    await setup.finish_run(first, "completed")
    await setup.start_run(second)
    async with run_program(setup.sandbox, tmp_path) as restarted_program:
        restarted_setup = WatcherSetup(
            setup.clock,
            setup.sandbox,
            restarted_program,
            setup.agent,
            build_watcher(restarted_program, setup.clock),
        )
        messages = await restarted_setup.poll()
        assert sorted(line.split("”")[0] for line in messages) == ["“first", "“second"]
        assert await restarted_setup.poll() == []
    assert await setup.poll() == [], "also not by the old program"


async def test_two_watchers_on_one_database_notify_once(setup: WatcherSetup, tmp_path: Path) -> None:
    async with run_program(setup.sandbox, tmp_path) as other_program:
        other = build_watcher(other_program, setup.clock)
        task = await setup.enqueue_clone()
        await setup.start_run(task)
        setup.clock.advance(1)
        await other.poll()
        await setup.watcher.poll()
        assert len(await setup.deliver()) == 1


async def test_unsent_notifications_are_sent_after_a_restart(setup: WatcherSetup, tmp_path: Path) -> None:
    task = await setup.enqueue_clone()
    await setup.start_run(task)
    setup.clock.advance(1)
    assert await setup.watcher.poll() == 1
    async with run_program(setup.sandbox, tmp_path) as restarted_program:
        restarted_setup = WatcherSetup(
            setup.clock,
            setup.sandbox,
            restarted_program,
            setup.agent,
            build_watcher(restarted_program, setup.clock),
        )
        assert len(await restarted_setup.deliver()) == 1
        assert await restarted_setup.deliver() == []
    assert await setup.deliver() == []
