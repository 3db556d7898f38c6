"""Workers that should run are restarted, whichever process was killed. With the real clearml-agent."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from clearml_chatops.bot.loops import Loop, run_loops
from clearml_chatops.models.errors import AgentFailedError, ClearMLError
from clearml_chatops.models.people import QueueBinding
from clearml_chatops.models.workers import DesiredWorker, WorkerPlan
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.services.workers import agents
from clearml_chatops.services.workers.reconciler import compute_backoff
from clearml_chatops.storage.workers import StartedWorkerStore
from tests.support.agents import (
    find_agent_process,
    is_gone,
    kill,
    list_agents,
    list_registered_workers,
    quick_agents,
    run_foreign_agent,
)
from tests.support.fake_programs import install_fake_agent
from tests.support.polling import wait_until
from tests.support.program import RunningProgram, run_program

_WORKER = "lab:alice_queue:cpu"

with_real_agents = pytest.mark.usefixtures(quick_agents.__name__)


@with_real_agents
async def test_killed_agent_is_restarted(program: RunningProgram) -> None:
    await program.ask("/queue create")
    await program.ask("/worker start gpus=none")
    agent = await find_agent_process(program, _WORKER)
    await kill(agent)

    await program.program.process.reconciler.reconcile()

    assert list(await list_agents(program)) == [_WORKER] == list_registered_workers(program)
    assert (await list_agents(program))[_WORKER] != agent.pid


@with_real_agents
async def test_agent_is_restarted_after_bot_and_agent_were_killed(
    program: RunningProgram, sandbox: Sandbox, tmp_path: Path
) -> None:
    await program.ask("/queue create")
    await program.ask("/worker start gpus=none")
    agent = await find_agent_process(program, _WORKER)
    await kill(agent)
    async with run_program(sandbox, tmp_path / "data") as another:
        async with run_loops(
            [Loop(another.program.process.reconciler.reconcile, timedelta(seconds=0.1), "trouble")],
            asyncio.Event(),
        ):

            async def is_back() -> bool:
                return list(await list_agents(another)) == [_WORKER]

            await wait_until(is_back)
        assert list_registered_workers(another) == [_WORKER]


@with_real_agents
async def test_running_agent_without_a_record_is_adopted(
    program: RunningProgram, sandbox: Sandbox, tmp_path: Path
) -> None:
    await program.ask("/queue create")
    await program.ask("/worker start gpus=none")
    running = (await find_agent_process(program, _WORKER)).pid
    for file in program.program.process.agent_folder.glob(".clearmlagent_*"):
        file.unlink()
    async with run_program(sandbox, tmp_path / "data") as another:
        process = another.program.process
        async with process.database.writing() as session:
            await StartedWorkerStore(session).remove(_WORKER)
        await process.reconciler.reconcile()

        assert await list_agents(another) == {_WORKER: running}
        assert (await find_agent_process(another, _WORKER)).pid == running


@with_real_agents
@pytest.mark.parametrize("worker_id", [_WORKER, "lab:default:cpu", "box7:0"])
async def test_foreign_agent_is_left_alone(program: RunningProgram, tmp_path: Path, worker_id: str) -> None:
    """Whether its id is that of the bot's worker, is built like the bot's ids, or is another one."""
    await program.ask("/queue create")
    async with run_foreign_agent(program, tmp_path / "foreign", worker_id, queue="default") as foreign:
        await wait_until(lambda: list_registered_workers(program))
        for line in ("/worker stop", "/worker drain", "/worker restart gpus=none"):
            assert await program.send_for_error_code(f"{line} queue=default") == "no_worker_for_queue", line
            assert await program.send_for_error_code(f"{line} {worker_id}") == "worker_not_found", line
        await program.ask("/worker start gpus=none")
        await program.ask("/worker restart image=''")
        await program.program.process.reconciler.reconcile()
        await program.ask("/worker stop")
        await program.program.process.reconciler.reconcile()
        assert not is_gone(foreign)
        assert await list_agents(program) == {}


@with_real_agents
async def test_hanging_agent_does_not_block_other_workers(
    program: RunningProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    await program.ask("/queue create")
    await program.ask("/worker start gpus=none")
    await program.ask("/worker start gpus=none queue=default")
    hanging_agent = await find_agent_process(program, _WORKER)
    hanging_agent.suspend()
    monkeypatch.setattr(agents, "_STOP_TIMEOUT_SECONDS", 0.2)
    process = program.program.process
    (worker,) = [item for item in await process.host_workers.list_desired() if item.id == _WORKER]
    await process.host_workers.put(replace(worker, draining=True))
    await kill(await find_agent_process(program, "lab:default:cpu"))
    failed: list[AgentFailedError] = []

    async def is_back() -> bool:
        try:
            await process.reconciler.reconcile()
        except AgentFailedError as error:
            failed.append(error)
        return bool(failed) and "lab:default:cpu" in await list_agents(program)

    await wait_until(is_back)
    assert not is_gone(hanging_agent)


async def test_failing_start_notifies_at_the_third_attempt_and_backs_off(
    program: RunningProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await _add_desired_worker(program)
    calls = tmp_path / "calls"
    install_fake_agent(
        monkeypatch, tmp_path, f"echo x >> {calls}; echo 'clearml_agent: ERROR: no space left'; exit 1"
    )
    process = program.program.process
    began = process.clock() - timedelta(minutes=1)

    attempts: list[int] = []
    for second in range(40):
        await replace(process, clock=_freeze_clock(began + timedelta(seconds=second))).reconciler.reconcile()
        if len(calls.read_text().split()) > len(attempts):
            attempts.append(second)

    assert attempts == [0, 5, 15, 35]
    (notification,) = await program.poll_and_deliver()
    assert "Worker lab:alice_queue:cpu failed 3 times in a row." in notification
    assert "no space left" in notification


async def test_server_outage_does_not_count_as_a_worker_failure(
    program: RunningProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await _add_desired_worker(program)
    install_fake_agent(monkeypatch, tmp_path, "exit 1")
    program.sandbox.faults.reject_credentials("*")
    with pytest.raises(ClearMLError):
        await program.program.process.reconciler.reconcile()
    (worker,) = await program.program.process.host_workers.list_desired()
    assert worker.failures == 0


async def test_idle_cycle_sends_no_request(program: RunningProgram) -> None:
    await program.ask("/queue create")
    program.sandbox.requests.clear()
    await program.program.process.reconciler.reconcile()
    assert program.sandbox.requests.list_endpoints() == []


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (1, 0), (2, 5), (3, 10), (4, 20), (8, 320), (9, 600), (1000, 600)]
)
def test_backoff_grows_up_to_ten_minutes(failures: int, seconds: int) -> None:
    assert compute_backoff(failures) == timedelta(seconds=seconds)


def _freeze_clock(moment: datetime) -> Callable[[], datetime]:
    """Return a clock that always shows this time."""
    return lambda: moment


async def _add_desired_worker(program: RunningProgram) -> None:
    """Store a desired worker without an agent."""
    await program.ask("/queue create")
    person = await program.find_person()
    queue = program.sandbox.state.find_queue("alice_queue")
    assert person is not None
    assert queue is not None
    plan = WorkerPlan((QueueBinding(queue["id"], "alice_queue"),), "none")
    process = program.program.process
    worker = DesiredWorker(_WORKER, "lab", plan, person.id, program.conversation, process.clock())
    await process.host_workers.put(worker)
