"""The watcher: which notifications people get about their experiments."""

import pytest

from clearml_chatops.models.people import Role
from clearml_chatops.services.watching import watcher
from clearml_chatops.services.watching.watcher import WORKER_GRACE
from tests.support.watcher_setup import WORKER, WatcherSetup, add_changed_experiment, assert_notifications


async def test_start_and_end_of_a_run_are_notified(world: WatcherSetup) -> None:
    task = await world.enqueue_clone()
    assert await world.poll() == []
    world.clock.advance(90)
    await world.start_run(task)
    assert_notifications(await world.poll(), ("two GPUs", "started", "1 min 31 s", WORKER))
    world.clock.advance(600)
    await world.finish_run(task, "completed")
    assert_notifications(await world.poll(), ("two GPUs", "completed", "10 min 1 s"))
    assert await world.poll() == []


async def test_failure_notification_quotes_the_end_of_the_log(world: WatcherSetup) -> None:
    task = await world.enqueue_clone()
    await world.start_run(task)
    await world.poll()
    world.clock.advance(60)
    await world.finish_run(task, "failed", *(f"step {number}" for number in range(20)), "CUDA out of memory")
    messages = await world.poll()
    assert_notifications(messages, ("two GPUs", "failed", "1 min 1 s"))
    assert "Out of GPU memory" in messages[0].splitlines()[1]
    assert messages[0].splitlines()[2:] == [*(f"step {number}" for number in range(13, 20)), "CUDA out of memory"]


async def test_abort_by_someone_else_is_notified_for_running_and_pending(world: WatcherSetup) -> None:
    running, waiting = await world.enqueue_clone("running one"), await world.enqueue_clone("waiting one")
    await world.start_run(running)
    await world.poll()
    bob = world.agent.acting_as(world.sandbox.bob)
    await bob.call_for_data("tasks.stop", task=running["id"])
    await world.poll()
    await world.finish_run(running, "stopped", by_agent=True)
    await bob.call_for_data("tasks.stop", task=waiting["id"])
    assert_notifications(sorted(await world.poll()), ("running one", "aborted", "2 s"), ("waiting one", "aborted"))


async def test_own_actions_are_not_notified(world: WatcherSetup) -> None:
    first, second = await world.enqueue_clone("first"), await world.enqueue_clone("second")
    await world.start_run(first)
    await world.poll()
    await world.agent.call_for_data("tasks.stop", task=first["id"])
    assert await world.poll() == []
    await world.finish_run(first, "stopped", by_agent=True)
    assert await world.poll() == [], "Alice aborted it in the web UI"
    await world.program.ask("/abort second")
    assert await world.poll() == []
    await world.program.ask(f"/retry {second['id']}")
    await world.program.ask(f"/dequeue {second['id']}")
    await world.program.ask(f"/reset {first['id']} --yes")
    assert await world.poll() == []


async def test_action_of_another_person_is_notified_with_their_name(world: WatcherSetup) -> None:
    bob = await world.program.add_person(world.sandbox.bob, Role.ADMIN)
    task = await world.enqueue_clone()
    bobs = WatcherSetup(world.clock, world.sandbox, bob, world.agent, world.watcher)
    for line, sentence in (
        (f"/dequeue {task['id']}", "dequeued by Bob Brown"),
        (f"/enqueue {task['id']} queue=alice_queue", "enqueued by Bob Brown"),
        (f"/abort {task['id']}", "aborted by Bob Brown"),
        (f"/reset {task['id']} --yes", "reset by Bob Brown"),
    ):
        await bob.ask(line)
        # Commands use the program's own clock, which must not be ahead of this one.
        assert_notifications(await world.poll(advance_by=60), ("two GPUs", sentence))
        assert await bobs.deliver() == [], line


async def test_web_ui_action_of_another_person_is_notified_with_their_name(world: WatcherSetup) -> None:
    await world.program.add_person(world.sandbox.bob, Role.MEMBER)
    task = await world.enqueue_clone()
    await world.poll()
    bob = world.agent.acting_as(world.sandbox.bob)
    await bob.call_for_data("tasks.dequeue", task=task["id"])
    assert_notifications(await world.poll(), ("dequeued by Bob Brown",))
    await bob.call_for_data("tasks.enqueue", task=task["id"], queue_name="alice_queue")
    assert_notifications(await world.poll(), ("enqueued by Bob Brown",))


async def test_deletion_of_a_pending_experiment_is_notified_once(world: WatcherSetup) -> None:
    task, other = await world.enqueue_clone(), await world.enqueue_clone("other")
    await world.agent.acting_as(world.sandbox.bob).call_for_data("tasks.delete", task=task["id"], force=True)
    assert await world.watcher.poll_deleted() == 1
    assert_notifications(await world.deliver(), ("two GPUs", "deleted"))
    assert await world.watcher.poll_deleted() == 0
    await world.start_run(other)
    assert_notifications(await world.poll(), ("other", "started"))


async def test_events_between_two_polls_are_notified_in_order(world: WatcherSetup) -> None:
    task = await world.enqueue_clone()
    world.clock.advance(20)
    await world.start_run(task)
    world.clock.advance(5)
    await world.finish_run(task, "failed", "boom")
    messages = await world.poll()
    assert_notifications(messages, ("started", "20 s", WORKER, "failed", "5 s", "boom"))
    assert messages[0].index("started") < messages[0].index("failed"), "one message"


