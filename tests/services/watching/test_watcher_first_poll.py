"""The watcher's first poll, and the cursor that it moves from there."""

from pathlib import Path

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.storage.schema import WatcherCursorRow
from clearml_chatops.storage.watcher import WatcherStore
from tests.support.program import run_program
from tests.support.watcher_setup import ManualClock, WatcherSetup, add_changed_experiment, build_watcher


async def reset_watcher(setup: WatcherSetup) -> None:
    """Make the program forget its polls."""
    async with setup.program.program.process.database.writing() as session:
        row = await session.get_one(WatcherCursorRow, 1)
        await session.delete(row)
    setup.watcher = build_watcher(setup.program, setup.clock)


async def test_first_poll_ignores_old_experiments(tmp_path: Path) -> None:
    clock = ManualClock()
    async with Sandbox(clock=clock) as sandbox:
        add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
        async with run_program(sandbox, tmp_path) as program:
            watcher = build_watcher(program, clock)
            assert [await watcher.poll() for _ in range(3)] == [0, 0, 0]


async def test_first_poll_of_an_empty_server(tmp_path: Path) -> None:
    clock = ManualClock()
    async with Sandbox(clock=clock) as sandbox, run_program(sandbox, tmp_path) as program:
        watcher = build_watcher(program, clock)
        assert [await watcher.poll() for _ in range(2)] == [0, 0]


async def test_experiment_enqueued_before_the_first_poll_is_notified(setup: WatcherSetup) -> None:
    await reset_watcher(setup)
    task = await setup.enqueue_clone()
    setup.clock.advance(60)
    await setup.start_run(task)
    for number in range(3):
        setup.clock.advance(60)
        add_changed_experiment(setup, f"other {number}")
    messages = await setup.poll() + await setup.poll()
    assert [line.split("”")[0] for line in messages] == ["“two GPUs"]


async def test_local_clock_ahead_of_the_server_skips_nothing(setup: WatcherSetup) -> None:
    """A clone's state has a time by the bot's clock, here an hour ahead; the watcher must not wait for it."""
    await reset_watcher(setup)
    setup.clock.advance(-3600)
    task = await setup.enqueue_clone()
    await setup.program.ask("/dequeue")
    await setup.program.ask("/clone baseline stored by the bot")
    await setup.poll()
    await setup.program.ask(f"/enqueue {task['id']}")
    await setup.start_run(task)
    assert [line.split("”")[0] for line in await setup.poll()] == ["“two GPUs"]


async def test_experiment_without_status_time_does_not_stop_the_watcher(setup: WatcherSetup) -> None:
    """A Draft made by hand has none; /wait makes it known to the watcher."""
    await reset_watcher(setup)
    draft = setup.sandbox.state.add_task("by hand", user=setup.sandbox.alice.id)
    assert "status_changed" not in draft
    assert await setup.program.send_for_error_code(f"/wait {draft['id']} timeout=1s") == "wait_timeout"
    await setup.poll()
    await setup.agent.call_for_data("tasks.enqueue", task=draft["id"], queue_name="alice_queue")
    await setup.poll()
    await setup.start_run(draft)
    assert [line.split("”")[0] for line in await setup.poll()] == ["“by hand"]


async def test_cursor_never_moves_back(setup: WatcherSetup) -> None:
    task = await setup.enqueue_clone()
    await setup.start_run(task)
    await setup.poll()
    positions = []
    for later in (1, 60, 1):
        add_changed_experiment(setup, "other")
        await setup.poll(advance_by=later)
        async with setup.program.program.process.database.reading() as session:
            positions.append(await WatcherStore(session).get_cursor())
    assert positions == sorted(positions, key=str)
