"""Stopping, restarting and draining a worker in mid-run: nothing ends by accident. With the real clearml-agent."""

from pathlib import Path

import pytest

from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Outcome
from clearml_chatops.services.workers.queue_holds import HOLD_TAG
from tests.support.agents import UNTIL_TOLD, agents_of, begun, listed, processes_of_agents, quick_agents, tags_of
from tests.support.experiments import add_script
from tests.support.nvml import FakeCard, put_in
from tests.support.program import RunningProgram, buttons, plain_text
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures(quick_agents.__name__)


async def _with_a_worker(program: RunningProgram) -> None:
    put_in(program, FakeCard("GPU-0"), FakeCard("GPU-1"))
    await program.ask("/queue create")
    await program.ask("/worker start gpus=0")


async def test_a_restart_asks_and_puts_what_ran_back_into_the_queue_for_the_new_worker(
    program: RunningProgram,
) -> None:
    await _with_a_worker(program)
    task = await begun(program)

    question = await program.say("/worker restart gpus=1")
    assert question.outcome is Outcome.ASKED
    assert "lab:alice_queue:gpu0 runs “long” of Alice Adams (" in plain_text(question)
    assert list(buttons(question)) == [
        "Wait until it ends",
        "Abort it and put it back in the queue",
        "Abort it",
    ]
    assert list(await agents_of(program)) == ["lab:alice_queue:gpu0"]
    assert program.sandbox.state.tasks[task]["status"] == "in_progress"

    program.sandbox.requests.clear()
    done = await program.say(buttons(question)["Abort it and put it back in the queue"])

    assert done.outcome is Outcome.DONE, plain_text(done)
    assert "The worker lab:alice_queue:gpu1 listens on alice_queue." in plain_text(done)
    assert list(await agents_of(program)) == ["lab:alice_queue:gpu1"] == listed(program)
    stops = program.sandbox.requests.named("tasks.stop")
    assert {item.body["status_reason"] for item in stops} == {"Aborted by alice"}
    await until(lambda: program.sandbox.state.tasks[task].get("last_worker") == "lab:alice_queue:gpu1")
    assert tags_of(program, "alice_queue") == []


async def test_a_run_is_aborted_with_its_worker_and_what_waits_stays(program: RunningProgram) -> None:
    await _with_a_worker(program)
    task = await begun(program)
    waiting = add_script(program.sandbox, "next", "print('next')")
    await program.ask(f"/enqueue {waiting}")
    left = "In alice_queue 1 experiment waits (“next” of Alice Adams), and no other worker listens there."
    question = await program.say("/worker stop")
    assert left in plain_text(question)

    reply = await program.ask(buttons(question)["Abort it"])

    assert "Stopped lab:alice_queue:gpu0." in reply
    assert "“long” was aborted." in reply
    assert left in reply
    assert program.sandbox.state.tasks[task]["status"] == "stopped"
    assert program.sandbox.state.tasks[waiting]["status"] == "queued"
    assert (await agents_of(program), listed(program), tags_of(program, "alice_queue")) == ({}, [], [])


async def test_a_drained_worker_ends_its_run_takes_nothing_more_and_gives_its_place(
    program: RunningProgram, tmp_path: Path
) -> None:
    await _with_a_worker(program)
    queue = program.sandbox.state.queue_named("alice_queue")
    assert queue is not None
    queue["tags"] = ["of the team"]
    told = tmp_path / "told"
    task = await begun(program, "first", UNTIL_TOLD.format(file=str(told)))
    waiting = add_script(program.sandbox, "behind", "print('behind')")
    await program.ask(f"/enqueue {waiting}")

    assert "takes nothing more, then one with card 1 takes its place" in await program.ask(
        "/worker restart gpus=1 run=wait"
    )
    assert tags_of(program, "alice_queue") == ["of the team", HOLD_TAG]
    assert "gives its place after this: runs “first” of Alice Adams" in await program.ask("/worker list")

    # The bot dies, another one goes on.
    for name in ("host_workers", "orphaned_runs", "reconciler"):
        program.program.process.__dict__.pop(name, None)
    told.touch()

    async def replaced() -> bool:
        await program.program.process.reconciler.reconcile()
        return list(await agents_of(program)) == ["lab:alice_queue:gpu1"]

    await until(replaced)
    assert program.sandbox.state.tasks[task]["status"] == "completed"
    assert tags_of(program, "alice_queue") == ["of the team"]
    await until(lambda: program.sandbox.state.tasks[waiting].get("last_worker") == "lab:alice_queue:gpu1")
    heard = "\n".join(await program.listen())
    assert "lab:alice_queue:gpu1 listens on alice_queue in place of lab:alice_queue:gpu0" in heard


async def test_where_others_listen_a_drained_worker_holds_nobody_up(program: RunningProgram) -> None:
    await _with_a_worker(program)
    task = await begun(program)
    await program.ask("/worker start gpus=none")

    drained = await program.say("/worker drain lab:alice_queue:gpu0")
    assert "lab:alice_queue:gpu0 ends “long” of Alice Adams (" in plain_text(drained)

    assert tags_of(program, "alice_queue") == []
    assert program.sandbox.state.tasks[task]["status"] == "in_progress"
    go_on = buttons(drained)["Let it go on"]
    assert "lab:alice_queue:gpu0 listens on alice_queue" in await program.ask(go_on)
    assert "stops after" not in await program.ask("/worker list")


async def test_the_worker_of_another_person_is_left_to_admins(program: RunningProgram) -> None:
    await _with_a_worker(program)
    bob = await program.introduce(program.sandbox.bob, Role.MEMBER)
    for line in (
        "/worker stop lab:alice_queue:gpu0",
        "/worker drain lab:alice_queue:gpu0",
        "/worker restart lab:alice_queue:gpu0 gpus=1",
        "/worker stop queue=alice_queue run=abort",
    ):
        assert await bob.error_code(line) == "worker_not_yours", line
    assert await bob.error_code("/worker stop lab:nobody:gpu0") == "worker_not_found"
    assert await bob.error_code("/worker stop queue=default") == "no_worker"
    assert list(await agents_of(program)) == ["lab:alice_queue:gpu0"]


async def test_who_has_a_card_is_said_before_it_is_taken(program: RunningProgram) -> None:
    await _with_a_worker(program)
    bob = await program.introduce(program.sandbox.bob, Role.MEMBER)
    await bob.ask("/queue create")

    question = await bob.say("/worker start gpus=0,1")

    assert question.outcome is Outcome.ASKED
    assert "Card 0: the worker lab:alice_queue:gpu0 of alice is idle." in plain_text(question)
    assert list(await agents_of(program)) == ["lab:alice_queue:gpu0"]
    free = buttons(question)["Take card 1 instead"]
    assert free == "/worker start gpus=1"
    await bob.ask(buttons(question)["Share card 0"])
    assert sorted(await agents_of(program)) == ["lab:alice_queue:gpu0", "lab:bob_queue:gpu0,1"]


async def test_ten_restarts_leave_one_agent(program: RunningProgram) -> None:
    await _with_a_worker(program)
    for number in range(10):
        await program.ask(f"/worker restart gpus={(number + 1) % 2}")
    agents = await agents_of(program)
    assert list(agents) == ["lab:alice_queue:gpu0"] == listed(program)
    assert tags_of(program, "alice_queue") == []
    assert [process.pid for process in processes_of_agents(program)] == list(agents.values())
