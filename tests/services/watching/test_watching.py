"""The watcher: what people are told of their experiments."""

import pytest

from clearml_chatops.models.people import Role
from clearml_chatops.services.watching import watching
from clearml_chatops.services.watching.watching import WORKER_GRACE
from tests.support.watched import WORKER, World, add_changed, verify


async def test_a_run_is_told_when_it_begins_and_when_it_ends(world: World) -> None:
    task = await world.enqueued()
    assert await world.look() == []
    world.clock.advance(90)
    await world.start(task)
    verify(await world.look(), ("two cards", "left Pending", "1 min 31 s", WORKER))
    world.clock.advance(600)
    await world.end(task, "completed")
    verify(await world.look(), ("two cards", "Completed", "10 min 1 s"))
    assert await world.look() == []


async def test_a_failure_is_told_with_the_last_lines_of_the_log(world: World) -> None:
    task = await world.enqueued()
    await world.start(task)
    await world.look()
    world.clock.advance(60)
    await world.end(task, "failed", *(f"step {number}" for number in range(20)), "CUDA out of memory")
    told = await world.look()
    verify(told, ("two cards", "Failed", "1 min 1 s"))
    assert "memory did not suffice" in told[0].splitlines()[1]
    assert told[0].splitlines()[2:] == [*(f"step {number}" for number in range(13, 20)), "CUDA out of memory"]


async def test_an_abort_by_another_is_told_of_what_runs_and_of_what_waits(world: World) -> None:
    running, waiting = await world.enqueued("running one"), await world.enqueued("waiting one")
    await world.start(running)
    await world.look()
    bob = world.agent.acting_as(world.sandbox.bob)
    await bob.data("tasks.stop", task=running["id"])
    await world.look()
    await world.end(running, "stopped", by_agent=True)
    await bob.data("tasks.stop", task=waiting["id"])
    verify(sorted(await world.look()), ("running one", "Aborted", "2 s"), ("waiting one", "Aborted"))


async def test_what_one_does_oneself_is_not_announced(world: World) -> None:
    first, second = await world.enqueued("first"), await world.enqueued("second")
    await world.start(first)
    await world.look()
    await world.agent.data("tasks.stop", task=first["id"])
    assert await world.look() == []
    await world.end(first, "stopped", by_agent=True)
    assert await world.look() == [], "she asked for it in the web UI"
    await world.program.ask("/abort second")
    assert await world.look() == []
    await world.program.ask(f"/retry {second['id']}")
    await world.program.ask(f"/dequeue {second['id']}")
    await world.program.ask(f"/reset {first['id']} --yes")
    assert await world.look() == []


async def test_what_another_person_does_is_told_with_his_name(world: World) -> None:
    bob = await world.program.introduce(world.sandbox.bob, Role.ADMIN)
    task = await world.enqueued()
    bobs = World(world.clock, world.sandbox, bob, world.agent, world.watcher)
    for line, sentence in (
        (f"/dequeue {task['id']}", "taken out of its queue by Bob Brown"),
        (f"/enqueue {task['id']} queue=alice_queue", "enqueued by Bob Brown"),
        (f"/abort {task['id']}", "Aborted by Bob Brown"),
        (f"/reset {task['id']} --yes", "made a Draft again by Bob Brown"),
    ):
        await bob.ask(line)
        # Commands go by the program's own clock, which must not be ahead of this one.
        verify(await world.look(later=60), ("two cards", sentence))
        assert await bobs.delivered() == [], line


async def test_what_another_person_does_in_the_web_ui_is_told_with_his_name(world: World) -> None:
    await world.program.introduce(world.sandbox.bob, Role.MEMBER)
    task = await world.enqueued()
    await world.look()
    bob = world.agent.acting_as(world.sandbox.bob)
    await bob.data("tasks.dequeue", task=task["id"])
    verify(await world.look(), ("taken out of its queue by Bob Brown",))
    await bob.data("tasks.enqueue", task=task["id"], queue_name="alice_queue")
    verify(await world.look(), ("enqueued by Bob Brown",))


async def test_what_is_deleted_while_it_waits_is_told_once(world: World) -> None:
    task, other = await world.enqueued(), await world.enqueued("other")
    await world.agent.acting_as(world.sandbox.bob).data("tasks.delete", task=task["id"], force=True)
    assert await world.watcher.look_for_deleted() == 1
    verify(await world.delivered(), ("two cards", "deleted"))
    assert await world.watcher.look_for_deleted() == 0
    await world.start(other)
    verify(await world.look(), ("other", "left Pending"))


async def test_all_that_happened_between_two_looks_is_told_in_order(world: World) -> None:
    task = await world.enqueued()
    world.clock.advance(20)
    await world.start(task)
    world.clock.advance(5)
    await world.end(task, "failed", "boom")
    told = await world.look()
    verify(told, ("left Pending", "20 s", WORKER, "Failed", "5 s", "boom"))
    assert told[0].index("left Pending") < told[0].index("Failed"), "one message"


