"""The watcher's first look ever, and the cursor that it moves from there."""

from pathlib import Path

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.storage.schema import WatcherCursorRow
from clearml_chatops.storage.states import WatcherStore
from tests.support.program import running_program
from tests.support.watched import Clock, World, add_changed, watcher_of


async def begun_anew(world: World) -> None:
    """Has the program forget that it ever looked."""
    async with world.program.program.process.database.writing() as session:
        row = await session.get_one(WatcherCursorRow, 1)
        await session.delete(row)
    world.watcher = watcher_of(world.program, world.clock)


async def test_the_first_look_ever_tells_nothing_old(tmp_path: Path) -> None:
    clock = Clock()
    async with Sandbox(now=clock) as sandbox:
        add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
        async with running_program(sandbox, tmp_path) as program:
            watcher = watcher_of(program, clock)
            assert [await watcher.look() for _ in range(3)] == [0, 0, 0]


async def test_the_first_look_at_an_empty_server(tmp_path: Path) -> None:
    clock = Clock()
    async with Sandbox(now=clock) as sandbox, running_program(sandbox, tmp_path) as program:
        watcher = watcher_of(program, clock)
        assert [await watcher.look() for _ in range(2)] == [0, 0]


async def test_what_was_enqueued_before_the_first_look_ever_is_told(world: World) -> None:
    await begun_anew(world)
    task = await world.enqueued()
    world.clock.advance(60)
    await world.start(task)
    for number in range(3):
        world.clock.advance(60)
        add_changed(world, f"other {number}")
    told = await world.look() + await world.look()
    assert [line.split("”")[0] for line in told] == ["“two cards"]


async def test_a_clock_of_ours_that_goes_ahead_skips_nothing(world: World) -> None:
    """The state of a clone is noted by our own clock; an hour ahead of the server's it must not be waited for."""
    await begun_anew(world)
    world.clock.advance(-3600)
    task = await world.enqueued()
    await world.program.ask("/dequeue")
    await world.program.ask("/clone baseline noted by our clock")
    await world.look()
    await world.program.ask(f"/enqueue {task['id']}")
    await world.start(task)
    assert [line.split("”")[0] for line in await world.look()] == ["“two cards"]


async def test_an_experiment_without_a_time_of_change_does_not_stop_the_watcher(world: World) -> None:
    """A draft made by hand has none; to wait for it makes it known to the watcher."""
    await begun_anew(world)
    draft = world.sandbox.state.add_task("by hand", user=world.sandbox.alice.id)
    assert "status_changed" not in draft
    assert await world.program.error_code(f"/wait {draft['id']} timeout=1s") == "wait_timeout"
    await world.look()
    await world.agent.data("tasks.enqueue", task=draft["id"], queue_name="alice_queue")
    await world.look()
    await world.start(draft)
    assert [line.split("”")[0] for line in await world.look()] == ["“by hand"]


async def test_the_cursor_never_goes_back(world: World) -> None:
    task = await world.enqueued()
    await world.start(task)
    await world.look()
    positions = []
    for later in (1, 60, 1):
        add_changed(world, "other")
        await world.look(later=later)
        async with world.program.program.process.database.reading() as session:
            positions.append(await WatcherStore(session).cursor())
    assert positions == sorted(positions, key=str)
