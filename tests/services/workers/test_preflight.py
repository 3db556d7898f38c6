"""Preflight findings of an experiment: code, container, GPUs, and workers on its queue."""

from dataclasses import replace
from pathlib import Path

import pytest

from clearml_chatops.models.people import QueueBinding
from clearml_chatops.models.workers import DesiredWorker, WorkerPlan
from clearml_chatops.sandbox.state import Worker
from clearml_chatops.services.workers.queue_pauses import PAUSE_TAG
from tests.support.experiments import add_script
from tests.support.fake_programs import install_fake_program
from tests.support.nvml import FakeGpu, install_gpus
from tests.support.program import RunningProgram, get_buttons


async def _create_draft(program: RunningProgram, gpus: str = "", image: str = "") -> str:
    """Create a Draft with a GPU parameter and an image, and make it the current experiment."""
    await program.ask("/queue create")
    task = add_script(program.sandbox, "mine", "print('mine')")
    document = program.sandbox.state.tasks[task]
    if gpus:
        document["hyperparams"] = {"Args": {"gpus": {"section": "Args", "name": "gpus", "value": gpus}}}
    if image:
        document["container"] = {"image": image}
    await program.ask(f"/use {task}")
    return task


async def _add_worker(program: RunningProgram, gpus: str, image: str = "") -> None:
    """Store a desired worker of Alice's queue without starting one."""
    person, queue = await program.find_person(), program.sandbox.state.find_queue("alice_queue")
    assert person is not None
    assert queue is not None
    plan = WorkerPlan((QueueBinding(queue["id"], "alice_queue"),), gpus, image)
    process = program.program.process
    worker = DesiredWorker(f"lab:q:{gpus}", "lab", plan, person.id, program.conversation, process.clock())
    await process.host_workers.put(worker)


async def test_experiment_without_code_needs_force(program: RunningProgram) -> None:
    task = await _create_draft(program)
    program.sandbox.state.tasks[task]["script"] = {}
    reply = await program.send("/enqueue")
    assert await program.send_for_error_code("/enqueue") == "preflight"
    assert program.sandbox.state.tasks[task]["status"] == "created"
    assert "It has no code" in await program.ask(get_buttons(reply)["Check"])
    assert "It has no code" in await program.ask("/enqueue --force")
    assert program.sandbox.state.tasks[task]["status"] == "queued"


async def test_gpu_indices_start_at_zero_in_a_container(program: RunningProgram) -> None:
    task = await _create_draft(program, gpus="2,3", image="python:3.12")
    await _add_worker(program, "2,3", "python:3.12")
    reply = str(await program.send("/enqueue"))
    assert "Args/gpus is 2,3, but lab:q:2,3 has 2 GPUs, which its runs see as GPUs 0 and 1." in reply
    assert "Use /set Args/gpus 0,1." in reply
    assert program.sandbox.state.tasks[task]["status"] == "created"
    await program.ask("/set args.gpus 0,1")
    assert "GPUs" not in await program.ask("/enqueue")
    assert await program.send_for_error_code(f"/rerun {task} args.gpus=2,3") == "preflight"


@pytest.mark.parametrize(
    ("gpus", "worker", "image", "warning"),
    [
        ("1", "1", "python:3.12", "Args/gpus is 1, but lab:q:1 has 1 GPU"),  # may be a count
        ("1,2", "1,2", "", "Args/gpus is 1,2"),  # the script may choose the GPUs itself
        ("1,2", "none", "", "has no GPU."),
        ("0,2", "all", "", "has 2 GPUs, which its runs see as GPUs 0 and 1"),
    ],
)
async def test_possible_problem_is_a_warning(
    program: RunningProgram, gpus: str, worker: str, image: str, warning: str
) -> None:
    install_gpus(program, FakeGpu("GPU-0"), FakeGpu("GPU-1"))
    await _create_draft(program, gpus)
    await _add_worker(program, worker, image)
    assert warning in await program.ask("/enqueue")


async def test_one_suitable_worker_is_enough(program: RunningProgram) -> None:
    await _create_draft(program, "0,1")
    await _add_worker(program, "0", "python:3.12")
    await _add_worker(program, "0,1,2", "python:3.12")
    assert "Args/gpus" not in await program.ask("/enqueue")


async def test_worker_without_docker_ignores_the_image(program: RunningProgram) -> None:
    await _create_draft(program, image="python:3.12")
    await _add_worker(program, "none")
    assert "lab:q:none runs without Docker. The image python:3.12 is ignored there." in await program.ask(
        "/enqueue"
    )


async def test_enqueue_preflight_sends_no_request(program: RunningProgram) -> None:
    await _create_draft(program, "0", "python:3.12")
    await _add_worker(program, "0", "python:3.12")
    program.sandbox.requests.clear()
    await program.ask("/enqueue")
    assert program.sandbox.requests.list_endpoints() == ["tasks.get_all_ex", "tasks.enqueue"]


async def test_check_reports_all_findings(
    program: RunningProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install_gpus(program, FakeGpu("GPU-0"))
    install_fake_program(monkeypatch, tmp_path, "docker", "echo 'Error: No such image: x' >&2; exit 1")
    await _create_draft(program, "0", "python:3.12")
    await _add_worker(program, "0", "python:3.11")
    output = await program.ask("/check")
    assert output.splitlines() == [
        "mine",
        "No worker listens on alice_queue. Start one with /worker start.",
        "It has code.",
        "The image python:3.12 isn't on this machine yet. It's pulled before the run starts.",
        "GPU 0 is free.",
        '[Start worker] /worker start queue="alice_queue"',
    ]

    install_fake_program(monkeypatch, tmp_path, "docker", "echo sha256:1")
    _register_worker(program)
    output = await program.ask("/check queue=alice_queue")
    assert "lab:q:0 listens on alice_queue." in output
    assert "The image python:3.12 is on this machine." in output


async def test_check_names_who_paused_the_queue(program: RunningProgram) -> None:
    await _create_draft(program)
    await _add_worker(program, "0")
    _register_worker(program)
    queue = program.sandbox.state.find_queue("alice_queue")
    assert queue is not None
    queue["tags"] = [PAUSE_TAG]
    assert f"alice_queue is paused by its tag {PAUSE_TAG}." in await program.ask("/check")
    (worker,) = await program.program.process.host_workers.list_desired()
    await program.program.process.host_workers.put(replace(worker, paused_queue_ids=(queue["id"],)))
    output = await program.ask("/check")
    assert "alice_queue is paused while lab:q:0 finishes and stops." in output


def _register_worker(program: RunningProgram) -> None:
    state, queue = program.sandbox.state, program.sandbox.state.find_queue("alice_queue")
    assert queue is not None
    now = state.now()
    state.workers["w"] = Worker(
        key="w",
        id="lab:q:0",
        user=program.sandbox.alice.id,
        address="127.0.0.1",
        queues=[queue["id"]],
        tags=[],
        system_tags=[],
        register_time=now,
        register_timeout=600,
        last_activity_time=now,
    )
