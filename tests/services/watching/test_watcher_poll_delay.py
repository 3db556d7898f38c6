"""How often the watcher polls, and what a poll costs."""

from tests.support.bulk_experiments import add_pending, watch_all
from tests.support.watcher_setup import WatcherSetup


async def test_poll_without_changes_costs_one_request(world: WatcherSetup) -> None:
    await world.enqueue_clone()
    await world.poll()
    for later in (1, 30):
        world.sandbox.requests.clear()
        await world.poll(advance_by=later)
        assert world.sandbox.requests.list_endpoints() == ["tasks.get_all_ex"]
        (request,) = world.sandbox.requests.find_by_endpoint("tasks.get_all_ex")
        assert "hyperparams" not in request.body["only_fields"]


async def test_polls_often_only_while_a_watched_experiment_is_active(world: WatcherSetup) -> None:
    process = world.program.program.process
    active_delay, idle_delay = process.poll_interval, process.idle_poll_interval
    assert active_delay < idle_delay
    await world.poll()
    assert world.watcher.get_poll_delay() == idle_delay
    task = await world.enqueue_clone()
    await world.poll()
    assert world.watcher.get_poll_delay() == active_delay
    await world.start_run(task, worker="")
    await world.poll()
    assert world.watcher.get_poll_delay() < active_delay, "the worker's name comes soon"
    await world.report_worker_status(task)
    await world.poll()
    assert world.watcher.get_poll_delay() == active_delay
    await world.finish_run(task, "completed")
    await world.poll()
    assert world.watcher.get_poll_delay() == idle_delay


async def test_enqueue_command_wakes_the_watcher(world: WatcherSetup) -> None:
    woken = world.program.program.process.watcher_wakeup.subscribe()
    await world.enqueue_clone()
    assert woken.is_set()


async def test_watch_added_by_another_process_shortens_the_delay_within_30_seconds(world: WatcherSetup) -> None:
    process, person = world.program.program.process, await world.program.find_person()
    assert person
    await world.poll()
    idle_delay = world.watcher.get_poll_delay()
    (task,) = add_pending(world.sandbox.state, 1, user=world.sandbox.bob.id)
    await world.poll()
    await watch_all(process.database, [task], world.program.conversation, person.id)
    await world.poll(advance_by=30)
    assert world.watcher.get_poll_delay() < idle_delay
