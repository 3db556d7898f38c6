"""A worker is named by its id, its queue, its GPUs, or a unique part; if several match, buttons ask which one."""

import pytest

from clearml_chatops.models.people import QueueBinding, Role
from clearml_chatops.models.replies import Outcome
from clearml_chatops.models.workers import DesiredWorker, WorkerPlan
from tests.support.nvml import FakeGpu, install_gpus
from tests.support.program import RunningProgram, get_buttons, to_plain_text


async def _add_worker(person: RunningProgram, queue_name: str, gpus: str) -> str:
    """Store a desired worker without an agent."""
    owner, queue = await person.find_person(), person.sandbox.state.find_queue(queue_name)
    assert owner is not None
    assert queue is not None
    process = person.program.process
    worker_id = f"lab:{queue_name}:" + ("cpu" if gpus == "none" else f"gpu{gpus}")
    plan = WorkerPlan((QueueBinding(queue["id"], queue_name),), gpus)
    await process.host_workers.put(
        DesiredWorker(worker_id, "lab", plan, owner.id, person.conversation, process.clock())
    )
    return worker_id


@pytest.fixture
async def bob(program: RunningProgram) -> RunningProgram:
    """Alice (an admin) has workers on two queues, Bob has one."""
    install_gpus(program, *(FakeGpu(f"GPU-{number}") for number in range(4)))
    await program.ask("/queue create")
    await program.ask("/queue create night_jobs")
    bob = await program.add_person(program.sandbox.bob, Role.MEMBER)
    await bob.ask("/queue create")
    await _add_worker(program, "alice_queue", "0")
    await _add_worker(program, "night_jobs", "0,1")
    await _add_worker(program, "night_jobs", "none")
    await _add_worker(bob, "bob_queue", "2")
    return bob


@pytest.mark.parametrize(
    ("typed", "worker"),
    [
        ("lab:alice_queue:gpu0", "lab:alice_queue:gpu0"),
        ("LAB:Alice_Queue:GPU0", "lab:alice_queue:gpu0"),
        ("alice_queue", "lab:alice_queue:gpu0"),
        ("Alice_Queue", "lab:alice_queue:gpu0"),
        ("alice_queue:gpu0", "lab:alice_queue:gpu0"),
        ("alice", "lab:alice_queue:gpu0"),
        ("worker=alice", "lab:alice_queue:gpu0"),
        ("queue=alice_queue", "lab:alice_queue:gpu0"),
        ("queue alice_queue", "lab:alice_queue:gpu0"),
        ("gpu0", "lab:alice_queue:gpu0"),
        ("gpus=0", "lab:alice_queue:gpu0"),
        ("gpus 0-1", "lab:night_jobs:gpu0,1"),
        ("gpus=1", "lab:night_jobs:gpu0,1"),
        ("gpu 2", "lab:bob_queue:gpu2"),
        ("cpu", "lab:night_jobs:cpu"),
        ("gpus=none", "lab:night_jobs:cpu"),
        ("bob", "lab:bob_queue:gpu2"),
    ],
)
async def test_worker_is_found(program: RunningProgram, bob: RunningProgram, typed: str, worker: str) -> None:
    assert to_plain_text(await program.send(f"/worker log {typed}")).startswith(
        f"The worker {worker} isn't running"
    )
    answer = await program.ask(f"/worker stop {typed}")
    assert answer.startswith(f"Stopped {worker}."), answer
    assert len(await program.program.process.host_workers.list_desired()) == 3


@pytest.mark.parametrize("command", ["stop", "drain", "restart", "log"])
async def test_several_matches_ask_which_one(program: RunningProgram, bob: RunningProgram, command: str) -> None:
    before = await program.program.process.host_workers.list_desired()
    reply = await program.send(f"/worker {command} night")
    assert reply.outcome is Outcome.ASKED
    assert "2 workers match “night”. Which one?" in to_plain_text(reply)
    assert get_buttons(reply) == {
        worker: f"/worker {command} {worker}" for worker in ("lab:night_jobs:cpu", "lab:night_jobs:gpu0,1")
    }
    assert await program.program.process.host_workers.list_desired() == before


@pytest.mark.parametrize(
    ("line", "button"),
    [
        ("/worker stop night run=wait", "/worker stop lab:night_jobs:cpu run=wait"),
        ("/worker stop run wait worker = night", "/worker stop lab:night_jobs:cpu run=wait"),
        ("/worker restart night 0,1 docker", "/worker restart lab:night_jobs:cpu gpus=0,1 docker"),
        ("/worker log 50 night", "/worker log lab:night_jobs:cpu lines=50"),
        ('/worker restart night_jobs image="a:1"', "/worker restart lab:night_jobs:cpu image=a:1"),
        ("/worker restart queue=night_jobs 2", "/worker restart lab:night_jobs:cpu queue=night_jobs gpus=2"),
    ],
)
async def test_the_question_keeps_the_rest_of_the_line(
    program: RunningProgram, bob: RunningProgram, line: str, button: str
) -> None:
    reply = await program.send(line)
    assert reply.outcome is Outcome.ASKED, to_plain_text(reply)
    assert get_buttons(reply)["lab:night_jobs:cpu"].replace("'", "") == button


async def test_several_gpu_matches_ask_which_one(program: RunningProgram, bob: RunningProgram) -> None:
    await _add_worker(program, "default", "0,1")
    reply = await program.send("/worker stop gpus 0, 1 run=wait")
    assert get_buttons(reply)["lab:default:gpu0,1"] == "/worker stop lab:default:gpu0,1 run=wait"


async def test_a_queue_names_all_its_workers(program: RunningProgram, bob: RunningProgram) -> None:
    answer = await program.ask("/worker stop night_jobs")
    assert answer.startswith("Stopped lab:night_jobs:cpu and lab:night_jobs:gpu0,1.")


async def test_the_only_worker_of_a_person_is_meant(program: RunningProgram, bob: RunningProgram) -> None:
    await _add_worker(bob, "bob_queue", "0")
    assert (await bob.ask("/worker stop lab:bob_queue:gpu2")).startswith("Stopped lab:bob_queue:gpu2.")
    assert (await bob.ask("/worker stop gpu0")).startswith("Stopped lab:bob_queue:gpu0.")


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("alice_queue", "worker_not_yours"),
        ("default", "no_worker_for_queue"),
        ("nothing_like_it", "worker_not_found"),
        ("all", "worker_not_found"),
        ("gpus=3", "worker_not_found"),
        ("night", "ambiguous_worker"),
    ],
)
async def test_nothing_is_stopped_by_accident(bob: RunningProgram, typed: str, code: str) -> None:
    for command in ("stop", "drain"):
        assert await bob.send_for_error_code(f"/worker {command} {typed}") == code
    assert len(await bob.program.process.host_workers.list_desired()) == 4
