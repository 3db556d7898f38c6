"""What should run is made to run again, whatever was killed. With the real clearml-agent."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from clearml_chatops.bot.loops import Loop, looping
from clearml_chatops.models.errors import AgentFailedError, ClearMLError
from clearml_chatops.models.people import QueueBinding
from clearml_chatops.models.workers import WantedWorker, WorkerPlan
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.services.workers import agents
from clearml_chatops.services.workers.reconciling import pause_before
from clearml_chatops.storage.workers import StartedWorkerStore
from tests.support.agents import agents_of, foreign_agent, is_gone, killed, listed, process_of, quick_agents
from tests.support.program import RunningProgram, running_program
from tests.support.stand_ins import stand_in_agent
from tests.support.waiting import until

_WORKER = "lab:alice_queue:cpu"

real_agents = pytest.mark.usefixtures(quick_agents.__name__)


@real_agents
async def test_a_killed_agent_is_back(program: RunningProgram) -> None:
    await program.ask("/queue create")
    await program.ask("/worker start gpus=none")
    agent = await process_of(program, _WORKER)
    await killed(agent)

    await program.program.process.reconciler.reconcile()

    assert list(await agents_of(program)) == [_WORKER] == listed(program)
    assert (await agents_of(program))[_WORKER] != agent.pid


@real_agents
async def test_what_ran_is_back_when_bot_and_agent_were_killed(
    program: RunningProgram, sandbox: Sandbox, tmp_path: Path
) -> None:
    await program.ask("/queue create")
    await program.ask("/worker start gpus=none")
    agent = await process_of(program, _WORKER)
    await killed(agent)
    async with running_program(sandbox, tmp_path / "data") as another:
        async with looping(
            [Loop(another.program.process.reconciler.reconcile, timedelta(seconds=0.1), "trouble")],
            asyncio.Event(),
        ):

            async def is_back() -> bool:
                return list(await agents_of(another)) == [_WORKER]

            await until(is_back)
        assert listed(another) == [_WORKER]


@real_agents
async def test_what_runs_is_adopted_by_a_bot_that_lost_its_record(
    program: RunningProgram, sandbox: Sandbox, tmp_path: Path
) -> None:
    await program.ask("/queue create")
    await program.ask("/worker start gpus=none")
    running = (await process_of(program, _WORKER)).pid
    for file in program.program.process.agent_folder.glob(".clearmlagent_*"):
        file.unlink()
    async with running_program(sandbox, tmp_path / "data") as another:
        process = another.program.process
        async with process.database.writing() as session:
            await StartedWorkerStore(session).remove(_WORKER)
        await process.reconciler.reconcile()

        assert await agents_of(another) == {_WORKER: running}
        assert (await process_of(another, _WORKER)).pid == running


@real_agents
@pytest.mark.parametrize("worker_id", [_WORKER, "lab:default:cpu", "box7:0"])
async def test_a_foreign_agent_is_never_touched(program: RunningProgram, tmp_path: Path, worker_id: str) -> None:
    """Neither one that has our worker's id, nor one whose id is made like ours, nor any other."""
    await program.ask("/queue create")
    async with foreign_agent(program, tmp_path / "foreign", worker_id, queue="default") as foreign:
        await until(lambda: listed(program))
        for line in ("/worker stop", "/worker drain", "/worker restart gpus=none"):
            assert await program.error_code(f"{line} queue=default") == "no_worker", line
            assert await program.error_code(f"{line} {worker_id}") == "worker_not_found", line
        await program.ask("/worker start gpus=none")
        await program.ask("/worker restart image=''")
        await program.program.process.reconciler.reconcile()
        await program.ask("/worker stop")
        await program.program.process.reconciler.reconcile()
        assert not is_gone(foreign)
        assert await agents_of(program) == {}


@real_agents
async def test_an_agent_that_does_not_end_holds_up_no_other_worker(
    program: RunningProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    await program.ask("/queue create")
    await program.ask("/worker start gpus=none")
    await program.ask("/worker start gpus=none queue=default")
    wedged = await process_of(program, _WORKER)
    wedged.suspend()
    monkeypatch.setattr(agents, "_STOPPING_SECONDS", 0.2)
    process = program.program.process
    (worker,) = [item for item in await process.host_workers.wanted() if item.id == _WORKER]
    await process.host_workers.put(replace(worker, draining=True))
    await killed(await process_of(program, "lab:default:cpu"))
    failed: list[AgentFailedError] = []

    async def is_back() -> bool:
        try:
            await process.reconciler.reconcile()
        except AgentFailedError as error:
            failed.append(error)
        return bool(failed) and "lab:default:cpu" in await agents_of(program)

    await until(is_back)
    assert not is_gone(wedged)


async def test_a_worker_that_cannot_be_started_is_told_of_the_third_time_and_tried_less_and_less(
    program: RunningProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await _wanted(program)
    calls = tmp_path / "calls"
    stand_in_agent(monkeypatch, tmp_path, f"echo x >> {calls}; echo 'clearml_agent: ERROR: no space left'; exit 1")
    process = program.program.process
    began = process.clock() - timedelta(minutes=1)

    tried: list[int] = []
    for second in range(40):
        await replace(process, clock=_stopped_at(began + timedelta(seconds=second))).reconciler.reconcile()
        if len(calls.read_text().split()) > len(tried):
            tried.append(second)

    assert tried == [0, 5, 15, 35]
    (told,) = await program.listen()
    assert "The worker lab:alice_queue:cpu had to be started 3 times." in told
    assert "no space left" in told


async def test_a_server_that_is_down_is_no_failure_of_the_worker(
    program: RunningProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await _wanted(program)
    stand_in_agent(monkeypatch, tmp_path, "exit 1")
    program.sandbox.faults.refuse("*")
    with pytest.raises(ClearMLError):
        await program.program.process.reconciler.reconcile()
    (worker,) = await program.program.process.host_workers.wanted()
    assert worker.failures == 0


async def test_nothing_to_do_costs_no_request(program: RunningProgram) -> None:
    await program.ask("/queue create")
    program.sandbox.requests.clear()
    await program.program.process.reconciler.reconcile()
    assert program.sandbox.requests.names() == []


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (1, 0), (2, 5), (3, 10), (4, 20), (8, 320), (9, 600), (1000, 600)]
)
def test_the_pauses_grow_up_to_ten_minutes(failures: int, seconds: int) -> None:
    assert pause_before(failures) == timedelta(seconds=seconds)


def _stopped_at(moment: datetime) -> Callable[[], datetime]:
    """A clock that stands still."""
    return lambda: moment


async def _wanted(program: RunningProgram) -> None:
    """A worker that should run and does not."""
    await program.ask("/queue create")
    person = await program.person()
    queue = program.sandbox.state.queue_named("alice_queue")
    assert person is not None
    assert queue is not None
    plan = WorkerPlan((QueueBinding(queue["id"], "alice_queue"),), "none")
    process = program.program.process
    wanted = WantedWorker(_WORKER, "lab", plan, person.id, program.conversation, process.clock())
    await process.host_workers.put(wanted)
