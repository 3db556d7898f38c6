"""The watcher: no notification is lost or repeated, whatever happens in between."""

from datetime import timedelta
from pathlib import Path

import pytest

from clearml_chatops.models.errors import ClearMLUnreachableError
from clearml_chatops.services.watching import watcher
from clearml_chatops.services.watching.watcher import OVERLAP, PAGE_SIZE
from tests.support.program import run_program
from tests.support.watcher_setup import WatcherSetup, add_changed_experiment, build_watcher


async def test_more_simultaneous_changes_than_a_page_are_all_seen(world: WatcherSetup) -> None:
    mine = [await world.enqueue_clone(f"mine {number}") for number in range(3)]
    await world.poll()
    world.clock.advance(60)
    for number in range(PAGE_SIZE + 100):
        add_changed_experiment(world, f"other {number}")
    for task in mine:
        await world.start_run(task)
    messages = await world.poll()
    assert sorted(line.split("”")[0] for line in messages) == ["“mine 0", "“mine 1", "“mine 2"]
    assert await world.poll() == []


async def test_changes_over_many_pages_are_each_seen_once(
    world: WatcherSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "PAGE_SIZE", 4)
    mine = [await world.enqueue_clone(f"mine {number}") for number in range(7)]
    await world.poll()
    for number, task in enumerate(mine):
        world.clock.advance(5)
        await world.start_run(task)
        for other in range(3):
            add_changed_experiment(world, f"other {number} {other}")
    messages = await world.poll()
    assert [line.split("”")[0] for line in messages] == [f"“mine {number}" for number in range(7)]
    assert await world.poll() == []


async def test_late_change_with_an_earlier_timestamp_is_seen(world: WatcherSetup) -> None:
    """The server stamps a change before it stores it."""
    task = await world.enqueue_clone()
    await world.start_run(task)
    stamped, world.clock.now = world.clock.now, world.clock.now + OVERLAP - timedelta(seconds=2)
    hidden = dict(task)
    task.update(status="queued", status_changed=stamped - timedelta(seconds=30), started=None)
    add_changed_experiment(world, "other")
    assert await world.poll() == []
    task.update(hidden)
    assert len(await world.poll()) == 1


async def test_clearml_outage_loses_nothing(world: WatcherSetup) -> None:
    first, second = await world.enqueue_clone("first"), await world.enqueue_clone("second")
    await world.poll()
    await world.start_run(first)
    port = int(world.sandbox.url.rpartition(":")[2])
    await world.sandbox.aclose()
    for _ in range(3):
        with pytest.raises(ClearMLUnreachableError):
            await world.poll(advance_by=60)
    assert await world.deliver() == []
    await world.sandbox.start(port=port)
    await world.start_run(second)
    assert [line.split("”")[0] for line in await world.poll()] == ["“first", "“second"]
    assert await world.poll() == []


async def test_poll_interrupted_between_pages_resumes(
    world: WatcherSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "PAGE_SIZE", 2)
    mine = [await world.enqueue_clone(f"mine {number}") for number in range(5)]
    await world.poll()
    for task in mine:
        world.clock.advance(20)
        await world.start_run(task)
    world.sandbox.faults.delay("tasks.get_all_ex", 0.0, times=2)
    world.sandbox.faults.answer("tasks.get_all_ex", status=500, body="broken", times=2)
    with pytest.raises(Exception, match="has an internal error"):
        await world.poll()
    messages = await world.deliver()
    assert 0 < len(messages) < 5
    messages += await world.poll()
    assert [line.split("”")[0] for line in messages] == [f"“mine {number}" for number in range(5)]


async def test_restarted_program_notifies_missed_events_once(world: WatcherSetup, tmp_path: Path) -> None:
    first, second = await world.enqueue_clone("first"), await world.enqueue_clone("second")
    await world.start_run(first)
    assert len(await world.poll()) == 1
    world.clock.advance(3600)
    await world.finish_run(first, "completed")
    await world.start_run(second)
    async with run_program(world.sandbox, tmp_path) as restarted_program:
        restarted_world = WatcherSetup(
            world.clock,
            world.sandbox,
            restarted_program,
            world.agent,
            build_watcher(restarted_program, world.clock),
        )
        messages = await restarted_world.poll()
        assert sorted(line.split("”")[0] for line in messages) == ["“first", "“second"]
        assert await restarted_world.poll() == []
    assert await world.poll() == [], "also not by the old program"


async def test_two_watchers_on_one_database_notify_once(world: WatcherSetup, tmp_path: Path) -> None:
    async with run_program(world.sandbox, tmp_path) as other_program:
        other = build_watcher(other_program, world.clock)
        task = await world.enqueue_clone()
        await world.start_run(task)
        world.clock.advance(1)
        await other.poll()
        await world.watcher.poll()
        assert len(await world.deliver()) == 1


async def test_unsent_notifications_are_sent_after_a_restart(world: WatcherSetup, tmp_path: Path) -> None:
    task = await world.enqueue_clone()
    await world.start_run(task)
    world.clock.advance(1)
    assert await world.watcher.poll() == 1
    async with run_program(world.sandbox, tmp_path) as restarted_program:
        restarted_world = WatcherSetup(
            world.clock,
            world.sandbox,
            restarted_program,
            world.agent,
            build_watcher(restarted_program, world.clock),
        )
        assert len(await restarted_world.deliver()) == 1
        assert await restarted_world.deliver() == []
    assert await world.deliver() == []
