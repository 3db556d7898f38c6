"""Real agents for tests, which are quick and end with the test."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from clearml_chatops.storage.workers import StartedWorkerStore
from tests.support.experiments import add_script
from tests.support.polling import wait_until
from tests.support.program import RunningProgram

LONG_SCRIPT = "import time\nprint('begun', flush=True)\ntime.sleep(600)\n"


@pytest.fixture
def quick_agents(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Make agents quick, and kill them and their runs after the test."""
    monkeypatch.setenv("CLEARML_AGENT_SKIP_PYTHON_ENV_INSTALL", "1")
    monkeypatch.setenv("CLEARML_AGENT_QUEUE_POLL_FREQ_SEC", "1")
    yield
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):  # another user's process, or it has ended
            if Path(process.environ().get("TMPDIR", "/")).is_relative_to(tmp_path):
                process.kill()


WAIT_FOR_FILE_SCRIPT = """
import pathlib, time
while not pathlib.Path({file!r}).exists():
    time.sleep(0.1)
"""
"""A run that ends when the file exists."""


async def start_run(program: RunningProgram, name: str = "long", script: str = LONG_SCRIPT) -> str:
    """Enqueue a long run and wait until a worker has started it. Return its id."""
    task = add_script(program.sandbox, name, script)
    await program.ask(f"/enqueue {task}")
    await wait_until(lambda: program.sandbox.state.tasks[task].get("last_worker"))
    return task


async def find_agent_process(program: RunningProgram, worker_id: str) -> psutil.Process:
    """Return the agent process of a worker, as the bot recorded it."""
    async with program.program.process.database.reading() as session:
        (found,) = [item for item in await StartedWorkerStore(session).list(host="lab") if item.id == worker_id]
    return psutil.Process(found.process_id)


@asynccontextmanager
async def run_foreign_agent(
    program: RunningProgram, folder: Path, worker_id: str, *, queue: str
) -> AsyncIterator[psutil.Process]:
    """Run an agent that somebody started manually on the same machine."""
    user = program.sandbox.alice
    environment = {
        **os.environ,
        "TMPDIR": str(folder),
        "CLEARML_WORKER_ID": worker_id,
        "CLEARML_API_HOST": program.sandbox.url,
        "CLEARML_API_ACCESS_KEY": user.access_key,
        "CLEARML_API_SECRET_KEY": user.secret_key,
    }
    folder.mkdir()
    program_file = str(Path(sys.executable).with_name("clearml-agent"))
    agent = await asyncio.create_subprocess_exec(
        *(program_file, "daemon", "--queue", queue, "--cpu-only", "--foreground"),
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield psutil.Process(agent.pid)
    finally:
        agent.terminate()
        await agent.wait()


async def list_agents(program: RunningProgram) -> dict[str, int]:
    """Return the process ids of the running agents, by worker id."""
    return {id_: item.id for id_, item in (await program.program.process.agents.list_running()).items()}


async def wait_for_run_process(program: RunningProgram, worker_id: str) -> psutil.Process:
    """Return the process of a worker's run, once its agent has started it."""
    agent = await find_agent_process(program, worker_id)
    await wait_until(lambda: find_run_processes(agent))
    (run,) = find_run_processes(agent)
    return run


def find_run_processes(agent: psutil.Process) -> list[psutil.Process]:
    """Return the processes of the runs of an agent."""
    found = []
    for child in agent.children():
        with contextlib.suppress(psutil.Error):  # it has ended
            if child.cmdline()[-1:] == ["script.py"]:
                found.append(child)
    return found


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


async def kill(process: psutil.Process) -> None:
    """Kill a process without warning."""
    process.kill()
    await wait_until(lambda: is_gone(process))


def list_agent_processes(program: RunningProgram) -> list[psutil.Process]:
    """Return all processes of this program's agents: agents, runs and leftovers."""
    folder = str(program.program.process.agent_folder.absolute())
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):  # another user's process, or it has ended
            if process.environ().get("TMPDIR") == folder and not is_gone(process):
                found.append(process)
    return found


def list_registered_workers(program: RunningProgram) -> list[str]:
    """Return the ids of the workers that the server lists."""
    return sorted(worker.id for worker in program.sandbox.state.workers.values())


def get_queue_tags(program: RunningProgram, queue: str) -> list[str]:
    found = program.sandbox.state.find_queue(queue)
    assert found is not None
    return list(found["tags"])
