"""Experiments that people enqueue in the web UI are discovered by their ClearML user and notified."""

from pathlib import Path

import pytest

from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Role
from clearml_chatops.sandbox.documents import Document
from clearml_chatops.services.watching.watcher import OVERLAP
from clearml_chatops.storage.people import PeopleStore
from clearml_chatops.storage.watcher import WatcherStore
from tests.support.program import run_program
from tests.support.watcher_setup import WORKER, WatcherSetup, assert_notifications, build_watcher


@pytest.fixture
async def bobs(world: WatcherSetup) -> WatcherSetup:
    """Bob's view of the world: the bot knows Bob's ClearML user, and Bob has never cloned anything here."""
    bob = await world.program.add_person(world.sandbox.bob, Role.MEMBER)
    agent = world.agent.acting_as(world.sandbox.bob)
    return WatcherSetup(world.clock, world.sandbox, bob, agent, world.watcher)


async def clone_in_the_web_ui(world: WatcherSetup, name: str = "from the web UI") -> Document:
    baseline = next(task for task in world.sandbox.state.tasks.values() if task["name"] == "baseline")
    clone = await world.agent.call_for_data("tasks.clone", task=baseline["id"], new_task_name=name)
    return world.sandbox.state.tasks[clone["id"]]


async def enqueue_in_the_web_ui(world: WatcherSetup, name: str = "from the web UI") -> Document:
    task = await clone_in_the_web_ui(world, name)
    await world.agent.call_for_data("tasks.enqueue", task=task["id"], queue_name="alice_queue")
    return task


async def test_experiment_enqueued_in_the_web_ui_is_notified_until_its_end(bobs: WatcherSetup) -> None:
    task = await enqueue_in_the_web_ui(bobs)
    assert await bobs.poll() == [], "Bob enqueued it"
    bobs.clock.advance(60)
    await bobs.start_run(task)
    assert_notifications(await bobs.poll(), ("from the web UI", "started", "1 min 1 s", WORKER))
    bobs.clock.advance(30)
    await bobs.finish_run(task, "failed", "boom")
    assert_notifications(await bobs.poll(), ("from the web UI", "failed", "31 s", "boom"))


async def test_run_that_starts_and_ends_between_two_polls_is_notified(bobs: WatcherSetup) -> None:
    task = await enqueue_in_the_web_ui(bobs)
    await bobs.start_run(task)
    bobs.clock.advance(5)
    await bobs.finish_run(task, "completed")
    assert_notifications(await bobs.poll(), ("started", WORKER, "completed", "5 s"))
    assert await bobs.poll() == []


async def test_actions_of_others_are_notified_and_own_actions_are_not(
    world: WatcherSetup, bobs: WatcherSetup
) -> None:
    task, other = await enqueue_in_the_web_ui(bobs), await enqueue_in_the_web_ui(bobs, "other")
    await bobs.poll()
    await world.agent.call_for_data("tasks.dequeue", task=task["id"])
    await bobs.agent.call_for_data("tasks.dequeue", task=other["id"])
    assert_notifications(await bobs.poll(), ("from the web UI", "dequeued"))


async def test_one_poll_costs_one_request_even_with_many_discoveries(bobs: WatcherSetup) -> None:
    for number in range(20):
        await enqueue_in_the_web_ui(bobs, f"run {number}")
    bobs.sandbox.requests.clear()
    await bobs.poll()
    assert bobs.sandbox.requests.list_endpoints() == ["tasks.get_all_ex"]


async def test_poll_delay_stays_short_while_pending(bobs: WatcherSetup) -> None:
    process = bobs.program.program.process
    await enqueue_in_the_web_ui(bobs)
    await bobs.poll()
    assert bobs.watcher.get_poll_delay() == process.poll_interval


async def test_past_events_are_not_notified(world: WatcherSetup, tmp_path: Path) -> None:
    """Neither a run that ended before the first poll, nor an old one that is published later."""
    old = world.sandbox.state.add_task(
        "long over",
        user=world.sandbox.bob.id,
        status="completed",
        status_changed=world.clock(),
        started=world.clock(),
        completed=world.clock(),
        execution={"queue": "q"},
    )
    async with run_program(world.sandbox, tmp_path / "anew") as program:
        bob = await program.add_person(world.sandbox.bob, Role.MEMBER)
        restarted_world = WatcherSetup(
            world.clock, world.sandbox, bob, world.agent, build_watcher(program, world.clock)
        )
        for _ in range(3):
            assert await restarted_world.poll(advance_by=0) == []
        world.clock.advance(60)
        await restarted_world.agent.call_for_data("tasks.publish", task=old["id"])
        assert await restarted_world.poll() == []


