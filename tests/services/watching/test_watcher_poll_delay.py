"""How often the watcher polls, and what a poll costs."""

from tests.support.bulk_experiments import add_pending, watch_all
from tests.support.watcher_setup import WatcherSetup


async def test_poll_without_changes_costs_one_request(setup: WatcherSetup) -> None:
    await setup.enqueue_clone()
    await setup.poll()
    for later in (1, 30):
        setup.sandbox.requests.clear()
        await setup.poll(advance_by=later)
        assert setup.sandbox.requests.list_endpoints() == ["tasks.get_all_ex"]
        (request,) = setup.sandbox.requests.find_by_endpoint("tasks.get_all_ex")
        assert "hyperparams" not in request.body["only_fields"]


async def test_polls_often_only_while_a_watched_experiment_is_active(setup: WatcherSetup) -> None:
    process = setup.program.program.process
    active_delay, idle_delay = process.poll_interval, process.idle_poll_interval
    assert active_delay < idle_delay
    await setup.poll()
    assert setup.watcher.get_poll_delay() == idle_delay
    task = await setup.enqueue_clone()
    await setup.poll()
    assert setup.watcher.get_poll_delay() == active_delay
    await setup.start_run(task, worker="")
    await setup.poll()
    assert setup.watcher.get_poll_delay() < active_delay, "the worker's name comes soon"
    await setup.report_worker_status(task)
    await setup.poll()
    assert setup.watcher.get_poll_delay() == active_delay
    await setup.finish_run(task, "completed")
    await setup.poll()
    assert setup.watcher.get_poll_delay() == idle_delay


async def test_enqueue_command_wakes_the_watcher(setup: WatcherSetup) -> None:
    woken = setup.program.program.process.watcher_wakeup.subscribe()
    await setup.enqueue_clone()
    assert woken.is_set()


async def test_watch_added_by_another_process_shortens_the_delay_within_30_seconds(setup: WatcherSetup) -> None:
    process, person = setup.program.program.process, await setup.program.find_person()
    assert person
    await setup.poll()
    idle_delay = setup.watcher.get_poll_delay()
    (task,) = add_pending(setup.sandbox.state, 1, user=setup.sandbox.bob.id)
    await setup.poll()
    await watch_all(process.database, [task], setup.program.conversation, person.id)
    await setup.poll(advance_by=30)
    assert setup.watcher.get_poll_delay() < idle_delay
