"""/worker, /worker list and /worker log: what each one sees."""

from datetime import timedelta

import pytest

from clearml_chatops.models.people import QueueBinding, Role
from clearml_chatops.models.replies import Reply, Table
from clearml_chatops.models.workers import WantedWorker, WorkerPlan
from clearml_chatops.sandbox.state import Worker
from tests.support.agents import quick_agents
from tests.support.program import RunningProgram, buttons
from tests.support.scalars import add_experiment


def _rows(reply: Reply) -> list[tuple[str, ...]]:
    return [row for block in reply.blocks if isinstance(block, Table) for row in block.rows]


async def _wanted(program: RunningProgram, worker_id: str, gpus: str, image: str = "") -> None:
    person, queue = await program.person(), program.sandbox.state.queue_named("alice_queue")
    assert person is not None
    assert queue is not None
    process = program.program.process
    since = process.clock() - timedelta(hours=2, minutes=3)
    plan = WorkerPlan((QueueBinding(queue["id"], "alice_queue"),), gpus, image)
    await process.reconciler.put(WantedWorker(worker_id, "lab", plan, person.id, program.conversation, since))


def _seen(program: RunningProgram, worker_id: str, queue: str, task: str = "") -> None:
    state = program.sandbox.state
    found, now = state.queue_named(queue), state.now()
    assert found is not None
    state.workers[worker_id] = Worker(
        key=worker_id,
        id=worker_id,
        user=program.sandbox.bob.id,
        address="127.0.0.1",
        queues=[found["id"]],
        tags=[],
        system_tags=[],
        register_time=now,
        register_timeout=600,
        last_activity_time=now,
        task=task or None,
    )


async def test_all_workers_are_listed_from_both_sides_and_mine_are_mine(program: RunningProgram) -> None:
    await program.ask("/queue create")
    await _wanted(program, "lab:alice_queue:gpu0", "0", "python:3.12")
    task = add_experiment(program.sandbox, "baseline")
    program.sandbox.state.tasks[task].update(status="in_progress", started=program.sandbox.state.now())
    _seen(program, "farm:gpu3", "default", task)

    reply = await program.say("/worker list")

    mine, other = _rows(reply)
    assert mine == (
        *("lab:alice_queue:gpu0", "alice_queue", "0", "python:3.12", "alice", "does not run"),
        *("2 h 3 min ago", "—"),
    )
    assert other[:5] == ("farm:gpu3", "default", "3", "—", "Bob Brown")
    assert other[5].startswith("“baseline” of Alice Adams")
    assert "Stop lab:alice_queue:gpu0" in buttons(reply)
    assert "Stop farm:gpu3" not in buttons(reply)
    assert [row[0] for row in _rows(await program.say("/worker"))] == ["lab:alice_queue:gpu0"]

    bob = await program.introduce(program.sandbox.bob, Role.MEMBER)
    assert await bob.ask("/worker") == (
        "You have no worker.\n[Start one] /worker start\n[All workers] /worker list"
    )
    assert list(buttons(await bob.say("/worker list"))) == []


async def test_a_worker_that_does_not_run_writes_nothing(program: RunningProgram) -> None:
    await program.ask("/queue create")
    await _wanted(program, "lab:alice_queue:gpu0", "0")
    assert await program.error_code("/worker log") == "worker_not_running"
    assert await program.error_code("/worker log worker=gpu9") == "worker_not_found"


@pytest.mark.usefixtures(quick_agents.__name__)
async def test_the_last_lines_of_a_worker_and_none_of_its_secrets(program: RunningProgram) -> None:
    await program.ask("/queue create")
    await program.ask("/worker start gpus=none")
    said = await program.ask("/worker log 1000")
    assert "lab:alice_queue:cpu" in said
    assert "alice_queue" in said
    assert program.sandbox.alice.secret_key not in said
    assert len((await program.ask("/worker log 3")).splitlines()) <= 4