async def test_retried_run_is_notified_again(world: WatcherSetup) -> None:
    """ClearML keeps the time of the first start over a retry."""
    task = await world.enqueue_clone()
    await world.start_run(task)
    await world.finish_run(task, "failed")
    assert_notifications(await world.poll(), ("started", "failed"))
    world.clock.advance(60)
    await world.program.ask(f"/retry {task['id']}")
    assert await world.poll() == []
    world.clock.advance(30)
    await world.start_run(task)
    assert_notifications(await world.poll(), ("started", "31 s", WORKER))
    world.clock.advance(30)
    await world.finish_run(task, "completed")
    assert_notifications(await world.poll(), ("completed",))


async def test_repeated_running_status_is_one_start(world: WatcherSetup) -> None:
    """Agent and SDK set the status four or five times in a run, each with a new time of change."""
    task = await world.enqueue_clone()
    await world.start_run(task)
    messages = await world.poll()
    for reason in ("starting execution soon", "worker started execution", ""):
        world.clock.advance(1)
        await world.agent.call_for_data("tasks.started", task=task["id"], force=True, status_reason=reason)
        messages += await world.poll()
    assert len(messages) == 1


async def test_own_dequeue_and_edits_are_not_notified(world: WatcherSetup) -> None:
    await world.enqueue_clone()
    await world.program.ask("/dequeue")
    await world.program.ask("/set args.lr=0.5")
    await world.program.ask("/enqueue")
    assert await world.poll() == []


async def test_experiments_of_others_are_not_notified(world: WatcherSetup) -> None:
    queue = world.sandbox.state.find_queue("alice_queue")
    assert queue
    others = world.sandbox.state.add_task("somebody else's", user=world.sandbox.bob.id)
    await world.agent.call_for_data("tasks.enqueue", task=others["id"], queue=queue["id"])
    await world.poll()
    await world.start_run(others)
    assert await world.poll() == []
    await world.finish_run(others, "failed")
    assert await world.poll() == []


async def test_each_person_is_notified_of_their_own_runs(world: WatcherSetup) -> None:
    bob = await world.program.add_person(world.sandbox.bob, Role.MEMBER)
    bobs = WatcherSetup(world.clock, world.sandbox, bob, world.agent, world.watcher)
    await bob.ask("/queue use alice_queue")
    alices_task, bobs_task = await world.enqueue_clone("alices"), await bobs.enqueue_clone("bobs")
    for task in (alices_task, bobs_task):
        await world.start_run(task)
    assert [line.split()[0] for line in await world.poll()] == ["“alices”"]
    assert [line.split()[0] for line in await bobs.deliver()] == ["“bobs”"]


async def test_clone_enqueued_in_the_web_ui_is_notified(world: WatcherSetup) -> None:
    reply = await world.program.send("/clone baseline two GPUs")
    task = world.sandbox.state.tasks[reply.experiment_id]
    await world.poll()
    await world.agent.call_for_data("tasks.enqueue", task=task["id"], queue_name="alice_queue")
    await world.poll()
    world.clock.advance(60)
    await world.start_run(task)
    assert_notifications(await world.poll(), ("two GPUs", "started", "1 min 1 s", WORKER))


async def test_renamed_experiment_is_notified_with_its_new_name(world: WatcherSetup) -> None:
    task = await world.enqueue_clone()
    await world.program.ask("/name better name")
    await world.start_run(task)
    assert_notifications(await world.poll(), ("better name", "started"))


# ── The worker's name ─────────────────────────────────────────────────────────────────────────────


async def test_run_with_unknown_worker_is_notified_one_poll_later(world: WatcherSetup) -> None:
    task = await world.enqueue_clone()
    await world.start_run(task, worker="")
    assert await world.poll() == []
    await world.report_worker_status(task)
    assert_notifications(await world.poll(), ("two GPUs", "started", WORKER))


async def test_run_is_notified_without_worker_after_the_grace_period(world: WatcherSetup) -> None:
    task = await world.enqueue_clone()
    await world.start_run(task, worker="")
    assert await world.poll() == []
    assert await world.poll(advance_by=WORKER_GRACE.total_seconds() - 1) == []
    messages = await world.poll(advance_by=1)
    assert_notifications(messages, ("two GPUs", "started"))
    assert "picked up" not in messages[0]
    await world.report_worker_status(task)
    assert await world.poll() == []


async def test_worker_of_a_previous_run_is_not_reused(world: WatcherSetup) -> None:
    task = await world.enqueue_clone()
    await world.start_run(task, worker="lab:alice_queue:gpu7")
    await world.finish_run(task, "failed")
    await world.poll()
    world.clock.advance(60)
    await world.program.ask(f"/reset {task['id']} --yes")
    await world.program.ask("/enqueue")
    await world.start_run(task, worker="")
    assert await world.poll() == []
    await world.report_worker_status(task)
    assert_notifications(await world.poll(), ("started", WORKER))


async def test_run_without_worker_stays_within_reach_of_later_pages(
    world: WatcherSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is left for a later poll, and must stay within reach while other experiments change after it."""
    monkeypatch.setattr(watcher, "PAGE_SIZE", 3)
    task = await world.enqueue_clone()
    await world.start_run(task, worker="")
    for number in range(10):
        world.clock.advance(3)
        add_changed_experiment(world, f"other {number}")
    assert await world.poll() == []
    await world.report_worker_status(task)
    assert len(await world.poll()) == 1
