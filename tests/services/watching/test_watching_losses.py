"""The watcher: nothing is lost and nothing told twice, whatever happens in between."""

from datetime import timedelta
from pathlib import Path

import pytest

from clearml_chatops.models.errors import ClearMLUnreachableError
from clearml_chatops.services.watching import watching
from clearml_chatops.services.watching.watching import OVERLAP, PAGE_SIZE
from tests.support.program import running_program
from tests.support.watched import World, add_changed, watcher_of


async def test_more_changes_at_one_same_moment_than_a_page_holds_are_all_seen(world: World) -> None:
    mine = [await world.enqueued(f"mine {number}") for number in range(3)]
    await world.look()
    world.clock.advance(60)
    for number in range(PAGE_SIZE + 100):
        add_changed(world, f"other {number}")
    for task in mine:
        await world.start(task)
    told = await world.look()
    assert sorted(line.split("”")[0] for line in told) == ["“mine 0", "“mine 1", "“mine 2"]
    assert await world.look() == []


async def test_many_changes_over_many_pages_are_all_seen_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "PAGE_SIZE", 4)
    mine = [await world.enqueued(f"mine {number}") for number in range(7)]
    await world.look()
    for number, task in enumerate(mine):
        world.clock.advance(5)
        await world.start(task)
        for other in range(3):
            add_changed(world, f"other {number} {other}")
    told = await world.look()
    assert [line.split("”")[0] for line in told] == [f"“mine {number}" for number in range(7)]
    assert await world.look() == []


async def test_a_change_stamped_before_the_last_one_seen_is_seen_when_it_appears(world: World) -> None:
    """The server stamps a change before it stores it."""
    task = await world.enqueued()
    await world.start(task)
    stamped, world.clock.moment = world.clock.moment, world.clock.moment + OVERLAP - timedelta(seconds=2)
    hidden = dict(task)
    task.update(status="queued", status_changed=stamped - timedelta(seconds=30), started=None)
    add_changed(world, "other")
    assert await world.look() == []
    task.update(hidden)
    assert len(await world.look()) == 1


async def test_clearml_being_down_during_a_look_loses_nothing(world: World) -> None:
    first, second = await world.enqueued("first"), await world.enqueued("second")
    await world.look()
    await world.start(first)
    port = int(world.sandbox.url.rpartition(":")[2])
    await world.sandbox.aclose()
    for _ in range(3):
        with pytest.raises(ClearMLUnreachableError):
            await world.look(later=60)
    assert await world.delivered() == []
    await world.sandbox.start(port=port)
    await world.start(second)
    assert [line.split("”")[0] for line in await world.look()] == ["“first", "“second"]
    assert await world.look() == []


async def test_a_look_cut_short_between_pages_is_taken_up_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "PAGE_SIZE", 2)
    mine = [await world.enqueued(f"mine {number}") for number in range(5)]
    await world.look()
    for task in mine:
        world.clock.advance(20)
        await world.start(task)
    world.sandbox.faults.delay("tasks.get_all_ex", 0.0, times=2)
    world.sandbox.faults.answer("tasks.get_all_ex", status=500, body="broken", times=2)
    with pytest.raises(Exception, match="has a fault"):
        await world.look()
    told = await world.delivered()
    assert 0 < len(told) < 5
    told += await world.look()
    assert [line.split("”")[0] for line in told] == [f"“mine {number}" for number in range(5)]


async def test_a_program_started_anew_tells_what_happened_meanwhile_and_nothing_twice(
    world: World, tmp_path: Path
) -> None:
    first, second = await world.enqueued("first"), await world.enqueued("second")
    await world.start(first)
    assert len(await world.look()) == 1
    world.clock.advance(3600)
    await world.end(first, "completed")
    await world.start(second)
    async with running_program(world.sandbox, tmp_path) as again:
        anew = World(world.clock, world.sandbox, again, world.agent, watcher_of(again, world.clock))
        told = await anew.look()
        assert sorted(line.split("”")[0] for line in told) == ["“first", "“second"]
        assert await anew.look() == []
    assert await world.look() == [], "nor does one that still runs beside it"


async def test_two_watchers_of_one_database_tell_everything_once(world: World, tmp_path: Path) -> None:
    async with running_program(world.sandbox, tmp_path) as beside:
        other = watcher_of(beside, world.clock)
        task = await world.enqueued()
        await world.start(task)
        world.clock.advance(1)
        await other.look()
        await world.watcher.look()
        assert len(await world.delivered()) == 1


async def test_what_was_put_out_but_not_sent_is_sent_after_a_restart(world: World, tmp_path: Path) -> None:
    task = await world.enqueued()
    await world.start(task)
    world.clock.advance(1)
    assert await world.watcher.look() == 1
    async with running_program(world.sandbox, tmp_path) as again:
        anew = World(world.clock, world.sandbox, again, world.agent, watcher_of(again, world.clock))
        assert len(await anew.delivered()) == 1
        assert await anew.delivered() == []
    assert await world.delivered() == []
