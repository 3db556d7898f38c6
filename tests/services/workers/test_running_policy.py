"""Stopping, restarting and draining a worker during a run. With the real clearml-agent."""

from pathlib import Path

import pytest

from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Outcome
from clearml_chatops.services.workers.queue_pauses import PAUSE_TAG
from tests.support.agents import (
    WAIT_FOR_FILE_SCRIPT,
    get_queue_tags,
    list_agent_processes,
    list_agents,
    list_registered_workers,
    quick_agents,
    start_run,
)
from tests.support.experiments import add_script
from tests.support.nvml import FakeGpu, install_gpus
from tests.support.polling import wait_until
from tests.support.program import RunningProgram, get_buttons, to_plain_text

pytestmark = pytest.mark.usefixtures(quick_agents.__name__)


async def _start_worker(program: RunningProgram) -> None:
    install_gpus(program, FakeGpu("GPU-0"), FakeGpu("GPU-1"))
    await program.ask("/queue create")
    await program.ask("/worker start gpus=0")


async def test_restart_requeues_the_run_for_the_new_worker(
    program: RunningProgram,
) -> None:
    await _start_worker(program)
    task = await start_run(program)

    question = await program.send("/worker restart gpus=1")
    assert question.outcome is Outcome.ASKED
    assert "Restart worker lab:alice_queue:gpu0? It's running “long” (Alice Adams, " in to_plain_text(question)
    assert list(get_buttons(question)) == [
        "Wait until it ends",
        "Abort and requeue",
        "Abort run",
    ]
    assert list(await list_agents(program)) == ["lab:alice_queue:gpu0"]
    assert program.sandbox.state.tasks[task]["status"] == "in_progress"

    program.sandbox.requests.clear()
    reply = await program.send(get_buttons(question)["Abort and requeue"])

    assert reply.outcome is Outcome.DONE, to_plain_text(reply)
    assert "Worker lab:alice_queue:gpu1 listens on alice_queue." in to_plain_text(reply)
    assert list(await list_agents(program)) == ["lab:alice_queue:gpu1"] == list_registered_workers(program)
    stops = program.sandbox.requests.find_by_endpoint("tasks.stop")
    assert {item.body["status_reason"] for item in stops} == {"Aborted by alice"}
    await wait_until(lambda: program.sandbox.state.tasks[task].get("last_worker") == "lab:alice_queue:gpu1")
    assert get_queue_tags(program, "alice_queue") == []


async def test_stop_aborts_the_run_and_keeps_pending_experiments(program: RunningProgram) -> None:
    await _start_worker(program)
    task = await start_run(program)
    waiting = add_script(program.sandbox, "next", "print('next')")
    await program.ask(f"/enqueue {waiting}")
    backlog_text = (
        "1 experiment is waiting in alice_queue, and no other worker listens there: “next” (Alice Adams)."
    )
    question = await program.send("/worker stop")
    assert backlog_text in to_plain_text(question)

    reply = await program.ask(get_buttons(question)["Abort run"])

    assert "Stopped lab:alice_queue:gpu0." in reply
    assert "“long” was aborted." in reply
    assert backlog_text in reply
    assert program.sandbox.state.tasks[task]["status"] == "stopped"
    assert program.sandbox.state.tasks[waiting]["status"] == "queued"
    assert (
        await list_agents(program),
        list_registered_workers(program),
        get_queue_tags(program, "alice_queue"),
    ) == ({}, [], [])


