"""The watcher: which notifications people get about their experiments."""

import pytest

from clearml_chatops.models.people import Role
from clearml_chatops.services.watching import watcher
from clearml_chatops.services.watching.watcher import WORKER_GRACE
from tests.support.watcher_setup import WORKER, WatcherSetup, add_changed_experiment, assert_notifications


async def test_start_and_end_of_a_run_are_notified(setup: WatcherSetup) -> None:
    task = await setup.enqueue_clone()
    assert await setup.poll() == []
    setup.clock.advance(90)
    await setup.start_run(task)
    assert_notifications(await setup.poll(), ("two GPUs", "started", "1 min 31 s", WORKER))
    setup.clock.advance(600)
    await setup.finish_run(task, "completed")
    assert_notifications(await setup.poll(), ("two GPUs", "completed", "10 min 1 s"))
    assert await setup.poll() == []


async def test_failure_notification_quotes_the_end_of_the_log(setup: WatcherSetup) -> None:
    task = await setup.enqueue_clone()
    await setup.start_run(task)
    await setup.poll()
    setup.clock.advance(60)
    await setup.finish_run(task, "failed", *(f"step {number}" for number in range(20)), "CUDA out of memory")
    messages = await setup.poll()
    assert_notifications(messages, ("two GPUs", "failed", "1 min 1 s"))
    assert "Out of GPU memory" in messages[0].splitlines()[1]
    assert messages[0].splitlines()[2:] == [*(f"step {number}" for number in range(13, 20)), "CUDA out of memory"]


async def test_abort_by_someone_else_is_notified_for_running_and_pending(setup: WatcherSetup) -> None:
    running, waiting = await setup.enqueue_clone("running one"), await setup.enqueue_clone("waiting one")
    await setup.start_run(running)
    await setup.poll()
    bob = setup.agent.acting_as(setup.sandbox.bob)
    await bob.call_for_data("tasks.stop", task=running["id"])
    await setup.poll()
    await setup.finish_run(running, "stopped", by_agent=True)
    await bob.call_for_data("tasks.stop", task=waiting["id"])
    assert_notifications(sorted(await setup.poll()), ("running one", "aborted", "2 s"), ("waiting one", "aborted"))


async def test_own_actions_are_not_notified(setup: WatcherSetup) -> None:
    first, second = await setup.enqueue_clone("first"), await setup.enqueue_clone("second")
    await setup.start_run(first)
    await setup.poll()
    await setup.agent.call_for_data("tasks.stop", task=first["id"])
    assert await setup.poll() == []
    await setup.finish_run(first, "stopped", by_agent=True)
    assert await setup.poll() == [], "Alice aborted it in the web UI"
    await setup.program.ask("/abort second")
    assert await setup.poll() == []
    await setup.program.ask(f"/retry {second['id']}")
    await setup.program.ask(f"/dequeue {second['id']}")
    await setup.program.ask(f"/reset {first['id']} --yes")
    assert await setup.poll() == []


async def test_action_of_another_person_is_notified_with_their_name(setup: WatcherSetup) -> None:
    bob = await setup.program.add_person(setup.sandbox.bob, Role.ADMIN)
    task = await setup.enqueue_clone()
    bobs = WatcherSetup(setup.clock, setup.sandbox, bob, setup.agent, setup.watcher)
    for line, sentence in (
        (f"/dequeue {task['id']}", "dequeued by Bob Brown"),
        (f"/enqueue {task['id']} queue=alice_queue", "enqueued by Bob Brown"),
        (f"/abort {task['id']}", "aborted by Bob Brown"),
        (f"/reset {task['id']} --yes", "reset by Bob Brown"),
    ):
        await bob.ask(line)
        # Commands use the program's own clock, which must not be ahead of this one.
        assert_notifications(await setup.poll(advance_by=60), ("two GPUs", sentence))
        assert await bobs.deliver() == [], line


async def test_web_ui_action_of_another_person_is_notified_with_their_name(setup: WatcherSetup) -> None:
    await setup.program.add_person(setup.sandbox.bob, Role.MEMBER)
    task = await setup.enqueue_clone()
    await setup.poll()
    bob = setup.agent.acting_as(setup.sandbox.bob)
    await bob.call_for_data("tasks.dequeue", task=task["id"])
    assert_notifications(await setup.poll(), ("dequeued by Bob Brown",))
    await bob.call_for_data("tasks.enqueue", task=task["id"], queue_name="alice_queue")
    assert_notifications(await setup.poll(), ("enqueued by Bob Brown",))


async def test_deletion_of_a_pending_experiment_is_notified_once(setup: WatcherSetup) -> None:
    task, other = await setup.enqueue_clone(), await setup.enqueue_clone("other")
    await setup.agent.acting_as(setup.sandbox.bob).call_for_data("tasks.delete", task=task["id"], force=True)
    assert await setup.watcher.poll_deleted() == 1
    assert_notifications(await setup.deliver(), ("two GPUs", "deleted"))
    assert await setup.watcher.poll_deleted() == 0
    await setup.start_run(other)
    assert_notifications(await setup.poll(), ("other", "started"))


async def test_events_between_two_polls_are_notified_in_order(setup: WatcherSetup) -> None:
    task = await setup.enqueue_clone()
    setup.clock.advance(20)
    await setup.start_run(task)
    setup.clock.advance(5)
    await setup.finish_run(task, "failed", "boom")
    messages = await setup.poll()
    assert_notifications(messages, ("started", "20 s", WORKER, "failed", "5 s", "boom"))
    assert messages[0].index("started") < messages[0].index("failed"), "one message"


