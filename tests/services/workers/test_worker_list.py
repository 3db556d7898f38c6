"""/worker, /worker list and /worker log: what each person sees."""

from datetime import timedelta

import pytest

from clearml_chatops.models.people import QueueBinding, Role
from clearml_chatops.models.replies import Fields, Reply
from clearml_chatops.models.workers import DesiredWorker, WorkerPlan
from clearml_chatops.sandbox.state import Worker
from tests.support.agents import quick_agents
from tests.support.program import RunningProgram, get_buttons, to_plain_text
from tests.support.scalars import add_experiment


def _parse_worker_lines(reply: Reply) -> dict[str, list[str]]:
    """Return the lines of the reply for each worker."""
    return {
        label: value.splitlines()
        for block in reply.blocks
        if isinstance(block, Fields)
        for label, value in block.items
    }


async def _add_desired_worker(program: RunningProgram, worker_id: str, gpus: str, image: str = "") -> None:
    person, queue = await program.find_person(), program.sandbox.state.find_queue("alice_queue")
    assert person is not None
    assert queue is not None
    process = program.program.process
    since = process.clock() - timedelta(hours=2, minutes=3)
    plan = WorkerPlan((QueueBinding(queue["id"], "alice_queue"),), gpus, image)
    await process.host_workers.put(DesiredWorker(worker_id, "lab", plan, person.id, program.conversation, since))


def _register_worker(program: RunningProgram, worker_id: str, queue: str, task: str = "") -> None:
    state = program.sandbox.state
    found, now = state.find_queue(queue), state.now()
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


async def test_all_workers_and_own_workers_are_listed(program: RunningProgram) -> None:
    await program.ask("/queue create")
    await _add_desired_worker(program, "lab:alice_queue:gpu0", "0", "python:3.12")
    task = add_experiment(program.sandbox, "baseline")
    program.sandbox.state.tasks[task].update(status="in_progress", started=program.sandbox.state.now())
    _register_worker(program, "farm:gpu3", "default", task)

    reply = await program.send("/worker list")

    assert _parse_worker_lines(reply) == {
        "lab:alice_queue:gpu0": [
            "Not running",
            "On alice_queue, GPU 0, python:3.12, owned by alice",
            "Started 2 hours ago, not seen by ClearML",
        ],
        "farm:gpu3": [
            "Running “baseline” (Alice Adams, 0 s)",
            "On default, GPU 3, owned by Bob Brown",
            "Not started by the bot, last seen now",
        ],
    }
    assert list(get_buttons(reply)) == [
        *("Restart", "Stop", "Stop after its run", "Show log"),
        *("Start worker", "Show my workers", "Show GPUs"),
    ]
    assert list(_parse_worker_lines(await program.send("/worker"))) == ["lab:alice_queue:gpu0"]

    bob = await program.add_person(program.sandbox.bob, Role.MEMBER)
    nothing = await bob.send("/worker")
    assert to_plain_text(nothing).startswith("You have no workers.")
    assert list(get_buttons(nothing)) == ["Start worker", "Show all workers", "Show GPUs"]
    assert "Stop" not in get_buttons(await bob.send("/worker list"))


async def test_worker_list_has_pages_and_buttons_for_own_workers(program: RunningProgram) -> None:
    await program.ask("/queue create")
    for gpu in range(8):
        await _add_desired_worker(program, f"lab:alice_queue:gpu{gpu}", str(gpu))

    first = await program.send("/worker list")

    assert list(_parse_worker_lines(first)) == [f"lab:alice_queue:gpu{gpu}" for gpu in range(6)]
    assert "1–6 of 8" in to_plain_text(first)
    assert get_buttons(first)["Stop alice_queue:gpu5"] == "/worker stop lab:alice_queue:gpu5"
    second = await program.send(get_buttons(first)["Next ›"])
    assert list(_parse_worker_lines(second)) == ["lab:alice_queue:gpu6", "lab:alice_queue:gpu7"]
    assert "There's no page 3." in await program.ask("/worker list page=3")


async def test_stopped_worker_has_no_log(program: RunningProgram) -> None:
    await program.ask("/queue create")
    await _add_desired_worker(program, "lab:alice_queue:gpu0", "0")
    assert await program.send_for_error_code("/worker log") == "worker_not_running"
    assert await program.send_for_error_code("/worker log worker=gpu9") == "worker_not_found"


@pytest.mark.usefixtures(quick_agents.__name__)
async def test_worker_log_contains_no_secrets(program: RunningProgram) -> None:
    await program.ask("/queue create")
    await program.ask("/worker start gpus=none")
    output = await program.ask("/worker log 1000")
    assert "lab:alice_queue:cpu" in output
    assert "alice_queue" in output
    assert program.sandbox.alice.secret_key not in output
    assert len((await program.ask("/worker log 3")).splitlines()) <= 4
