"""What people enqueue in the web UI is found by their ClearML user and told them, without their asking."""

from pathlib import Path

import pytest

from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Role
from clearml_chatops.sandbox.documents import Document
from clearml_chatops.services.watching.watching import OVERLAP
from clearml_chatops.storage.people import PeopleStore
from clearml_chatops.storage.states import WatcherStore
from tests.support.program import running_program
from tests.support.watched import WORKER, World, verify, watcher_of


@pytest.fixture
async def bobs(world: World) -> World:
    """Bob's view of the world: he is known by his ClearML user, and has never cloned anything here."""
    bob = await world.program.introduce(world.sandbox.bob, Role.MEMBER)
    agent = world.agent.acting_as(world.sandbox.bob)
    return World(world.clock, world.sandbox, bob, agent, world.watcher)


async def cloned_in_the_web_ui(world: World, name: str = "from the web UI") -> Document:
    baseline = next(task for task in world.sandbox.state.tasks.values() if task["name"] == "baseline")
    clone = await world.agent.data("tasks.clone", task=baseline["id"], new_task_name=name)
    return world.sandbox.state.tasks[clone["id"]]


async def enqueued_in_the_web_ui(world: World, name: str = "from the web UI") -> Document:
    task = await cloned_in_the_web_ui(world, name)
    await world.agent.data("tasks.enqueue", task=task["id"], queue_name="alice_queue")
    return task


async def test_what_is_enqueued_in_the_web_ui_is_told_from_pending_to_its_end(bobs: World) -> None:
    task = await enqueued_in_the_web_ui(bobs)
    assert await bobs.look() == [], "he enqueued it himself"
    bobs.clock.advance(60)
    await bobs.start(task)
    verify(await bobs.look(), ("from the web UI", "left Pending", "1 min 1 s", WORKER))
    bobs.clock.advance(30)
    await bobs.end(task, "failed", "boom")
    verify(await bobs.look(), ("from the web UI", "Failed", "31 s", "boom"))


async def test_what_began_and_ended_between_two_looks_is_told(bobs: World) -> None:
    task = await enqueued_in_the_web_ui(bobs)
    await bobs.start(task)
    bobs.clock.advance(5)
    await bobs.end(task, "completed")
    verify(await bobs.look(), ("left Pending", WORKER, "Completed", "5 s"))
    assert await bobs.look() == []


async def test_what_another_does_to_it_is_told_and_what_one_does_oneself_is_not(world: World, bobs: World) -> None:
    task, other = await enqueued_in_the_web_ui(bobs), await enqueued_in_the_web_ui(bobs, "other")
    await bobs.look()
    await world.agent.data("tasks.dequeue", task=task["id"])
    await bobs.agent.data("tasks.dequeue", task=other["id"])
    verify(await bobs.look(), ("from the web UI", "taken out of its queue"))


async def test_one_look_costs_one_request_also_where_much_is_found(bobs: World) -> None:
    for number in range(20):
        await enqueued_in_the_web_ui(bobs, f"run {number}")
    bobs.sandbox.requests.clear()
    await bobs.look()
    assert bobs.sandbox.requests.names() == ["tasks.get_all_ex"]


async def test_the_look_goes_on_often_while_it_waits(bobs: World) -> None:
    process = bobs.program.program.process
    await enqueued_in_the_web_ui(bobs)
    await bobs.look()
    assert bobs.watcher.pause() == process.watch_interval


async def test_the_past_is_not_told(world: World, tmp_path: Path) -> None:
    """Not what had ended before the first look, and not an old end that is only published."""
    old = world.sandbox.state.add_task(
        "long over",
        user=world.sandbox.bob.id,
        status="completed",
        status_changed=world.clock(),
        started=world.clock(),
        completed=world.clock(),
        execution={"queue": "q"},
    )
    async with running_program(world.sandbox, tmp_path / "anew") as program:
        bob = await program.introduce(world.sandbox.bob, Role.MEMBER)
        anew = World(world.clock, world.sandbox, bob, world.agent, watcher_of(program, world.clock))
        for _ in range(3):
            assert await anew.look(later=0) == []
        world.clock.advance(60)
        await anew.agent.data("tasks.publish", task=old["id"])
        assert await anew.look() == []


