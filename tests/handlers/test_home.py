"""/home: an overview of what belongs to a person."""

from pathlib import Path

from clearml_chatops.models.people import Role
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.services.workers.gpu_reader import GpuReader
from tests.support.nvml import FakeGpu, FakeNvml
from tests.support.program import RunningProgram, get_buttons, run_program, to_plain_text


async def test_home_shows_own_queue_runs_workers_and_settings(program: RunningProgram, sandbox: Sandbox) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    await program.ask("/queue create")
    await program.ask("/rerun baseline first in line")
    await program.ask("/rerun baseline second in line")
    sandbox.state.add_task("in progress", user=sandbox.alice.id, status="in_progress")
    sandbox.state.add_task("of Bob's", user=sandbox.bob.id, status="in_progress")
    sandbox.faults.delay("*", 0.5)
    sandbox.requests.clear()
    reply = await program.send("/home")
    assert sandbox.requests.count_longest_sequence() == 1
    assert len(sandbox.requests.list_endpoints()) == 4
    shown = to_plain_text(reply)
    assert "you: alice, admin" in shown
    assert "ClearML user: Alice Adams" in shown
    assert "linked on: terminal" in shown
    assert "alice_queue: 2 experiments waiting" in shown
    first, second = (shown.index(f"| {name} in line") for name in ("first", "second"))
    assert first < second
    assert "No worker listens on it" in shown
    assert "in progress | Running" in shown
    assert "resnet50 batch 256 | Failed" in shown
    assert "of Bob's" not in shown
    for label in (
        "Find experiments",
        "Show queue",
        "Show workers",
        "Show account",
        "Help",
        "Refresh",
        "in progress",
    ):
        assert label in get_buttons(reply)


async def test_home_shows_gpus_of_own_workers(program: RunningProgram, sandbox: Sandbox) -> None:
    await program.ask("/queue create")
    queue = sandbox.state.find_queue("alice_queue")
    assert queue
    clearml = program.program.process.clearml.bot
    await clearml._call("workers.register", {"worker": "lab:alice_queue:gpu0,1", "queues": [queue["id"]]})
    await clearml._call("workers.register", {"worker": "lab:other:gpu7", "queues": []})
    shown = await program.ask("/home")
    assert "lab:alice_queue:gpu0,1 | 0,1 | idle" in shown
    assert "gpu7" not in shown


async def test_home_shows_machine_gpus(program: RunningProgram) -> None:
    gpu = FakeGpu("GPU-0", utilization=0, used=0)
    program.program.process.__dict__["gpu_reader"] = GpuReader(FakeNvml(gpu))
    assert "GPU 0: 0 %, 0.0 of" in await program.ask("/home")


async def test_home_of_new_user_shows_first_steps(program: RunningProgram, sandbox: Sandbox) -> None:
    shown = await program.ask("/home")
    assert "queue: none yet (create one with /queue create)" in shown
    assert "You have no runs yet." in shown
    viewer = await program.add_person(sandbox.carol, Role.VIEWER)
    assert "/clone" not in get_buttons(await viewer.send("/home")).values()


async def test_home_shows_deleted_queue_and_all_platforms(sandbox: Sandbox, tmp_path: Path) -> None:
    async with run_program(sandbox, tmp_path) as program:
        await program.ask("/queue create")
        bob = await program.add_person(sandbox.bob, Role.MEMBER)
        queue = sandbox.state.find_queue("alice_queue")
        assert queue
        del sandbox.state.queues[queue["id"]]
        assert "Your queue was deleted" in await program.ask("/home")
        assert "linked on: chat" in await bob.ask("/home")
