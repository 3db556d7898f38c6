"""An agent killed in mid-run leaves its run behind: nobody's run is ended by accident, and somebody is told.

With the real clearml-agent.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from clearml_chatops.bot.loops import Loop, looping
from clearml_chatops.models.replies import Reply
from clearml_chatops.sandbox import Sandbox
from tests.support.agents import (
    UNTIL_TOLD,
    agents_of,
    begun,
    foreign_agent,
    is_gone,
    killed,
    listed,
    process_of,
    quick_agents,
    run_process_of,
    runs_of,
)
from tests.support.experiments import add_script
from tests.support.nvml import FakeCard, put_in
from tests.support.program import RunningProgram, buttons, plain_text, running_program
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures(quick_agents.__name__)

_ON_A_CARD = "lab:alice_queue:gpu0"
_ON_NONE = "lab:alice_queue:cpu"


async def _left_alone(program: RunningProgram, worker_id: str, script: str) -> tuple[str, psutil.Process]:
    """A run whose agent has been killed, and its process."""
    put_in(program, FakeCard("GPU-0"), FakeCard("GPU-1"))
    await program.ask("/queue create")
    await program.ask(f"/worker start gpus={'none' if worker_id == _ON_NONE else '0'}")
    task = await begun(program, script=script)
    run = await run_process_of(program, worker_id)
    await killed(await process_of(program, worker_id))
    return task, run


def _task(program: RunningProgram, task: str) -> dict[str, Any]:
    return program.sandbox.state.tasks[task]


@asynccontextmanager
async def _kept_running(program: RunningProgram) -> AsyncIterator[None]:
    """The reconciler at work, as beside the bot."""
    work = Loop(program.program.process.reconciler.reconcile, timedelta(seconds=0.1), "trouble")
    async with looping([work], asyncio.Event()):
        yield


async def _is_back(program: RunningProgram, worker_id: str) -> bool:
    return list(await agents_of(program)) == [worker_id] == listed(program)


async def test_a_run_that_goes_on_keeps_its_card_and_its_person_is_told(
    program: RunningProgram, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    task, run = await _left_alone(program, _ON_A_CARD, UNTIL_TOLD.format(file=str(told)))
    news = program.program.process.news.listener()
    reconciler = program.program.process.reconciler

    await reconciler.reconcile()
    await reconciler.reconcile()

    assert not is_gone(run)
    assert await agents_of(program) == {}
    assert news.is_set(), "it is told at once"
    (notice,) = await program.told()
    assert f"The agent of {_ON_A_CARD} died while it ran “long” of Alice Adams." in plain_text(notice)
    assert "so that they share no card" in plain_text(notice)
    assert list(buttons(notice)) == ["Abort the run", "Workers"]
    assert await program.error_code("/worker start gpus=0") == "run_goes_on"

    told.touch()
    await until(lambda: is_gone(run))
    async with _kept_running(program):
        await until(lambda: _is_back(program, _ON_A_CARD))
        await until(lambda: _task(program, task)["status"] == "failed")

    assert _task(program, task)["status_reason"] == "its agent died, and nobody saw how the run ended"
    (notice,) = await program.told()
    assert "“long” of Alice Adams, which ran on without the agent" in plain_text(notice)
    await program.ask(buttons(notice)["Put it back in the queue"])
    await until(lambda: _task(program, task)["status"] == "completed")


async def test_a_run_that_goes_on_is_aborted_where_a_person_asks_for_it(program: RunningProgram) -> None:
    task, run = await _left_alone(program, _ON_A_CARD, "import time\ntime.sleep(600)\n")
    async with _kept_running(program):
        notices: list[Reply] = []

        async def is_told() -> bool:
            notices.extend(await program.told())
            return bool(notices)

        await until(is_told)
        question = await program.say(buttons(notices[0])["Abort the run"])
        await program.ask(next(iter(buttons(question).values())))
        await until(lambda: _task(program, task)["status"] == "stopped")
        assert is_gone(run)
        await until(lambda: _is_back(program, _ON_A_CARD))
    assert _task(program, task)["status_reason"] == "Aborted by alice"


async def test_a_worker_without_cards_is_started_beside_the_run_that_goes_on(program: RunningProgram) -> None:
    task, run = await _left_alone(program, _ON_NONE, "import time\ntime.sleep(600)\n")
    behind = add_script(program.sandbox, "behind", "print('behind')")
    await program.ask(f"/enqueue {behind}")

    await program.program.process.reconciler.reconcile()

    assert await _is_back(program, _ON_NONE)
    (notice,) = await program.told()
    assert "I start the worker again beside it." in plain_text(notice)
    async with _kept_running(program):
        await until(lambda: _task(program, behind)["status"] == "completed")
    assert not is_gone(run)
    assert _task(program, task)["status"] == "in_progress"


async def test_a_run_that_died_with_its_agent_has_failed(program: RunningProgram) -> None:
    task, run = await _left_alone(program, _ON_A_CARD, "import time\ntime.sleep(600)\n")
    await killed(run)

    async with _kept_running(program):
        await until(lambda: _task(program, task)["status"] == "failed")
        await until(lambda: _is_back(program, _ON_A_CARD))

    assert _task(program, task)["status_reason"] == "its agent died, and the run with it"
    (notice,) = await program.told()
    assert f"The agent of {_ON_A_CARD} died, and “long” of Alice Adams with it" in plain_text(notice)
    await program.ask(buttons(notice)["Put it back in the queue"])
    await until(lambda: _task(program, task)["status"] == "in_progress")
    async with _kept_running(program):
        again = await run_process_of(program, _ON_A_CARD)
        await program.program.process.reconciler.reconcile()
    assert not is_gone(again)
    assert _task(program, task)["status"] == "in_progress", "it runs anew, and is not the dead agent's any more"


async def test_the_next_bot_goes_on_and_tells_it_no_second_time(
    program: RunningProgram, sandbox: Sandbox, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    task, run = await _left_alone(program, _ON_A_CARD, UNTIL_TOLD.format(file=str(told)))
    await program.program.process.reconciler.reconcile()
    assert len(await program.told()) == 1

    async with running_program(sandbox, tmp_path / "data") as another:
        await another.program.process.reconciler.reconcile()
        assert await another.told() == []
        assert await agents_of(another) == {}
        told.touch()
        await until(lambda: is_gone(run))
        async with _kept_running(another):
            await until(lambda: _is_back(another, _ON_A_CARD))
            await until(lambda: _task(another, task)["status"] == "failed")


async def test_what_ended_while_no_bot_ran_is_noted_beside_a_worker_that_runs(
    program: RunningProgram, sandbox: Sandbox, tmp_path: Path
) -> None:
    task, run = await _left_alone(program, _ON_NONE, "import time\ntime.sleep(600)\n")
    await program.program.process.reconciler.reconcile()
    assert await _is_back(program, _ON_NONE)
    await killed(run)
    began = program.sandbox.state.tasks[task]
    began["status_changed"] -= timedelta(minutes=5)
    async with running_program(sandbox, tmp_path / "data") as another, _kept_running(another):
        await until(lambda: _task(another, task)["status"] == "failed")


async def test_a_drained_worker_whose_agent_died_makes_room_when_its_run_has_ended(
    program: RunningProgram, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    put_in(program, FakeCard("GPU-0"), FakeCard("GPU-1"))
    await program.ask("/queue create")
    await program.ask("/worker start gpus=0")
    task = await begun(program, script=UNTIL_TOLD.format(file=str(told)))
    run = await run_process_of(program, _ON_A_CARD)
    await program.ask("/worker restart gpus=0,1 run=wait")
    await killed(await process_of(program, _ON_A_CARD))

    await program.program.process.reconciler.reconcile()
    assert await agents_of(program) == {}

    told.touch()
    await until(lambda: is_gone(run))
    async with _kept_running(program):
        await until(lambda: _is_back(program, "lab:alice_queue:gpu0,1"))
        await until(lambda: _task(program, task)["status"] == "failed")


async def test_the_run_of_a_foreign_agent_that_has_our_workers_id_is_let_be(
    program: RunningProgram, tmp_path: Path
) -> None:
    await program.ask("/queue create")
    await program.ask("/worker start gpus=none")
    async with foreign_agent(program, tmp_path / "foreign", _ON_NONE, queue="default") as foreign:
        task = add_script(program.sandbox, "of others", "import time\ntime.sleep(600)\n")
        await program.ask(f"/enqueue {task} queue=default")
        await until(lambda: runs_of(foreign))
        assert _task(program, task)["last_worker"] == _ON_NONE
        await killed(await process_of(program, _ON_NONE))
        for _ in range(3):
            await program.program.process.reconciler.reconcile()
        assert _task(program, task)["status"] == "in_progress"
        assert not is_gone(foreign)
        assert runs_of(foreign)


async def test_a_stop_says_what_goes_on_without_an_agent_and_the_next_bot_follows_it(
    program: RunningProgram, sandbox: Sandbox, tmp_path: Path
) -> None:
    task, run = await _left_alone(program, _ON_A_CARD, "import time\ntime.sleep(600)\n")

    reply = await program.say("/worker stop")

    assert f"Stopped {_ON_A_CARD}." in plain_text(reply)
    assert "“long” of Alice Adams goes on without an agent" in plain_text(reply)
    assert buttons(reply)["Abort the run"] == f"/abort {task}"
    assert (await agents_of(program), listed(program)) == ({}, [])
    assert "is stopped; what its agent has left behind goes on" in await program.ask("/worker")
    (notice,) = await program.told()
    assert "I tell you when it has ended." in plain_text(notice)
    assert await program.error_code("/worker start gpus=0") == "run_goes_on"

    async with running_program(sandbox, tmp_path / "data") as another, _kept_running(another):
        assert not is_gone(run)
        await another.ask(f"{buttons(reply)['Abort the run']} --yes")
        await until(lambda: _task(another, task)["status"] == "stopped")
        await until(lambda: is_gone(run))

        async def is_forgotten() -> bool:
            return not await another.program.process.host_workers.wanted()

        await until(is_forgotten)
        assert await agents_of(another) == {}


async def test_a_stop_beside_a_run_of_an_earlier_agent_ends_the_new_agent_alone(program: RunningProgram) -> None:
    task, run = await _left_alone(program, _ON_NONE, "import time\ntime.sleep(600)\n")
    await program.program.process.reconciler.reconcile()
    assert await _is_back(program, _ON_NONE)

    assert "“long” of Alice Adams goes on without an agent" in await program.ask("/worker stop")

    assert (await agents_of(program), listed(program)) == ({}, [])
    assert not is_gone(run)
    assert _task(program, task)["status"] == "in_progress"
