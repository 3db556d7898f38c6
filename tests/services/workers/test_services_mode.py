"""Services mode: one worker runs many experiments, and ClearML lists each as a worker. With the real agent."""

from pathlib import Path

import psutil
import pytest

from clearml_chatops.models.replies import Outcome
from clearml_chatops.services.workers.process_owners import find_executed_experiment_id
from tests.support.agents import (
    WAIT_FOR_FILE_SCRIPT,
    get_queue_tags,
    list_agents,
    list_registered_workers,
    quick_agents,
)
from tests.support.experiments import add_script
from tests.support.polling import wait_until
from tests.support.program import RunningProgram, get_buttons, to_plain_text

pytestmark = pytest.mark.usefixtures(quick_agents.__name__)

_ID = "lab:alice_queue:services"


async def _start_runs(program: RunningProgram, *names: str, release_file: Path) -> list[str]:
    """Start runs that last until the file exists; wait until the worker itself is listed as idle."""
    await program.ask("/queue create")
    assert f"{_ID} listens on alice_queue" in await program.ask("/worker start services")
    tasks = [
        add_script(program.sandbox, name, WAIT_FOR_FILE_SCRIPT.format(file=str(release_file))) for name in names
    ]
    for task in tasks:
        await program.ask(f"/enqueue {task}")
    await wait_until(
        lambda: {*list_registered_workers(program)} == {_ID, *(f"{_ID}:service:{task}" for task in tasks)}
    )
    state = program.sandbox.state
    await wait_until(lambda: not any(item.task for item in state.workers.values() if item.id == _ID))
    return tasks


def _get_statuses(program: RunningProgram, tasks: list[str]) -> list[str]:
    return [program.sandbox.state.tasks[task]["status"] for task in tasks]


async def test_runs_are_listed_and_stop_asks_first(program: RunningProgram, tmp_path: Path) -> None:
    release_file = tmp_path / "release"
    tasks = await _start_runs(program, "one", "two", release_file=release_file)
    agent_id = (await list_agents(program))[_ID]
    child_processes = psutil.Process(agent_id).children(recursive=True)
    assert {find_executed_experiment_id(child) for child in child_processes} - {""} == set(tasks)
    await program.program.process.reconciler.reconcile()

    workers = await program.ask("/worker list")
    assert "1 worker" in workers
    assert ":service:" not in workers
    assert "Running “one” (Alice Adams, " in workers
    assert " and “two” (Alice Adams, " in workers

    for line in ("/worker stop", "/worker restart"):
        question = await program.send(line)
        assert question.outcome is Outcome.ASKED, to_plain_text(question)
        assert f"{_ID}? It's running “one” (Alice Adams, " in to_plain_text(question)
        assert list(get_buttons(question)) == [
            "Wait until they end",
            "Abort and requeue",
            "Abort runs",
        ]
    assert _get_statuses(program, tasks) == ["in_progress", "in_progress"]

    drained = await program.ask("/worker drain")
    assert f"{_ID} stops after “one” (Alice Adams, " in drained
    assert "takes nothing new until then" in drained
    await program.program.process.reconciler.reconcile()
    assert _get_statuses(program, tasks) == ["in_progress", "in_progress"]
    assert await list_agents(program) == {_ID: agent_id}

    release_file.touch()

    async def is_stopped() -> bool:
        await program.program.process.reconciler.reconcile()
        return await list_agents(program) == {}

    await wait_until(is_stopped)
    assert _get_statuses(program, tasks) == ["completed", "completed"]
    assert get_queue_tags(program, "alice_queue") == []
    assert any(f"Worker {_ID} finished its work and stopped." in text for text in await program.poll_and_deliver())


async def test_stop_aborts_all_runs(program: RunningProgram, tmp_path: Path) -> None:
    tasks = await _start_runs(program, "one", "two", release_file=tmp_path / "never")
    program.sandbox.requests.clear()

    reply = await program.ask("/worker stop run=abort")

    assert f"Stopped {_ID}." in reply
    assert "“one” was aborted." in reply
    assert "“two” was aborted." in reply
    assert _get_statuses(program, tasks) == ["stopped", "stopped"]
    stops = program.sandbox.requests.find_by_endpoint("tasks.stop")
    assert {item.body["status_reason"] for item in stops} == {"Aborted by alice"}
    assert (await list_agents(program), get_queue_tags(program, "alice_queue")) == ({}, [])


async def test_stop_requeues_runs_in_order(program: RunningProgram, tmp_path: Path) -> None:
    tasks = await _start_runs(program, "one", "two", release_file=tmp_path / "never")
    assert f"Stopped {_ID}." in await program.ask("/worker stop run=requeue")
    queue = program.sandbox.state.find_queue("alice_queue")
    assert queue is not None
    assert [entry["task"] for entry in queue["entries"]] == tasks
    assert await list_agents(program) == {}


async def test_completed_run_does_not_block_a_stop(program: RunningProgram, tmp_path: Path) -> None:
    release_file = tmp_path / "release"
    tasks = await _start_runs(program, "one", release_file=release_file)
    release_file.touch()
    await wait_until(lambda: _get_statuses(program, tasks) == ["completed"])
    assert f"Stopped {_ID}." in await program.ask("/worker stop")
