"""What is said of an experiment before it runs: code, container, cards, and who listens."""

from dataclasses import replace
from pathlib import Path

import pytest

from clearml_chatops.models.people import QueueBinding
from clearml_chatops.models.workers import WantedWorker, WorkerPlan
from clearml_chatops.sandbox.state import Worker
from clearml_chatops.services.workers.queue_holds import HOLD_TAG
from tests.support.experiments import add_script
from tests.support.nvml import FakeCard, put_in
from tests.support.program import RunningProgram, buttons
from tests.support.stand_ins import stand_in


async def _draft(program: RunningProgram, gpus: str = "", image: str = "") -> str:
    """A Draft that is the current one, with the cards and the image that it asks for."""
    await program.ask("/queue create")
    task = add_script(program.sandbox, "mine", "print('mine')")
    document = program.sandbox.state.tasks[task]
    if gpus:
        document["hyperparams"] = {"Args": {"gpus": {"section": "Args", "name": "gpus", "value": gpus}}}
    if image:
        document["container"] = {"image": image}
    await program.ask(f"/use {task}")
    return task


async def _worker(program: RunningProgram, gpus: str, image: str = "") -> None:
    """Has a worker of Alice's queue be wanted, without starting one."""
    person, queue = await program.person(), program.sandbox.state.queue_named("alice_queue")
    assert person is not None
    assert queue is not None
    plan = WorkerPlan((QueueBinding(queue["id"], "alice_queue"),), gpus, image)
    process = program.program.process
    worker = WantedWorker(f"lab:q:{gpus}", "lab", plan, person.id, program.conversation, process.clock())
    await process.host_workers.put(worker)


async def test_what_has_no_code_is_not_enqueued_but_by_force(program: RunningProgram) -> None:
    task = await _draft(program)
    program.sandbox.state.tasks[task]["script"] = {}
    reply = await program.say("/enqueue")
    assert await program.error_code("/enqueue") == "preflight"
    assert program.sandbox.state.tasks[task]["status"] == "created"
    assert "It has no code" in await program.ask(buttons(reply)["Check it"])
    assert "It has no code" in await program.ask("/enqueue --force")
    assert program.sandbox.state.tasks[task]["status"] == "queued"


async def test_cards_are_numbered_anew_for_what_a_container_holds(program: RunningProgram) -> None:
    task = await _draft(program, gpus="2,3", image="python:3.12")
    await _worker(program, "2,3", "python:3.12")
    reply = str(await program.say("/enqueue"))
    assert "Args/gpus is 2,3, and lab:q:2,3 has the cards 2,3" in reply
    assert "for what it runs they are 0 to 1; /set Args/gpus 0,1." in reply
    assert program.sandbox.state.tasks[task]["status"] == "created"
    await program.ask("/set args.gpus 0,1")
    assert "cards" not in await program.ask("/enqueue")
    assert await program.error_code(f"/rerun {task} args.gpus=2,3") == "preflight"


@pytest.mark.parametrize(
    ("gpus", "worker", "image", "said"),
    [
        ("1", "1", "python:3.12", "Args/gpus is 1"),  # may be how many
        ("1,2", "1,2", "", "Args/gpus is 1,2"),  # may be chosen by the script itself
        ("1,2", "none", "", "has no card."),
        ("0,2", "all", "", "has the cards all: for what it runs they are 0 to 1"),
    ],
)
async def test_what_may_go_wrong_is_said_and_done(
    program: RunningProgram, gpus: str, worker: str, image: str, said: str
) -> None:
    put_in(program, FakeCard("GPU-0"), FakeCard("GPU-1"))
    await _draft(program, gpus)
    await _worker(program, worker, image)
    assert said in await program.ask("/enqueue")


async def test_one_worker_that_fits_is_enough(program: RunningProgram) -> None:
    await _draft(program, "0,1")
    await _worker(program, "0", "python:3.12")
    await _worker(program, "0,1,2", "python:3.12")
    assert "Args/gpus" not in await program.ask("/enqueue")


async def test_a_worker_without_docker_leaves_the_image_out(program: RunningProgram) -> None:
    await _draft(program, image="python:3.12")
    await _worker(program, "none")
    assert "lab:q:none runs without docker, so the image python:3.12 is left out." in await program.ask("/enqueue")


async def test_the_pre_flight_of_an_enqueue_costs_no_request(program: RunningProgram) -> None:
    await _draft(program, "0", "python:3.12")
    await _worker(program, "0", "python:3.12")
    program.sandbox.requests.clear()
    await program.ask("/enqueue")
    assert program.sandbox.requests.names() == ["tasks.get_all_ex", "tasks.enqueue"]


async def test_a_check_tells_all(program: RunningProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    put_in(program, FakeCard("GPU-0"))
    stand_in(monkeypatch, tmp_path, "docker", "echo 'Error: No such image: x' >&2; exit 1")
    await _draft(program, "0", "python:3.12")
    await _worker(program, "0", "python:3.11")
    said = await program.ask("/check")
    assert said.splitlines() == [
        "mine",
        "No worker listens on alice_queue; /worker start makes one.",
        "Its code is given.",
        "The image python:3.12 is not on this machine and is pulled first.",
        "Card 0 is free.",
        '[Start a worker] /worker start queue="alice_queue"',
    ]

    stand_in(monkeypatch, tmp_path, "docker", "echo sha256:1")
    _listens(program)
    said = await program.ask("/check queue=alice_queue")
    assert "lab:q:0 listens on alice_queue." in said
    assert "The image python:3.12 is on this machine." in said


async def test_a_queue_that_is_held_says_by_whom(program: RunningProgram) -> None:
    await _draft(program)
    await _worker(program, "0")
    _listens(program)
    queue = program.sandbox.state.queue_named("alice_queue")
    assert queue is not None
    queue["tags"] = [HOLD_TAG]
    assert f"alice_queue is held by its tag {HOLD_TAG}" in await program.ask("/check")
    (worker,) = await program.program.process.host_workers.wanted()
    await program.program.process.host_workers.put(replace(worker, held_queues=(queue["id"],)))
    said = await program.ask("/check")
    assert "Nothing is taken from alice_queue while lab:q:0 ends what it runs and stops." in said


def _listens(program: RunningProgram) -> None:
    state, queue = program.sandbox.state, program.sandbox.state.queue_named("alice_queue")
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
