"""A worker in services mode runs many at once, each of which ClearML lists as a worker. With the real agent."""

from pathlib import Path

import psutil
import pytest

from clearml_chatops.models.replies import Outcome
from clearml_chatops.services.workers.gpu_owners import executed_experiment
from tests.support.agents import UNTIL_TOLD, agents_of, listed, quick_agents, tags_of
from tests.support.experiments import add_script
from tests.support.program import RunningProgram, buttons, plain_text
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures(quick_agents.__name__)

_ID = "lab:alice_queue:services"


async def _begun(program: RunningProgram, *names: str, until_there_is: Path) -> list[str]:
    """Runs on a new worker, which go on until there is a file. Given when the worker itself is listed as idle."""
    await program.ask("/queue create")
    assert f"{_ID} listens on alice_queue" in await program.ask("/worker start services")
    tasks = [add_script(program.sandbox, name, UNTIL_TOLD.format(file=str(until_there_is))) for name in names]
    for task in tasks:
        await program.ask(f"/enqueue {task}")
    await until(lambda: {*listed(program)} == {_ID, *(f"{_ID}:service:{task}" for task in tasks)})
    state = program.sandbox.state
    await until(lambda: not any(item.task for item in state.workers.values() if item.id == _ID))
    return tasks


def _statuses(program: RunningProgram, tasks: list[str]) -> list[str]:
    return [program.sandbox.state.tasks[task]["status"] for task in tasks]


async def test_its_runs_are_shown_and_no_stop_ends_them_unasked(program: RunningProgram, tmp_path: Path) -> None:
    told = tmp_path / "told"
    tasks = await _begun(program, "one", "two", until_there_is=told)
    number = (await agents_of(program))[_ID]
    below = psutil.Process(number).children(recursive=True)
    assert {executed_experiment(child) for child in below} - {""} == set(tasks)
    await program.program.process.reconciler.reconcile()

    workers = await program.ask("/worker list")
    assert "1 worker" in workers
    assert ":service:" not in workers
    assert "runs “one” of Alice Adams (" in workers
    assert " and “two” of Alice Adams (" in workers

    for line in ("/worker stop", "/worker restart"):
        question = await program.say(line)
        assert question.outcome is Outcome.ASKED, plain_text(question)
        assert f"{_ID} runs “one” of Alice Adams (" in plain_text(question)
        assert list(buttons(question)) == [
            "Wait until they end",
            "Abort them and put them back in the queue",
            "Abort them",
        ]
    assert _statuses(program, tasks) == ["in_progress", "in_progress"]

    drained = await program.ask("/worker drain")
    assert f"{_ID} ends “one” of Alice Adams (" in drained
    assert "takes nothing more" in drained
    await program.program.process.reconciler.reconcile()
    assert _statuses(program, tasks) == ["in_progress", "in_progress"]
    assert await agents_of(program) == {_ID: number}

    told.touch()

    async def is_stopped() -> bool:
        await program.program.process.reconciler.reconcile()
        return await agents_of(program) == {}

    await until(is_stopped)
    assert _statuses(program, tasks) == ["completed", "completed"]
    assert tags_of(program, "alice_queue") == []
    assert any(f"{_ID} had nothing more to do and is stopped" in text for text in await program.listen())


async def test_all_its_runs_are_aborted_where_a_person_says_so(program: RunningProgram, tmp_path: Path) -> None:
    tasks = await _begun(program, "one", "two", until_there_is=tmp_path / "never")
    program.sandbox.requests.clear()

    reply = await program.ask("/worker stop run=abort")

    assert f"Stopped {_ID}." in reply
    assert "“one” was aborted." in reply
    assert "“two” was aborted." in reply
    assert _statuses(program, tasks) == ["stopped", "stopped"]
    stops = program.sandbox.requests.named("tasks.stop")
    assert {item.body["status_reason"] for item in stops} == {"Aborted by alice"}
    assert (await agents_of(program), tags_of(program, "alice_queue")) == ({}, [])


async def test_its_runs_go_back_into_the_queue_in_their_order(program: RunningProgram, tmp_path: Path) -> None:
    tasks = await _begun(program, "one", "two", until_there_is=tmp_path / "never")
    assert f"Stopped {_ID}." in await program.ask("/worker stop run=requeue")
    queue = program.sandbox.state.queue_named("alice_queue")
    assert queue is not None
    assert [entry["task"] for entry in queue["entries"]] == tasks
    assert await agents_of(program) == {}


async def test_what_has_ended_by_itself_is_no_run(program: RunningProgram, tmp_path: Path) -> None:
    told = tmp_path / "told"
    tasks = await _begun(program, "one", until_there_is=told)
    told.touch()
    await until(lambda: _statuses(program, tasks) == ["completed"])
    assert f"Stopped {_ID}." in await program.ask("/worker stop")