async def test_a_run_that_went_on_when_the_bot_first_looked_is_told_when_it_ends(
    world: World, tmp_path: Path
) -> None:
    running = world.sandbox.state.add_task(
        "long running",
        user=world.sandbox.bob.id,
        status="in_progress",
        status_changed=world.clock(),
        started=world.clock(),
        execution={"queue": "q"},
        last_worker=WORKER,
    )
    async with running_program(world.sandbox, tmp_path / "anew") as program:
        bob = await program.introduce(world.sandbox.bob, Role.MEMBER)
        anew = World(world.clock, world.sandbox, bob, world.agent, watcher_of(program, world.clock))
        assert await anew.look() + await anew.look() == []
        world.clock.advance(600)
        await anew.end(running, "completed")
        told = await anew.look()
        verify(told, ("long running", "Completed", "10 min"))
        assert "left Pending" not in told[0]


async def test_what_is_started_by_hand_is_not_told(bobs: World) -> None:
    task = await cloned_in_the_web_ui(bobs)
    await bobs.agent.data("tasks.started", task=task["id"])
    await bobs.look()
    await bobs.end(task, "completed")
    assert await bobs.look() == []


async def test_what_one_does_not_want_any_more_is_not_told_again(bobs: World) -> None:
    task = await enqueued_in_the_web_ui(bobs)
    await bobs.look()
    assert "from the web UI" in await bobs.program.ask("/watching")
    await bobs.program.ask(f"/unwatch {task['id']}")
    await bobs.start(task)
    assert await bobs.look() == []
    await bobs.end(task, "failed")
    assert await bobs.look() == []
    await bobs.agent.data("tasks.enqueue", task=task["id"], queue_name="alice_queue")
    await bobs.start(task)
    assert await bobs.look() == []


async def test_one_can_have_it_off_altogether_and_on_again(bobs: World) -> None:
    assert "not told any more" in await bobs.program.ask("/watch mine=off")
    assert "/watch mine=on" in await bobs.program.ask("/watching")
    task = await enqueued_in_the_web_ui(bobs)
    await bobs.start(task)
    assert await bobs.look() == []
    await bobs.end(task, "completed")
    for _ in range(3):
        assert await bobs.look(later=OVERLAP.total_seconds()) == []
    await bobs.program.ask("/watch mine=on")
    other = await enqueued_in_the_web_ui(bobs, "other")
    await bobs.start(other)
    verify(await bobs.look(), ("other", "left Pending"))


async def test_what_is_watched_elsewhere_is_not_told_twice(bobs: World) -> None:
    """He enqueues by a command in a channel what he made in the web UI: there he hears of it."""
    task = await cloned_in_the_web_ui(bobs)
    channel = Conversation("chat", "C1")
    program = bobs.program
    reply = await program.program.dispatcher.handle(
        IncomingMessage(program.identity, "Bob", channel, f"/enqueue {task['id']} queue=alice_queue --force")
    )
    assert reply.experiment_id == task["id"]
    await bobs.start(task)
    assert await bobs.look() == []
    async with program.program.process.database.reading() as session:
        assert await WatcherStore(session).watchers([task["id"]]) == {task["id"]: [channel]}


async def test_what_others_watch_becomes_the_owner_s_too_when_he_enqueues_it(world: World, bobs: World) -> None:
    task = await cloned_in_the_web_ui(bobs)
    await world.program.ask(f"/watch {task['id']}")
    await bobs.agent.data("tasks.enqueue", task=task["id"], queue_name="alice_queue")
    verify(await world.look(), ("from the web UI", "enqueued by Bob"))
    await bobs.start(task)
    verify(await bobs.look(), ("from the web UI", "left Pending"))
    verify(await world.delivered(), ("from the web UI", "left Pending"))


async def test_two_watchers_find_it_once(bobs: World, tmp_path: Path) -> None:
    task = await enqueued_in_the_web_ui(bobs)
    await bobs.start(task)
    async with running_program(bobs.sandbox, tmp_path) as beside:
        await watcher_of(beside, bobs.clock).look()
        verify(await bobs.look(), ("from the web UI", "left Pending"))


async def test_what_the_bot_made_for_another_is_not_the_bot_user_s(world: World) -> None:
    """Where the bot acts as itself, all that it makes is its own user's on the server."""
    alice = await world.program.introduce(world.sandbox.alice, Role.MEMBER)
    hers = World(world.clock, world.sandbox, alice, world.agent, world.watcher)
    task = await world.enqueued()
    await world.start(task)
    verify(await world.look(), ("two cards", "left Pending"))
    assert await hers.delivered() == []


async def test_who_is_locked_out_is_told_nothing(bobs: World) -> None:
    async with bobs.program.program.process.database.writing() as session:
        await PeopleStore(session).unlink(bobs.program.identity)
    task = await enqueued_in_the_web_ui(bobs)
    await bobs.start(task)
    assert await bobs.look() == []
