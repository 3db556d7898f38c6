"""Real agents in tests: quick, and gone with the test."""

from collections.abc import AsyncIterator

import psutil
import pytest

from clearml_chatops.services.agents import LocalAgents
from clearml_chatops.storage.workers import StartedWorkerStore
from tests.support.experiments import add_script
from tests.support.program import RunningProgram
from tests.support.waiting import until

LONG = "import time\nprint('begun', flush=True)\ntime.sleep(600)\n"


@pytest.fixture
async def quick_agents(monkeypatch: pytest.MonkeyPatch, program: RunningProgram) -> AsyncIterator[None]:
    """Agents that are quick, and that never outlive their test, nor do their runs."""
    monkeypatch.setenv("CLEARML_AGENT_SKIP_PYTHON_ENV_INSTALL", "1")
    monkeypatch.setenv("CLEARML_AGENT_QUEUE_POLL_FREQ_SEC", "1")
    yield
    folder = program.program.process.agent_folder
    await LocalAgents(folder).end_all()
    for process in psutil.process_iter():
        try:
            if process.environ().get("TMPDIR") == str(folder.absolute()):
                process.kill()  # the run of an agent that was killed
        except (psutil.Error, OSError):
            continue


async def begun(program: RunningProgram, name: str = "long", script: str = LONG) -> str:
    """Enqueues a run that goes on and on, and waits until a worker has begun it; gives its id."""
    task = add_script(program.sandbox, name, script)
    await program.ask(f"/enqueue {task}")
    await until(lambda: program.sandbox.state.tasks[task].get("last_worker"))
    return task


async def process_of(program: RunningProgram, worker_id: str) -> psutil.Process:
    """The agent of a worker, by our own record of it."""
    async with program.program.process.database.reading() as session:
        (found,) = [item for item in await StartedWorkerStore(session).list(host="lab") if item.id == worker_id]
    return psutil.Process(found.process_id)


async def agents_of(program: RunningProgram) -> dict[str, int]:
    """The process ids of the agents that run, by worker id."""
    return {id_: item.id for id_, item in (await program.program.process.agents.running()).items()}


def listed(program: RunningProgram) -> list[str]:
    """The workers that the server lists."""
    return sorted(worker.id for worker in program.sandbox.state.workers.values())


def tags_of(program: RunningProgram, queue: str) -> list[str]:
    found = program.sandbox.state.queue_named(queue)
    assert found is not None
    return list(found["tags"])
