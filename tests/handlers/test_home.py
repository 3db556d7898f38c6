"""All that is one's own at a glance."""

from pathlib import Path

from clearml_chatops.models.people import Role
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.services.workers.gpu_reader import GpuReader
from tests.support.nvml import FakeCard, FakeNvml
from tests.support.program import RunningProgram, buttons, plain_text, running_program


async def test_home_shows_queue_runs_workers_and_settings_of_the_person(
    program: RunningProgram, sandbox: Sandbox
) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    await program.ask("/queue create")
    await program.ask("/rerun baseline first in line")
    await program.ask("/rerun baseline second in line")
    sandbox.state.add_task("under way", user=sandbox.alice.id, status="in_progress")
    sandbox.state.add_task("of Bob's", user=sandbox.bob.id, status="in_progress")
    sandbox.faults.delay("*", 0.5)
    sandbox.requests.clear()
    reply = await program.say("/home")
    assert sandbox.requests.longest_sequence() == 1
    assert len(sandbox.requests.names()) == 4
    shown = plain_text(reply)
    assert "you: alice, admin" in shown
    assert "ClearML user: Alice Adams" in shown
    assert "known on: terminal" in shown
    assert "alice_queue: 2 experiments waiting" in shown
    first, second = (shown.index(f"| {name} in line") for name in ("first", "second"))
    assert first < second
    assert "No worker listens on it" in shown
    assert "under way | Running" in shown
    assert "resnet50 batch 256 | Failed" in shown
    assert "of Bob's" not in shown
    for label in ("Find", "Queue", "Workers", "Who am I", "Help", "Refresh", "under way"):
        assert label in buttons(reply)


async def test_home_names_the_cards_of_ones_workers(program: RunningProgram, sandbox: Sandbox) -> None:
    await program.ask("/queue create")
    queue = sandbox.state.queue_named("alice_queue")
    assert queue
    clearml = program.program.process.clearml.bot
    await clearml._call("workers.register", {"worker": "lab:alice_queue:gpu0,1", "queues": [queue["id"]]})
    await clearml._call("workers.register", {"worker": "lab:other:gpu7", "queues": []})
    shown = await program.ask("/home")
    assert "lab:alice_queue:gpu0,1 | 0,1 | idle" in shown
    assert "gpu7" not in shown


async def test_home_shows_the_gpus_of_the_machine(program: RunningProgram) -> None:
    card = FakeCard("GPU-0", utilization=0, used=0)
    program.program.process.__dict__["gpu_reader"] = GpuReader(FakeNvml(card))
    assert "card 0: 0 %, 0.0 of" in await program.ask("/home")


async def test_home_of_somebody_new_says_what_he_can_do(program: RunningProgram, sandbox: Sandbox) -> None:
    shown = await program.ask("/home")
    assert "queue: none yet; /queue create makes one" in shown
    assert "You have no runs yet." in shown
    viewer = await program.introduce(sandbox.carol, Role.VIEWER)
    assert "/clone" not in buttons(await viewer.say("/home")).values()


async def test_home_tells_of_a_queue_that_was_deleted_and_of_all_platforms(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with running_program(sandbox, tmp_path) as program:
        await program.ask("/queue create")
        bob = await program.introduce(sandbox.bob, Role.MEMBER)
        queue = sandbox.state.queue_named("alice_queue")
        assert queue
        del sandbox.state.queues[queue["id"]]
        assert "Your queue was deleted" in await program.ask("/home")
        assert "known on: chat" in await bob.ask("/home")
