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
async def bob_setup(setup: WatcherSetup) -> WatcherSetup:
    """The setup as Bob uses it: the bot knows Bob's ClearML user, and Bob has never cloned anything here."""
    bob = await setup.program.add_person(setup.sandbox.bob, Role.MEMBER)
    agent = setup.agent.acting_as(setup.sandbox.bob)
    return WatcherSetup(setup.clock, setup.sandbox, bob, agent, setup.watcher)


async def clone_in_the_web_ui(setup: WatcherSetup, name: str = "from the web UI") -> Document:
    baseline = next(task for task in setup.sandbox.state.tasks.values() if task["name"] == "baseline")
    clone = await setup.agent.call_for_data("tasks.clone", task=baseline["id"], new_task_name=name)
    return setup.sandbox.state.tasks[clone["id"]]


async def enqueue_in_the_web_ui(setup: WatcherSetup, name: str = "from the web UI") -> Document:
    task = await clone_in_the_web_ui(setup, name)
    await setup.agent.call_for_data("tasks.enqueue", task=task["id"], queue_name="alice_queue")
    return task


async def test_experiment_enqueued_in_the_web_ui_is_notified_until_its_end(bob_setup: WatcherSetup) -> None:
    task = await enqueue_in_the_web_ui(bob_setup)
    assert await bob_setup.poll() == [], "Bob enqueued it"
    bob_setup.clock.advance(60)
    await bob_setup.start_run(task)
    assert_notifications(await bob_setup.poll(), ("from the web UI", "started", "1 min 1 s", WORKER))
    bob_setup.clock.advance(30)
    await bob_setup.finish_run(task, "failed", "boom")
    assert_notifications(await bob_setup.poll(), ("from the web UI", "failed", "31 s", "boom"))


async def test_run_that_starts_and_ends_between_two_polls_is_notified(bob_setup: WatcherSetup) -> None:
    task = await enqueue_in_the_web_ui(bob_setup)
    await bob_setup.start_run(task)
    bob_setup.clock.advance(5)
    await bob_setup.finish_run(task, "completed")
    assert_notifications(await bob_setup.poll(), ("started", WORKER, "completed", "5 s"))
    assert await bob_setup.poll() == []


async def test_actions_of_others_are_notified_and_own_actions_are_not(
    setup: WatcherSetup, bob_setup: WatcherSetup
) -> None:
    task, other = await enqueue_in_the_web_ui(bob_setup), await enqueue_in_the_web_ui(bob_setup, "other")
    await bob_setup.poll()
    await setup.agent.call_for_data("tasks.dequeue", task=task["id"])
    await bob_setup.agent.call_for_data("tasks.dequeue", task=other["id"])
    assert_notifications(await bob_setup.poll(), ("from the web UI", "dequeued"))


async def test_one_poll_costs_one_request_even_with_many_discoveries(bob_setup: WatcherSetup) -> None:
    for number in range(20):
        await enqueue_in_the_web_ui(bob_setup, f"run {number}")
    bob_setup.sandbox.requests.clear()
    await bob_setup.poll()
    assert bob_setup.sandbox.requests.list_endpoints() == ["tasks.get_all_ex"]


async def test_poll_delay_stays_short_while_pending(bob_setup: WatcherSetup) -> None:
    process = bob_setup.program.program.process
    await enqueue_in_the_web_ui(bob_setup)
    await bob_setup.poll()
    assert bob_setup.watcher.get_poll_delay() == process.poll_interval


async def test_past_events_are_not_notified(setup: WatcherSetup, tmp_path: Path) -> None:
    """Neither a run that ended before the first poll, nor an old one that is published later."""
    old = setup.sandbox.state.add_task(
        "long over",
        user=setup.sandbox.bob.id,
        status="completed",
        status_changed=setup.clock(),
        started=setup.clock(),
        completed=setup.clock(),
        execution={"queue": "q"},
    )
    async with run_program(setup.sandbox, tmp_path / "restarted") as program:
        bob = await program.add_person(setup.sandbox.bob, Role.MEMBER)
        restarted_setup = WatcherSetup(
            setup.clock, setup.sandbox, bob, setup.agent, build_watcher(program, setup.clock)
        )
        for _ in range(3):
            assert await restarted_setup.poll(advance_by=0) == []
        setup.clock.advance(60)
        await restarted_setup.agent.call_for_data("tasks.publish", task=old["id"])
        assert await restarted_setup.poll() == []


async def test_run_active_at_the_first_poll_is_notified_when_it_ends(setup: WatcherSetup, tmp_path: Path) -> None:
    running = setup.sandbox.state.add_task(
        "long running",
        user=setup.sandbox.bob.id,
        status="in_progress",
        status_changed=setup.clock(),
        started=setup.clock(),
        execution={"queue": "q"},
        last_worker=WORKER,
    )
    async with run_program(setup.sandbox, tmp_path / "restarted") as program:
        bob = await program.add_person(setup.sandbox.bob, Role.MEMBER)
        restarted_setup = WatcherSetup(
            setup.clock, setup.sandbox, bob, setup.agent, build_watcher(program, setup.clock)
        )
        assert await restarted_setup.poll() + await restarted_setup.poll() == []
        setup.clock.advance(600)
        await restarted_setup.finish_run(running, "completed")
        messages = await restarted_setup.poll()
        assert_notifications(messages, ("long running", "completed", "10 min"))
        assert "started" not in messages[0]


