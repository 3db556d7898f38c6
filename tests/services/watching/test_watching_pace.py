"""How often the watcher looks, and what a look costs."""

from tests.support.many import add_pending, watch_all
from tests.support.watched import World


async def test_a_look_without_news_costs_one_request(world: World) -> None:
    await world.enqueued()
    await world.look()
    for later in (1, 30):
        world.sandbox.requests.clear()
        await world.look(later=later)
        assert world.sandbox.requests.names() == ["tasks.get_all_ex"]
        (request,) = world.sandbox.requests.named("tasks.get_all_ex")
        assert "hyperparams" not in request.body["only_fields"]


async def test_it_looks_often_only_while_something_watched_waits_or_runs(world: World) -> None:
    process = world.program.program.process
    often, seldom = process.watch_interval, process.idle_watch_interval
    assert often < seldom
    await world.look()
    assert world.watcher.pause() == seldom
    task = await world.enqueued()
    await world.look()
    assert world.watcher.pause() == often
    await world.start(task, worker="")
    await world.look()
    assert world.watcher.pause() < often, "the worker's name comes in a moment"
    await world.report(task)
    await world.look()
    assert world.watcher.pause() == often
    await world.end(task, "completed")
    await world.look()
    assert world.watcher.pause() == seldom


async def test_what_is_enqueued_by_a_command_wakes_it(world: World) -> None:
    woken = world.program.program.process.watched.listener()
    await world.enqueued()
    assert woken.is_set()


async def test_what_another_program_has_watched_makes_it_look_often_within_half_a_minute(world: World) -> None:
    process, person = world.program.program.process, await world.program.person()
    assert person
    await world.look()
    seldom = world.watcher.pause()
    (task,) = add_pending(world.sandbox.state, 1, user=world.sandbox.bob.id)
    await world.look()
    await watch_all(process.database, [task], world.program.conversation, person.id)
    await world.look(later=30)
    assert world.watcher.pause() < seldom
