"""The two ways in which teams use workers, and two people on the same cards. With the real clearml-agent."""

import pytest

from clearml_chatops.models.people import Role
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from tests.support.agents import agents_of, listed, quick_agents
from tests.support.experiments import add_script
from tests.support.nvml import FakeCard, put_in
from tests.support.program import RunningProgram, buttons
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures(quick_agents.__name__)


async def test_one_worker_has_all_cards_and_the_experiment_chooses_among_them(
    program: RunningProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEARML_WEB_HOST", program.sandbox.url)  # without one the SDK ends the run
    add_demo_experiments(program.sandbox.state, alice=program.sandbox.alice, bob=program.sandbox.bob)
    put_in(program, *(FakeCard(f"GPU-{number}", used=0) for number in range(3)))
    await program.ask("/queue create")
    assert "lab:alice_queue:gpuall listens" in await program.ask("/worker start gpus=all")

    await program.ask("/clone baseline on two cards")
    await program.ask("/set args.gpus 1,2")
    await program.ask("/enqueue")
    (task,) = [task for task in program.sandbox.state.tasks.values() if task["name"] == "on two cards"]
    await until(lambda: task["status"] == "completed")

    assert task["last_worker"] == "lab:alice_queue:gpuall"
    assert "gpus=1,2" in await program.ask("/log")


async def test_two_people_have_a_worker_each_for_the_same_cards(program: RunningProgram) -> None:
    put_in(program, FakeCard("GPU-0"), FakeCard("GPU-1"))
    bob = await program.introduce(program.sandbox.bob, Role.MEMBER)
    await program.ask("/queue create")
    await bob.ask("/queue create")
    await program.ask("/worker start gpus=0,1")
    await bob.ask(buttons(await bob.say("/worker start gpus=1,0"))["Share cards 0,1"])
    workers = ["lab:alice_queue:gpu0,1", "lab:bob_queue:gpu0,1"]
    assert sorted(await agents_of(program)) == workers == listed(program)

    task = add_script(program.sandbox, "of alice", "print('done')")
    await program.ask(f"/enqueue {task}")
    await until(lambda: program.sandbox.state.tasks[task]["status"] == "completed")
    assert program.sandbox.state.tasks[task]["last_worker"] == "lab:alice_queue:gpu0,1"

    of_bob = (await agents_of(program))["lab:bob_queue:gpu0,1"]
    assert "Stopped lab:alice_queue:gpu0,1." in await program.ask("/worker stop")
    assert await agents_of(program) == {"lab:bob_queue:gpu0,1": of_bob}
    assert listed(program) == ["lab:bob_queue:gpu0,1"]