async def test_manually_started_run_is_not_notified(bob_setup: WatcherSetup) -> None:
    task = await clone_in_the_web_ui(bob_setup)
    await bob_setup.agent.call_for_data("tasks.started", task=task["id"])
    await bob_setup.poll()
    await bob_setup.finish_run(task, "completed")
    assert await bob_setup.poll() == []


async def test_unwatched_experiment_is_not_rediscovered(bob_setup: WatcherSetup) -> None:
    task = await enqueue_in_the_web_ui(bob_setup)
    await bob_setup.poll()
    assert "from the web UI" in await bob_setup.program.ask("/watching")
    await bob_setup.program.ask(f"/unwatch {task['id']}")
    await bob_setup.start_run(task)
    assert await bob_setup.poll() == []
    await bob_setup.finish_run(task, "failed")
    assert await bob_setup.poll() == []
    await bob_setup.agent.call_for_data("tasks.enqueue", task=task["id"], queue_name="alice_queue")
    await bob_setup.start_run(task)
    assert await bob_setup.poll() == []


async def test_discovery_can_be_turned_off_and_on(bob_setup: WatcherSetup) -> None:
    assert (
        "Notifications for what you enqueue elsewhere, like in ClearML's web UI, are off."
        in await bob_setup.program.ask("/watch mine=off")
    )
    assert "/watch mine=on" in await bob_setup.program.ask("/watching")
    task = await enqueue_in_the_web_ui(bob_setup)
    await bob_setup.start_run(task)
    assert await bob_setup.poll() == []
    await bob_setup.finish_run(task, "completed")
    for _ in range(3):
        assert await bob_setup.poll(advance_by=OVERLAP.total_seconds()) == []
    await bob_setup.program.ask("/watch mine=on")
    other = await enqueue_in_the_web_ui(bob_setup, "other")
    await bob_setup.start_run(other)
    assert_notifications(await bob_setup.poll(), ("other", "started"))


async def test_experiment_watched_elsewhere_is_notified_once(bob_setup: WatcherSetup) -> None:
    """Bob made it in the web UI and enqueues it by a command in a channel: it is notified there."""
    task = await clone_in_the_web_ui(bob_setup)
    channel = Conversation("chat", "C1")
    program = bob_setup.program
    reply = await program.program.dispatcher.handle(
        IncomingMessage(program.identity, "Bob", channel, f"/enqueue {task['id']} queue=alice_queue --force")
    )
    assert reply.experiment_id == task["id"]
    await bob_setup.start_run(task)
    assert await bob_setup.poll() == []
    async with program.program.process.database.reading() as session:
        assert await WatcherStore(session).find_watchers([task["id"]]) == {task["id"]: [channel]}


async def test_owner_watches_an_experiment_others_watch_once_they_enqueue_it(
    setup: WatcherSetup, bob_setup: WatcherSetup
) -> None:
    task = await clone_in_the_web_ui(bob_setup)
    await setup.program.ask(f"/watch {task['id']}")
    await bob_setup.agent.call_for_data("tasks.enqueue", task=task["id"], queue_name="alice_queue")
    assert_notifications(await setup.poll(), ("from the web UI", "enqueued by Bob"))
    await bob_setup.start_run(task)
    assert_notifications(await bob_setup.poll(), ("from the web UI", "started"))
    assert_notifications(await setup.deliver(), ("from the web UI", "started"))


async def test_two_watchers_notify_once(bob_setup: WatcherSetup, tmp_path: Path) -> None:
    task = await enqueue_in_the_web_ui(bob_setup)
    await bob_setup.start_run(task)
    async with run_program(bob_setup.sandbox, tmp_path) as other_program:
        await build_watcher(other_program, bob_setup.clock).poll()
        assert_notifications(await bob_setup.poll(), ("from the web UI", "started"))


async def test_experiment_created_for_another_person_is_not_the_bot_users(setup: WatcherSetup) -> None:
    """If the bot acts as itself, everything it creates belongs to its own user on the server."""
    alice = await setup.program.add_person(setup.sandbox.alice, Role.MEMBER)
    alices = WatcherSetup(setup.clock, setup.sandbox, alice, setup.agent, setup.watcher)
    task = await setup.enqueue_clone()
    await setup.start_run(task)
    assert_notifications(await setup.poll(), ("two GPUs", "started"))
    assert await alices.deliver() == []


async def test_locked_out_person_is_not_notified(bob_setup: WatcherSetup) -> None:
    async with bob_setup.program.program.process.database.writing() as session:
        await PeopleStore(session).unlink(bob_setup.program.identity)
    task = await enqueue_in_the_web_ui(bob_setup)
    await bob_setup.start_run(task)
    assert await bob_setup.poll() == []
