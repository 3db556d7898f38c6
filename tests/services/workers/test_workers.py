"""Workers: the real clearml-agent, started and stopped by the bot, against the sandbox."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import aiohttp
import psutil
import pytest

from clearml_chatops.models.people import QueueBinding
from clearml_chatops.models.workers import WorkerPlan
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.services.workers.worker_ids import worker_id_for
from clearml_chatops.storage.workers import StartedWorkerStore
from tests.sandbox.support import Client
from tests.support.agents import quick_agents, run_process_of
from tests.support.experiments import add_script
from tests.support.nvml import FakeCard, put_in
from tests.support.program import RunningProgram
from tests.support.stand_ins import stand_in_agent
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures(quick_agents.__name__)


async def test_a_worker_is_started_listed_and_stopped_by_its_own_id(program: RunningProgram) -> None:
    await program.ask("/queue create")
    await program.ask("/queue create other_queue")

    assert "lab:alice_queue:cpu listens on alice_queue" in await program.ask("/worker start gpus=none")
    await program.ask("/worker start gpus=none queue=other_queue")
    assert {"lab:alice_queue:cpu", "lab:other_queue:cpu"} == set(_workers_of(program.sandbox))
    assert await program.error_code("/worker start gpus=none") == "worker_exists"

    assert "Stopped lab:alice_queue:cpu" in await program.ask("/worker stop")
    assert _workers_of(program.sandbox) == ["lab:other_queue:cpu"]
    assert await program.error_code("/worker stop") == "no_worker"


async def test_a_worker_is_known_by_its_process_even_when_its_own_files_are_gone(program: RunningProgram) -> None:
    await program.ask("/queue create")
    put_in(program, FakeCard("GPU-0"), FakeCard("GPU-1"))
    await program.ask("/worker start gpus=1,0")
    async with program.program.process.database.reading() as session:
        (worker,) = await StartedWorkerStore(session).list(host="lab")
    process = psutil.Process(worker.process_id)
    assert worker.id == "lab:alice_queue:gpu0,1"
    for file in program.program.process.agent_folder.glob(".clearmlagent_*"):
        file.unlink()

    await program.ask("/worker stop")

    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("is_reaped", [False, True])
async def test_the_file_of_a_dead_agent_deceives_nobody(program: RunningProgram, *, is_reaped: bool) -> None:
    """Nobody has reaped it yet, or its number was given to another process: here to this one."""
    await program.ask("/queue create")
    folder = program.program.process.agent_folder
    folder.mkdir(parents=True, exist_ok=True)
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:  # noqa: ASYNC220  # it must not be reaped
        await until(lambda: psutil.Process(dead.pid).status() == psutil.STATUS_ZOMBIE)
        number = os.getpid() if is_reaped else dead.pid
        (folder / f".clearmlagent_{number}_left.tmp").write_text("lab:alice_queue:cpu\n0")
        assert "listens on alice_queue" in await program.ask("/worker start gpus=none")


async def test_what_a_worker_runs_is_told_from_pending_to_its_end(program: RunningProgram) -> None:
    await program.ask("/queue create")
    await program.ask("/worker start gpus=none")
    script = "print('step 1', flush=True)\nraise SystemExit('no more data')\n"
    task = add_script(program.sandbox, "fails", script)

    await program.ask(f"/enqueue {task}")
    heard = await _heard_until(program, "has Failed")

    assert "has left Pending" in heard[0]
    assert "picked up by lab:alice_queue:cpu" in heard[0]
    assert "no more data" in heard[-1]


async def test_a_run_is_aborted_in_its_middle(program: RunningProgram) -> None:
    await program.ask("/queue create")
    await program.ask("/worker start gpus=none")
    task = add_script(program.sandbox, "long", "import time\nprint('begun', flush=True)\ntime.sleep(600)\n")
    await program.ask(f"/enqueue {task}")
    await until(lambda: program.sandbox.state.tasks[task].get("last_worker"))
    agents = program.program.process.agents
    (agent,) = (await agents.running()).values()
    # Its code takes the place of the process that the agent has started to execute it.
    await run_process_of(program, "lab:alice_queue:cpu")
    assert await agents.is_executing(agent)

    await program.ask(f"/abort {task} --yes")

    await until(lambda: program.sandbox.state.tasks[task]["status"] == "stopped")
    told = await program.listen()
    assert not [line for line in told if "was Aborted" in line], "he knows what he did himself"

    async def is_idle() -> bool:
        return not await agents.is_executing(agent)

    await until(is_idle)


async def test_a_worker_has_started_when_the_server_lists_the_new_one_and_not_the_killed_one(
    program: RunningProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await program.ask("/queue create")
    queue = program.sandbox.state.queue_named("alice_queue")
    assert queue is not None
    silent = f"{sys.executable} -c 'import time; time.sleep(600)' --detached"
    stand_in_agent(monkeypatch, tmp_path, f'setsid sh -c "{silent} &" > {tmp_path}/said 2>&1')
    async with aiohttp.ClientSession() as session:
        agent = Client(program.sandbox, session, program.sandbox.alice)
        await agent.data("workers.register", worker="lab:alice_queue:cpu", queues=[queue["id"]])
        program.sandbox.requests.clear()
        started = asyncio.create_task(program.ask("/worker start gpus=none"))
        # Once before the start, and more than once since.
        await until(lambda: started.done() or len(program.sandbox.requests.named("workers.get_all")) > 4)
        assert not started.done()
        await agent.data("workers.register", worker="lab:alice_queue:cpu", queues=[queue["id"]])
        assert "listens on alice_queue" in await started


async def test_the_agent_gets_its_credentials_by_the_environment_and_nothing_else_that_is_secret(
    program: RunningProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-of-the-bot")
    record = tmp_path / "record"
    stand_in_agent(monkeypatch, tmp_path, f'echo "$@" > {record}; env >> {record}; exit 1')
    await program.ask("/queue create")

    await program.error_code("/worker start gpus=none image=python:3.12")

    command, *environment = record.read_text().splitlines()
    secret = program.sandbox.alice.secret_key
    assert command.endswith("--detached --cpu-only --docker python:3.12")
    assert secret not in command
    assert f"CLEARML_API_SECRET_KEY={secret}" in environment
    assert "CLEARML_WORKER_ID=lab:alice_queue:cpu" in environment
    assert not [line for line in environment if "xoxb" in line]


async def test_the_agents_own_words_tell_why_it_did_not_start(
    program: RunningProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stand_in_agent(monkeypatch, tmp_path, "echo 'clearml_agent: ERROR: no space left'; exit 1")
    await program.ask("/queue create")

    reply = await program.say("/worker start gpus=none")

    assert "clearml-agent on lab said: no space left" in str(reply)
    assert await program.error_code("/worker stop") == "no_worker"


@pytest.mark.parametrize(
    ("queue", "gpus", "worker_id"),
    [
        ("alice_queue", "none", "lab:alice_queue:cpu"),
        ("alice_queue", "0,1", "lab:alice_queue:gpu0,1"),
        ("alice_queue", "all", "lab:alice_queue:gpuall"),
        ("big gpus: new", "0", "lab:big_gpus_new:gpu0"),
    ],
)
def test_a_worker_id_names_host_queue_and_cards(queue: str, gpus: str, worker_id: str) -> None:
    assert worker_id_for("lab", WorkerPlan((QueueBinding("q", queue),), gpus)) == worker_id


def _workers_of(sandbox: Sandbox) -> list[str]:
    return sorted(worker.id for worker in sandbox.state.workers.values())


async def _heard_until(program: RunningProgram, end: str) -> list[str]:
    """What Alice's terminal is told, up to the notification that holds `end`."""
    heard: list[str] = []

    async def listened() -> bool:
        heard.extend(await program.listen())
        return any(end in text for text in heard)

    await until(listened)
    return heard
