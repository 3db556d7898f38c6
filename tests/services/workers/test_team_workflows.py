"""How teams use workers: one worker with all GPUs, or one per person. With the real clearml-agent."""

import pytest

from clearml_chatops.models.people import Role
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from tests.support.agents import list_agents, list_registered_workers, quick_agents
from tests.support.experiments import add_script
from tests.support.nvml import FakeGpu, install_gpus
from tests.support.polling import wait_until
from tests.support.program import RunningProgram, get_buttons

pytestmark = pytest.mark.usefixtures(quick_agents.__name__)


async def test_experiment_selects_among_all_gpus_of_one_worker(
    program: RunningProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEARML_WEB_HOST", program.sandbox.url)  # without one the SDK ends the run
    add_demo_experiments(program.sandbox.state, alice=program.sandbox.alice, bob=program.sandbox.bob)
    install_gpus(program, *(FakeGpu(f"GPU-{number}", used=0) for number in range(3)))
    await program.ask("/queue create")
    assert "lab:alice_queue:gpuall listens" in await program.ask("/worker start gpus=all")

    await program.ask("/clone baseline on two GPUs")
    await program.ask("/set args.gpus 1,2")
    await program.ask("/enqueue")
    (task,) = [task for task in program.sandbox.state.tasks.values() if task["name"] == "on two GPUs"]
    await wait_until(lambda: task["status"] == "completed")

    assert task["last_worker"] == "lab:alice_queue:gpuall"
    assert "gpus=1,2" in await program.ask("/log")


async def test_two_people_share_the_same_gpus(program: RunningProgram) -> None:
    install_gpus(program, FakeGpu("GPU-0"), FakeGpu("GPU-1"))
    bob = await program.add_person(program.sandbox.bob, Role.MEMBER)
    await program.ask("/queue create")
    await bob.ask("/queue create")
    await program.ask("/worker start gpus=0,1")
    await bob.ask(get_buttons(await bob.send("/worker start gpus=1,0"))["Share GPUs 0 and 1"])
    workers = ["lab:alice_queue:gpu0,1", "lab:bob_queue:gpu0,1"]
    assert sorted(await list_agents(program)) == workers == list_registered_workers(program)

    task = add_script(program.sandbox, "of alice", "print('done')")
    await program.ask(f"/enqueue {task}")
    await wait_until(lambda: program.sandbox.state.tasks[task]["status"] == "completed")
    assert program.sandbox.state.tasks[task]["last_worker"] == "lab:alice_queue:gpu0,1"

    bob_agent_id = (await list_agents(program))["lab:bob_queue:gpu0,1"]
    assert "Stopped lab:alice_queue:gpu0,1." in await program.ask("/worker stop")
    assert await list_agents(program) == {"lab:bob_queue:gpu0,1": bob_agent_id}
    assert list_registered_workers(program) == ["lab:bob_queue:gpu0,1"]