async def test_drained_worker_is_replaced_by_its_successor(program: RunningProgram, tmp_path: Path) -> None:
    await _start_worker(program)
    queue = program.sandbox.state.find_queue("alice_queue")
    assert queue is not None
    queue["tags"] = ["of the team"]
    release_file = tmp_path / "release"
    task = await start_run(program, "first", WAIT_FOR_FILE_SCRIPT.format(file=str(release_file)))
    waiting = add_script(program.sandbox, "behind", "print('behind')")
    await program.ask(f"/enqueue {waiting}")

    reply = await program.ask("/worker restart gpus=1 run=wait")
    assert "is replaced by one with GPU 1 after “first” (Alice Adams, " in reply
    assert "takes nothing new until then" in reply
    assert get_queue_tags(program, "alice_queue") == ["of the team", PAUSE_TAG]
    workers = await program.ask("/worker list")
    assert "Running “first” (Alice Adams, " in workers
    assert "), then is replaced" in workers

    # The bot crashes, and another one continues.
    for name in ("host_workers", "orphaned_runs", "reconciler"):
        program.program.process.__dict__.pop(name, None)
    release_file.touch()

    async def is_replaced() -> bool:
        await program.program.process.reconciler.reconcile()
        return list(await list_agents(program)) == ["lab:alice_queue:gpu1"]

    await wait_until(is_replaced)
    assert program.sandbox.state.tasks[task]["status"] == "completed"
    assert get_queue_tags(program, "alice_queue") == ["of the team"]
    await wait_until(lambda: program.sandbox.state.tasks[waiting].get("last_worker") == "lab:alice_queue:gpu1")
    notifications = "\n".join(await program.poll_and_deliver())
    assert "Worker lab:alice_queue:gpu1 replaced lab:alice_queue:gpu0 and listens on alice_queue." in notifications


async def test_draining_does_not_pause_queues_of_other_workers(program: RunningProgram) -> None:
    await _start_worker(program)
    task = await start_run(program)
    await program.ask("/worker start gpus=none")

    reply = await program.send("/worker drain lab:alice_queue:gpu0")
    assert "lab:alice_queue:gpu0 stops after “long” (Alice Adams, " in to_plain_text(reply)

    assert get_queue_tags(program, "alice_queue") == []
    assert program.sandbox.state.tasks[task]["status"] == "in_progress"
    resume_command = get_buttons(reply)["Keep it running"]
    assert "lab:alice_queue:gpu0 listens on alice_queue" in await program.ask(resume_command)
    assert "then stops" not in await program.ask("/worker list")


async def test_only_admins_can_change_workers_of_others(program: RunningProgram) -> None:
    await _start_worker(program)
    bob = await program.add_person(program.sandbox.bob, Role.MEMBER)
    for line in (
        "/worker stop lab:alice_queue:gpu0",
        "/worker drain lab:alice_queue:gpu0",
        "/worker restart lab:alice_queue:gpu0 gpus=1",
        "/worker stop queue=alice_queue run=abort",
    ):
        assert await bob.send_for_error_code(line) == "worker_not_yours", line
    assert await bob.send_for_error_code("/worker stop lab:nobody:gpu0") == "worker_not_found"
    assert await bob.send_for_error_code("/worker stop queue=default") == "no_worker_for_queue"
    assert list(await list_agents(program)) == ["lab:alice_queue:gpu0"]


async def test_gpu_conflict_is_shown_before_a_start(program: RunningProgram) -> None:
    await _start_worker(program)
    bob = await program.add_person(program.sandbox.bob, Role.MEMBER)
    await bob.ask("/queue create")

    question = await bob.send("/worker start gpus=0,1")

    assert question.outcome is Outcome.ASKED
    assert "GPU 0: worker lab:alice_queue:gpu0 (alice) is idle." in to_plain_text(question)
    assert list(await list_agents(program)) == ["lab:alice_queue:gpu0"]
    free_gpu_command = get_buttons(question)["Use GPU 1 instead"]
    assert free_gpu_command == "/worker start gpus=1"
    await bob.ask(get_buttons(question)["Share GPU 0"])
    assert sorted(await list_agents(program)) == ["lab:alice_queue:gpu0", "lab:bob_queue:gpu0,1"]


async def test_repeated_restarts_leave_one_agent(program: RunningProgram) -> None:
    await _start_worker(program)
    for number in range(10):
        await program.ask(f"/worker restart gpus={(number + 1) % 2}")
    agents = await list_agents(program)
    assert list(agents) == ["lab:alice_queue:gpu0"] == list_registered_workers(program)
    assert get_queue_tags(program, "alice_queue") == []
    assert [process.pid for process in list_agent_processes(program)] == list(agents.values())