async def test_retried_run_is_notified_again(setup: WatcherSetup) -> None:
    """ClearML keeps the time of the first start over a retry."""
    task = await setup.enqueue_clone()
    await setup.start_run(task)
    await setup.finish_run(task, "failed")
    assert_notifications(await setup.poll(), ("started", "failed"))
    setup.clock.advance(60)
    await setup.program.ask(f"/retry {task['id']}")
    assert await setup.poll() == []
    setup.clock.advance(30)
    await setup.start_run(task)
    assert_notifications(await setup.poll(), ("started", "31 s", WORKER))
    setup.clock.advance(30)
    await setup.finish_run(task, "completed")
    assert_notifications(await setup.poll(), ("completed",))


async def test_repeated_running_status_is_one_start(setup: WatcherSetup) -> None:
    """Agent and SDK set the status four or five times in a run, each with a new time of change."""
    task = await setup.enqueue_clone()
    await setup.start_run(task)
    messages = await setup.poll()
    for reason in ("starting execution soon", "worker started execution", ""):
        setup.clock.advance(1)
        await setup.agent.call_for_data("tasks.started", task=task["id"], force=True, status_reason=reason)
        messages += await setup.poll()
    assert len(messages) == 1


async def test_own_dequeue_and_edits_are_not_notified(setup: WatcherSetup) -> None:
    await setup.enqueue_clone()
    await setup.program.ask("/dequeue")
    await setup.program.ask("/set args.lr=0.5")
    await setup.program.ask("/enqueue")
    assert await setup.poll() == []


async def test_experiments_of_others_are_not_notified(setup: WatcherSetup) -> None:
    queue = setup.sandbox.state.find_queue("alice_queue")
    assert queue
    others = setup.sandbox.state.add_task("somebody else's", user=setup.sandbox.bob.id)
    await setup.agent.call_for_data("tasks.enqueue", task=others["id"], queue=queue["id"])
    await setup.poll()
    await setup.start_run(others)
    assert await setup.poll() == []
    await setup.finish_run(others, "failed")
    assert await setup.poll() == []


async def test_each_person_is_notified_of_their_own_runs(setup: WatcherSetup) -> None:
    bob = await setup.program.add_person(setup.sandbox.bob, Role.MEMBER)
    bobs = WatcherSetup(setup.clock, setup.sandbox, bob, setup.agent, setup.watcher)
    await bob.ask("/queue use alice_queue")
    alices_task, bobs_task = await setup.enqueue_clone("alices"), await bobs.enqueue_clone("bobs")
    for task in (alices_task, bobs_task):
        await setup.start_run(task)
    assert [line.split()[0] for line in await setup.poll()] == ["“alices”"]
    assert [line.split()[0] for line in await bobs.deliver()] == ["“bobs”"]


async def test_clone_enqueued_in_the_web_ui_is_notified(setup: WatcherSetup) -> None:
    reply = await setup.program.send("/clone baseline two GPUs")
    task = setup.sandbox.state.tasks[reply.experiment_id]
    await setup.poll()
    await setup.agent.call_for_data("tasks.enqueue", task=task["id"], queue_name="alice_queue")
    await setup.poll()
    setup.clock.advance(60)
    await setup.start_run(task)
    assert_notifications(await setup.poll(), ("two GPUs", "started", "1 min 1 s", WORKER))


async def test_renamed_experiment_is_notified_with_its_new_name(setup: WatcherSetup) -> None:
    task = await setup.enqueue_clone()
    await setup.program.ask("/name better name")
    await setup.start_run(task)
    assert_notifications(await setup.poll(), ("better name", "started"))


# ── The worker's name ─────────────────────────────────────────────────────────────────────────────


async def test_run_with_unknown_worker_is_notified_one_poll_later(setup: WatcherSetup) -> None:
    task = await setup.enqueue_clone()
    await setup.start_run(task, worker="")
    assert await setup.poll() == []
    await setup.report_worker_status(task)
    assert_notifications(await setup.poll(), ("two GPUs", "started", WORKER))


async def test_run_is_notified_without_worker_after_the_grace_period(setup: WatcherSetup) -> None:
    task = await setup.enqueue_clone()
    await setup.start_run(task, worker="")
    assert await setup.poll() == []
    assert await setup.poll(advance_by=WORKER_GRACE.total_seconds() - 1) == []
    messages = await setup.poll(advance_by=1)
    assert_notifications(messages, ("two GPUs", "started"))
    assert "picked up" not in messages[0]
    await setup.report_worker_status(task)
    assert await setup.poll() == []


async def test_worker_of_a_previous_run_is_not_reused(setup: WatcherSetup) -> None:
    task = await setup.enqueue_clone()
    await setup.start_run(task, worker="lab:alice_queue:gpu7")
    await setup.finish_run(task, "failed")
    await setup.poll()
    setup.clock.advance(60)
    await setup.program.ask(f"/reset {task['id']} --yes")
    await setup.program.ask("/enqueue")
    await setup.start_run(task, worker="")
    assert await setup.poll() == []
    await setup.report_worker_status(task)
    assert_notifications(await setup.poll(), ("started", WORKER))


async def test_run_without_worker_stays_within_reach_of_later_pages(
    setup: WatcherSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is left for a later poll, and must stay within reach while other experiments change after it."""
    monkeypatch.setattr(watcher, "PAGE_SIZE", 3)
    task = await setup.enqueue_clone()
    await setup.start_run(task, worker="")
    for number in range(10):
        setup.clock.advance(3)
        add_changed_experiment(setup, f"other {number}")
    assert await setup.poll() == []
    await setup.report_worker_status(task)
    assert len(await setup.poll()) == 1