async def test_run_active_at_the_first_poll_is_notified_when_it_ends(world: WatcherSetup, tmp_path: Path) -> None:
    running = world.sandbox.state.add_task(
        "long running",
        user=world.sandbox.bob.id,
        status="in_progress",
        status_changed=world.clock(),
        started=world.clock(),
        execution={"queue": "q"},
        last_worker=WORKER,
    )
    async with run_program(world.sandbox, tmp_path / "anew") as program:
        bob = await program.add_person(world.sandbox.bob, Role.MEMBER)
        restarted_world = WatcherSetup(
            world.clock, world.sandbox, bob, world.agent, build_watcher(program, world.clock)
        )
        assert await restarted_world.poll() + await restarted_world.poll() == []
        world.clock.advance(600)
        await restarted_world.finish_run(running, "completed")
        messages = await restarted_world.poll()
        assert_notifications(messages, ("long running", "completed", "10 min"))
        assert "started" not in messages[0]


async def test_manually_started_run_is_not_notified(bobs: WatcherSetup) -> None:
    task = await clone_in_the_web_ui(bobs)
    await bobs.agent.call_for_data("tasks.started", task=task["id"])
    await bobs.poll()
    await bobs.finish_run(task, "completed")
    assert await bobs.poll() == []


async def test_unwatched_experiment_is_not_rediscovered(bobs: WatcherSetup) -> None:
    task = await enqueue_in_the_web_ui(bobs)
    await bobs.poll()
    assert "from the web UI" in await bobs.program.ask("/watching")
    await bobs.program.ask(f"/unwatch {task['id']}")
    await bobs.start_run(task)
    assert await bobs.poll() == []
    await bobs.finish_run(task, "failed")
    assert await bobs.poll() == []
    await bobs.agent.call_for_data("tasks.enqueue", task=task["id"], queue_name="alice_queue")
    await bobs.start_run(task)
    assert await bobs.poll() == []


async def test_discovery_can_be_turned_off_and_on(bobs: WatcherSetup) -> None:
    assert (
        "Notifications for what you enqueue elsewhere, like in ClearML's web UI, are off."
        in await bobs.program.ask("/watch mine=off")
    )
    assert "/watch mine=on" in await bobs.program.ask("/watching")
    task = await enqueue_in_the_web_ui(bobs)
    await bobs.start_run(task)
    assert await bobs.poll() == []
    await bobs.finish_run(task, "completed")
    for _ in range(3):
        assert await bobs.poll(advance_by=OVERLAP.total_seconds()) == []
    await bobs.program.ask("/watch mine=on")
    other = await enqueue_in_the_web_ui(bobs, "other")
    await bobs.start_run(other)
    assert_notifications(await bobs.poll(), ("other", "started"))


async def test_experiment_watched_elsewhere_is_notified_once(bobs: WatcherSetup) -> None:
    """Bob made it in the web UI and enqueues it by a command in a channel: it is notified there."""
    task = await clone_in_the_web_ui(bobs)
    channel = Conversation("chat", "C1")
    program = bobs.program
    reply = await program.program.dispatcher.handle(
        IncomingMessage(program.identity, "Bob", channel, f"/enqueue {task['id']} queue=alice_queue --force")
    )
    assert reply.experiment_id == task["id"]
    await bobs.start_run(task)
    assert await bobs.poll() == []
    async with program.program.process.database.reading() as session:
        assert await WatcherStore(session).find_watchers([task["id"]]) == {task["id"]: [channel]}


async def test_owner_watches_an_experiment_others_watch_once_they_enqueue_it(
    world: WatcherSetup, bobs: WatcherSetup
) -> None:
    task = await clone_in_the_web_ui(bobs)
    await world.program.ask(f"/watch {task['id']}")
    await bobs.agent.call_for_data("tasks.enqueue", task=task["id"], queue_name="alice_queue")
    assert_notifications(await world.poll(), ("from the web UI", "enqueued by Bob"))
    await bobs.start_run(task)
    assert_notifications(await bobs.poll(), ("from the web UI", "started"))
    assert_notifications(await world.deliver(), ("from the web UI", "started"))


async def test_two_watchers_notify_once(bobs: WatcherSetup, tmp_path: Path) -> None:
    task = await enqueue_in_the_web_ui(bobs)
    await bobs.start_run(task)
    async with run_program(bobs.sandbox, tmp_path) as other_program:
        await build_watcher(other_program, bobs.clock).poll()
        assert_notifications(await bobs.poll(), ("from the web UI", "started"))


async def test_experiment_created_for_another_person_is_not_the_bot_users(world: WatcherSetup) -> None:
    """If the bot acts as itself, everything it creates belongs to its own user on the server."""
    alice = await world.program.add_person(world.sandbox.alice, Role.MEMBER)
    alices = WatcherSetup(world.clock, world.sandbox, alice, world.agent, world.watcher)
    task = await world.enqueue_clone()
    await world.start_run(task)
    assert_notifications(await world.poll(), ("two GPUs", "started"))
    assert await alices.deliver() == []


async def test_locked_out_person_is_not_notified(bobs: WatcherSetup) -> None:
    async with bobs.program.program.process.database.writing() as session:
        await PeopleStore(session).unlink(bobs.program.identity)
    task = await enqueue_in_the_web_ui(bobs)
    await bobs.start_run(task)
    assert await bobs.poll() == []
