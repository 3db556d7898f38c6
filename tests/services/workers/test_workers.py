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
from clearml_chatops.services.workers.worker_ids import build_worker_id
from clearml_chatops.storage.workers import StartedWorkerStore
from tests.sandbox.support import Client
from tests.support.agents import quick_agents, wait_for_run_process
from tests.support.experiments import add_script
from tests.support.fake_programs import install_fake_agent
from tests.support.nvml import FakeGpu, install_gpus
from tests.support.polling import wait_until
from tests.support.program import RunningProgram

pytestmark = pytest.mark.usefixtures(quick_agents.__name__)


async def test_worker_is_started_listed_and_stopped(program: RunningProgram) -> None:
    await program.ask("/queue create")
    await program.ask("/queue create other_queue")

    assert "lab:alice_queue:cpu listens on alice_queue" in await program.ask("/worker start gpus=none")
    await program.ask("/worker start gpus=none queue=other_queue")
    assert {"lab:alice_queue:cpu", "lab:other_queue:cpu"} == set(_list_registered_workers(program.sandbox))
    assert await program.send_for_error_code("/worker start gpus=none") == "worker_exists"

    assert "Stopped lab:alice_queue:cpu" in await program.ask("/worker stop")
    assert _list_registered_workers(program.sandbox) == ["lab:other_queue:cpu"]
    assert await program.send_for_error_code("/worker stop") == "no_worker_for_queue"


async def test_worker_without_its_files_can_be_stopped(program: RunningProgram) -> None:
    await program.ask("/queue create")
    install_gpus(program, FakeGpu("GPU-0"), FakeGpu("GPU-1"))
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
async def test_stale_agent_file_does_not_prevent_a_start(program: RunningProgram, *, is_reaped: bool) -> None:
    """The old process is a zombie, or its id was reused by another process: here by this one."""
    await program.ask("/queue create")
    folder = program.program.process.agent_folder
    folder.mkdir(parents=True, exist_ok=True)
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:  # noqa: ASYNC220  # it must not be reaped
        await wait_until(lambda: psutil.Process(dead.pid).status() == psutil.STATUS_ZOMBIE)
        process_id = os.getpid() if is_reaped else dead.pid
        (folder / f".clearmlagent_{process_id}_left.tmp").write_text("lab:alice_queue:cpu\n0")
        assert "listens on alice_queue" in await program.ask("/worker start gpus=none")


async def test_run_is_announced_from_pending_to_its_end(program: RunningProgram) -> None:
    await program.ask("/queue create")
    await program.ask("/worker start gpus=none")
    script = "print('step 1', flush=True)\nraise SystemExit('no more data')\n"
    task = add_script(program.sandbox, "fails", script)

    await program.ask(f"/enqueue {task}")
    notifications = await _listen_until(program, "“fails” failed")

    assert "“fails” started on lab:alice_queue:cpu." in notifications[0]
    assert "no more data" in notifications[-1]


async def test_running_experiment_is_aborted(program: RunningProgram) -> None:
    await program.ask("/queue create")
    await program.ask("/worker start gpus=none")
    task = add_script(program.sandbox, "long", "import time\nprint('begun', flush=True)\ntime.sleep(600)\n")
    await program.ask(f"/enqueue {task}")
    await wait_until(lambda: program.sandbox.state.tasks[task].get("last_worker"))
    agents = program.program.process.agents
    (agent,) = (await agents.list_running()).values()
    # The experiment's code replaces the process that the agent started to execute it.
    await wait_for_run_process(program, "lab:alice_queue:cpu")
    assert await agents.is_executing(agent)

    await program.ask(f"/abort {task} --yes")

    await wait_until(lambda: program.sandbox.state.tasks[task]["status"] == "stopped")
    notifications = await program.poll_and_deliver()
    assert not [line for line in notifications if "was aborted" in line], "own actions are not notified"

    async def is_idle() -> bool:
        return not await agents.is_executing(agent)

    await wait_until(is_idle)


async def test_start_waits_for_a_new_registration(
    program: RunningProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await program.ask("/queue create")
    queue = program.sandbox.state.find_queue("alice_queue")
    assert queue is not None
    idle_command = f"{sys.executable} -c 'import time; time.sleep(600)' --detached"
    install_fake_agent(monkeypatch, tmp_path, f'setsid sh -c "{idle_command} &" > {tmp_path}/output 2>&1')
    async with aiohttp.ClientSession() as session:
        agent = Client(program.sandbox, session, program.sandbox.alice)
        await agent.call_for_data("workers.register", worker="lab:alice_queue:cpu", queues=[queue["id"]])
        program.sandbox.requests.clear()
        started = asyncio.create_task(program.ask("/worker start gpus=none"))
        # Listed once before the start, and more than once afterwards.
        await wait_until(
            lambda: started.done() or len(program.sandbox.requests.find_by_endpoint("workers.get_all")) > 4
        )
        assert not started.done()
        await agent.call_for_data("workers.register", worker="lab:alice_queue:cpu", queues=[queue["id"]])
        assert "listens on alice_queue" in await started


async def test_agent_gets_only_its_own_credentials(
    program: RunningProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-of-the-bot")
    record = tmp_path / "record"
    install_fake_agent(monkeypatch, tmp_path, f'echo "$@" > {record}; env >> {record}; exit 1')
    await program.ask("/queue create")

    await program.send_for_error_code("/worker start gpus=none image=python:3.12")

    command, *environment = record.read_text().splitlines()
    secret = program.sandbox.alice.secret_key
    assert command.endswith("--detached --cpu-only --docker python:3.12")
    assert secret not in command
    assert f"CLEARML_API_SECRET_KEY={secret}" in environment
    assert "CLEARML_WORKER_ID=lab:alice_queue:cpu" in environment
    assert not [line for line in environment if "xoxb" in line]


async def test_failed_start_quotes_the_agent(
    program: RunningProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install_fake_agent(monkeypatch, tmp_path, "echo 'clearml_agent: ERROR: no space left'; exit 1")
    await program.ask("/queue create")

    reply = await program.send("/worker start gpus=none")

    assert "clearml-agent failed on lab: no space left" in str(reply)
    assert await program.send_for_error_code("/worker stop") == "no_worker_for_queue"


@pytest.mark.parametrize(
    ("queue", "gpus", "worker_id"),
    [
        ("alice_queue", "none", "lab:alice_queue:cpu"),
        ("alice_queue", "0,1", "lab:alice_queue:gpu0,1"),
        ("alice_queue", "all", "lab:alice_queue:gpuall"),
        ("big gpus: new", "0", "lab:big_gpus_new:gpu0"),
    ],
)
def test_worker_id_contains_host_queue_and_gpus(queue: str, gpus: str, worker_id: str) -> None:
    assert build_worker_id("lab", WorkerPlan((QueueBinding("q", queue),), gpus)) == worker_id


def _list_registered_workers(sandbox: Sandbox) -> list[str]:
    return sorted(worker.id for worker in sandbox.state.workers.values())


async def _listen_until(program: RunningProgram, expected_text: str) -> list[str]:
    """Return Alice's notifications, up to the one that contains `expected_text`."""
    notifications: list[str] = []

    async def has_expected_text() -> bool:
        notifications.extend(await program.poll_and_deliver())
        return any(expected_text in text for text in notifications)

    await wait_until(has_expected_text)
    return notifications