async def test_a_run_that_is_retried_is_told_again(world: World) -> None:
    """ClearML keeps the time of the first start over a retry."""
    task = await world.enqueued()
    await world.start(task)
    await world.end(task, "failed")
    verify(await world.look(), ("left Pending", "Failed"))
    world.clock.advance(60)
    await world.program.ask(f"/retry {task['id']}")
    assert await world.look() == []
    world.clock.advance(30)
    await world.start(task)
    verify(await world.look(), ("left Pending", "31 s", WORKER))
    world.clock.advance(30)
    await world.end(task, "completed")
    verify(await world.look(), ("Completed",))


async def test_the_several_settings_to_running_are_one_start(world: World) -> None:
    """Agent and SDK set the status four or five times in a run, each with a new time of change."""
    task = await world.enqueued()
    await world.start(task)
    told = await world.look()
    for reason in ("starting execution soon", "worker started execution", ""):
        world.clock.advance(1)
        await world.agent.data("tasks.started", task=task["id"], force=True, status_reason=reason)
        told += await world.look()
    assert len(told) == 1


async def test_dequeue_and_edits_are_no_news(world: World) -> None:
    await world.enqueued()
    await world.program.ask("/dequeue")
    await world.program.ask("/set args.lr=0.5")
    await world.program.ask("/enqueue")
    assert await world.look() == []


async def test_of_what_one_neither_cloned_nor_enqueued_nothing_is_told(world: World) -> None:
    queue = world.sandbox.state.queue_named("alice_queue")
    assert queue
    others = world.sandbox.state.add_task("somebody else's", user=world.sandbox.bob.id)
    await world.agent.data("tasks.enqueue", task=others["id"], queue=queue["id"])
    await world.look()
    await world.start(others)
    assert await world.look() == []
    await world.end(others, "failed")
    assert await world.look() == []


async def test_each_is_told_of_his_own(world: World) -> None:
    bob = await world.program.introduce(world.sandbox.bob, Role.MEMBER)
    bobs = World(world.clock, world.sandbox, bob, world.agent, world.watcher)
    await bob.ask("/queue use alice_queue")
    mine, his = await world.enqueued("mine"), await bobs.enqueued("his")
    for task in (mine, his):
        await world.start(task)
    assert [line.split()[0] for line in await world.look()] == ["“mine”"]
    assert [line.split()[0] for line in await bobs.delivered()] == ["“his”"]


async def test_a_clone_enqueued_and_run_from_the_web_ui_is_told_all_the_same(world: World) -> None:
    reply = await world.program.say("/clone baseline two cards")
    task = world.sandbox.state.tasks[reply.experiment_id]
    await world.look()
    await world.agent.data("tasks.enqueue", task=task["id"], queue_name="alice_queue")
    await world.look()
    world.clock.advance(60)
    await world.start(task)
    verify(await world.look(), ("two cards", "left Pending", "1 min 1 s", WORKER))


async def test_an_experiment_renamed_meanwhile_is_told_by_its_new_name(world: World) -> None:
    task = await world.enqueued()
    await world.program.ask("/name better name")
    await world.start(task)
    verify(await world.look(), ("better name", "left Pending"))


# ── The worker's name ─────────────────────────────────────────────────────────────────────────────


async def test_a_run_whose_worker_is_not_known_yet_is_told_a_look_later_with_it(world: World) -> None:
    task = await world.enqueued()
    await world.start(task, worker="")
    assert await world.look() == []
    await world.report(task)
    verify(await world.look(), ("two cards", "left Pending", WORKER))


async def test_a_run_whose_worker_stays_unknown_is_told_without_it_after_a_while(world: World) -> None:
    task = await world.enqueued()
    await world.start(task, worker="")
    assert await world.look() == []
    assert await world.look(later=WORKER_GRACE.total_seconds() - 1) == []
    told = await world.look(later=1)
    verify(told, ("two cards", "left Pending"))
    assert "picked up" not in told[0]
    await world.report(task)
    assert await world.look() == []


async def test_the_worker_of_a_former_run_is_not_taken_for_that_of_the_new_one(world: World) -> None:
    task = await world.enqueued()
    await world.start(task, worker="lab:alice_queue:gpu7")
    await world.end(task, "failed")
    await world.look()
    world.clock.advance(60)
    await world.program.ask(f"/reset {task['id']} --yes")
    await world.program.ask("/enqueue")
    await world.start(task, worker="")
    assert await world.look() == []
    await world.report(task)
    verify(await world.look(), ("left Pending", WORKER))


async def test_a_run_without_a_worker_is_not_lost_behind_later_pages(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is left for a later look, and must stay within reach while much else changes after it."""
    monkeypatch.setattr(watching, "PAGE_SIZE", 3)
    task = await world.enqueued()
    await world.start(task, worker="")
    for number in range(10):
        world.clock.advance(3)
        add_changed(world, f"other {number}")
    assert await world.look() == []
    await world.report(task)
    assert len(await world.look()) == 1
