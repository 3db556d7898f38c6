"""Runs that continue after their agent was killed, and their notices. With the real clearml-agent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from clearml_chatops.bot.loops import Loop, run_loops
from clearml_chatops.models.replies import Reply
from clearml_chatops.sandbox import Sandbox
from tests.support.agents import (
    WAIT_FOR_FILE_SCRIPT,
    find_agent_process,
    find_run_processes,
    is_gone,
    kill,
    list_agents,
    list_registered_workers,
    quick_agents,
    run_foreign_agent,
    start_run,
    wait_for_run_process,
)
from tests.support.experiments import add_script
from tests.support.nvml import FakeGpu, install_gpus
from tests.support.polling import wait_until
from tests.support.program import RunningProgram, get_buttons, run_program, to_plain_text

pytestmark = pytest.mark.usefixtures(quick_agents.__name__)

_GPU_WORKER = "lab:alice_queue:gpu0"
_CPU_WORKER = "lab:alice_queue:cpu"


async def _orphan_run(program: RunningProgram, worker_id: str, script: str) -> tuple[str, psutil.Process]:
    """Start a run and kill its agent; return the experiment's id and the run's process."""
    install_gpus(program, FakeGpu("GPU-0"), FakeGpu("GPU-1"))
    await program.ask("/queue create")
    await program.ask(f"/worker start gpus={'none' if worker_id == _CPU_WORKER else '0'}")
    task = await start_run(program, script=script)
    run = await wait_for_run_process(program, worker_id)
    await kill(await find_agent_process(program, worker_id))
    return task, run


def _get_task(program: RunningProgram, task: str) -> dict[str, Any]:
    return program.sandbox.state.tasks[task]


@asynccontextmanager
async def _run_reconciler(program: RunningProgram) -> AsyncIterator[None]:
    """Run the reconciler in a loop, as the bot does."""
    loop = Loop(program.program.process.reconciler.reconcile, timedelta(seconds=0.1), "trouble")
    async with run_loops([loop], asyncio.Event()):
        yield


async def _is_back(program: RunningProgram, worker_id: str) -> bool:
    return list(await list_agents(program)) == [worker_id] == list_registered_workers(program)


async def test_orphaned_run_keeps_its_gpu_and_its_owner_is_notified(
    program: RunningProgram, tmp_path: Path
) -> None:
    release_file = tmp_path / "release"
    task, run = await _orphan_run(program, _GPU_WORKER, WAIT_FOR_FILE_SCRIPT.format(file=str(release_file)))
    outbox_wakeup = program.program.process.outbox_wakeup.subscribe()
    reconciler = program.program.process.reconciler

    await reconciler.reconcile()
    await reconciler.reconcile()

    assert not is_gone(run)
    assert await list_agents(program) == {}
    assert outbox_wakeup.is_set(), "the notice is delivered immediately"
    (notice,) = await program.deliver_due()
    assert f"The agent of {_GPU_WORKER} died while running “long” (Alice Adams)." in to_plain_text(notice)
    assert "restarts when the run ends, to avoid sharing a GPU." in to_plain_text(notice)
    assert list(get_buttons(notice)) == ["Abort run", "Show workers"]
    assert await program.send_for_error_code("/worker start gpus=0") == "orphaned_run"

    release_file.touch()
    await wait_until(lambda: is_gone(run))
    async with _run_reconciler(program):
        await wait_until(lambda: _is_back(program, _GPU_WORKER))
        await wait_until(lambda: _get_task(program, task)["status"] == "failed")

    assert _get_task(program, task)["status_reason"] == "its agent died, and how the run ended is unknown"
    (notice,) = await program.deliver_due()
    assert "“long” (Alice Adams) ended after the agent of lab:alice_queue:gpu0 had died." in to_plain_text(notice)
    await program.ask(get_buttons(notice)["Retry"])
    await wait_until(lambda: _get_task(program, task)["status"] == "completed")


async def test_orphaned_run_can_be_aborted(program: RunningProgram) -> None:
    task, run = await _orphan_run(program, _GPU_WORKER, "import time\ntime.sleep(600)\n")
    async with _run_reconciler(program):
        notices: list[Reply] = []

        async def is_notified() -> bool:
            notices.extend(await program.deliver_due())
            return bool(notices)

        await wait_until(is_notified)
        question = await program.send(get_buttons(notices[0])["Abort run"])
        await program.ask(next(iter(get_buttons(question).values())))
        await wait_until(lambda: _get_task(program, task)["status"] == "stopped")
        assert is_gone(run)
        await wait_until(lambda: _is_back(program, _GPU_WORKER))
    assert _get_task(program, task)["status_reason"] == "Aborted by alice"


async def test_cpu_worker_is_restarted_beside_its_orphaned_run(program: RunningProgram) -> None:
    task, run = await _orphan_run(program, _CPU_WORKER, "import time\ntime.sleep(600)\n")
    behind = add_script(program.sandbox, "behind", "print('behind')")
    await program.ask(f"/enqueue {behind}")

    await program.program.process.reconciler.reconcile()

    assert await _is_back(program, _CPU_WORKER)
    (notice,) = await program.deliver_due()
    assert "The worker restarts alongside it." in to_plain_text(notice)
    async with _run_reconciler(program):
        await wait_until(lambda: _get_task(program, behind)["status"] == "completed")
    assert not is_gone(run)
    assert _get_task(program, task)["status"] == "in_progress"


async def test_run_killed_with_its_agent_is_marked_failed(program: RunningProgram) -> None:
    task, run = await _orphan_run(program, _GPU_WORKER, "import time\ntime.sleep(600)\n")
    await kill(run)

    async with _run_reconciler(program):
        await wait_until(lambda: _get_task(program, task)["status"] == "failed")
        await wait_until(lambda: _is_back(program, _GPU_WORKER))

    assert _get_task(program, task)["status_reason"] == "its agent died, and the run with it"
    (notice,) = await program.deliver_due()
    assert f"The agent of {_GPU_WORKER} died, and its run “long” (Alice Adams) with it." in to_plain_text(notice)
    await program.ask(get_buttons(notice)["Retry"])
    await wait_until(lambda: _get_task(program, task)["status"] == "in_progress")
    async with _run_reconciler(program):
        again = await wait_for_run_process(program, _GPU_WORKER)
        await program.program.process.reconciler.reconcile()
    assert not is_gone(again)
    assert _get_task(program, task)["status"] == "in_progress", "the new run belongs to the new agent"


async def test_restarted_bot_does_not_notify_twice(
    program: RunningProgram, sandbox: Sandbox, tmp_path: Path
) -> None:
    release_file = tmp_path / "release"
    task, run = await _orphan_run(program, _GPU_WORKER, WAIT_FOR_FILE_SCRIPT.format(file=str(release_file)))
    await program.program.process.reconciler.reconcile()
    assert len(await program.deliver_due()) == 1

    async with run_program(sandbox, tmp_path / "data") as another:
        await another.program.process.reconciler.reconcile()
        assert await another.deliver_due() == []
        assert await list_agents(another) == {}
        release_file.touch()
        await wait_until(lambda: is_gone(run))
        async with _run_reconciler(another):
            await wait_until(lambda: _is_back(another, _GPU_WORKER))
            await wait_until(lambda: _get_task(another, task)["status"] == "failed")


async def test_run_that_ended_while_the_bot_was_down_is_marked_failed(
    program: RunningProgram, sandbox: Sandbox, tmp_path: Path
) -> None:
    task, run = await _orphan_run(program, _CPU_WORKER, "import time\ntime.sleep(600)\n")
    await program.program.process.reconciler.reconcile()
    assert await _is_back(program, _CPU_WORKER)
    await kill(run)
    task_document = program.sandbox.state.tasks[task]
    task_document["status_changed"] -= timedelta(minutes=5)
    async with run_program(sandbox, tmp_path / "data") as another, _run_reconciler(another):
        await wait_until(lambda: _get_task(another, task)["status"] == "failed")


async def test_drained_worker_without_agent_is_replaced_after_its_run(
    program: RunningProgram, tmp_path: Path
) -> None:
    release_file = tmp_path / "release"
    install_gpus(program, FakeGpu("GPU-0"), FakeGpu("GPU-1"))
    await program.ask("/queue create")
    await program.ask("/worker start gpus=0")
    task = await start_run(program, script=WAIT_FOR_FILE_SCRIPT.format(file=str(release_file)))
    run = await wait_for_run_process(program, _GPU_WORKER)
    await program.ask("/worker restart gpus=0,1 run=wait")
    await kill(await find_agent_process(program, _GPU_WORKER))

    await program.program.process.reconciler.reconcile()
    assert await list_agents(program) == {}

    release_file.touch()
    await wait_until(lambda: is_gone(run))
    async with _run_reconciler(program):
        await wait_until(lambda: _is_back(program, "lab:alice_queue:gpu0,1"))
        await wait_until(lambda: _get_task(program, task)["status"] == "failed")


async def test_run_of_a_foreign_agent_with_our_worker_id_is_left_alone(
    program: RunningProgram, tmp_path: Path
) -> None:
    await program.ask("/queue create")
    await program.ask("/worker start gpus=none")
    async with run_foreign_agent(program, tmp_path / "foreign", _CPU_WORKER, queue="default") as foreign:
        task = add_script(program.sandbox, "foreign", "import time\ntime.sleep(600)\n")
        await program.ask(f"/enqueue {task} queue=default")
        await wait_until(lambda: find_run_processes(foreign))
        assert _get_task(program, task)["last_worker"] == _CPU_WORKER
        await kill(await find_agent_process(program, _CPU_WORKER))
        for _ in range(3):
            await program.program.process.reconciler.reconcile()
        assert _get_task(program, task)["status"] == "in_progress"
        assert not is_gone(foreign)
        assert find_run_processes(foreign)


async def test_stop_reports_the_orphaned_run_and_the_next_bot_follows_it(
    program: RunningProgram, sandbox: Sandbox, tmp_path: Path
) -> None:
    task, run = await _orphan_run(program, _GPU_WORKER, "import time\ntime.sleep(600)\n")

    reply = await program.send("/worker stop")

    assert f"Stopped {_GPU_WORKER}." in to_plain_text(reply)
    assert "“long” (Alice Adams) is still running, but without an agent" in to_plain_text(reply)
    assert get_buttons(reply)["Abort run"] == f"/abort {task}"
    assert (await list_agents(program), list_registered_workers(program)) == ({}, [])
    assert "Stopped, but what its agent started continues" in await program.ask("/worker")
    (notice,) = await program.deliver_due()
    assert "You get notified when it ends." in to_plain_text(notice)
    assert await program.send_for_error_code("/worker start gpus=0") == "orphaned_run"

    async with run_program(sandbox, tmp_path / "data") as another, _run_reconciler(another):
        assert not is_gone(run)
        await another.ask(f"{get_buttons(reply)['Abort run']} --yes")
        await wait_until(lambda: _get_task(another, task)["status"] == "stopped")
        await wait_until(lambda: is_gone(run))

        async def is_forgotten() -> bool:
            return not await another.program.process.host_workers.list_desired()

        await wait_until(is_forgotten)
        assert await list_agents(another) == {}


async def test_stop_keeps_the_orphaned_run_of_an_earlier_agent(program: RunningProgram) -> None:
    task, run = await _orphan_run(program, _CPU_WORKER, "import time\ntime.sleep(600)\n")
    await program.program.process.reconciler.reconcile()
    assert await _is_back(program, _CPU_WORKER)

    assert "“long” (Alice Adams) is still running, but without an agent" in await program.ask("/worker stop")

    assert (await list_agents(program), list_registered_workers(program)) == ({}, [])
    assert not is_gone(run)
    assert _get_task(program, task)["status"] == "in_progress"
