"""Runs: enqueue, dequeue, abort, retry, reset, rerun and log."""

import asyncio
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from clearml_chatops.models.replies import Outcome
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.sandbox.documents import Document
from tests.sandbox.support import Client
from tests.support.polling import wait_until
from tests.support.program import RunningProgram, get_buttons, to_plain_text


@pytest.fixture
async def agent(sandbox: Sandbox) -> AsyncIterator[Client]:
    """A client that sends what a clearml-agent sends."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Client(sandbox, session, sandbox.alice)


@pytest.fixture
async def draft(program: RunningProgram, sandbox: Sandbox) -> Document:
    """A clone of the baseline; the person also has a queue."""
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    await program.ask("/queue create")
    return sandbox.state.tasks[(await program.send("/clone baseline two GPUs")).experiment_id]


async def start_run(agent: Client, task: Document) -> None:
    queue = task["execution"]["queue"]
    await agent.call_for_data("workers.register", worker="lab:alice_queue:gpu0", queues=[queue])
    await agent.call_for_data("queues.get_next_task", queue=queue)
    await agent.call_for_data("tasks.started", task=task["id"], force=True)
    await agent.call_for_data(
        "workers.status_report",
        worker="lab:alice_queue:gpu0",
        timestamp=time.time() * 1000,
        task=task["id"],
        queue=queue,
        queues=[queue],
    )


async def test_enqueue_warns_if_no_worker_listens(program: RunningProgram, agent: Client, draft: Document) -> None:
    assert "No worker listens on alice_queue" in await program.ask("/enqueue")
    await program.ask("/dequeue")
    queue = draft["execution"]["queue"]
    await agent.call_for_data("workers.register", worker="lab:alice_queue:gpu0", queues=[queue])
    assert "No worker listens" not in await program.ask("/enqueue")
    assert draft["status"] == "queued"


async def test_dequeue_restores_the_former_status(
    program: RunningProgram, sandbox: Sandbox, draft: Document
) -> None:
    await program.ask("/enqueue")
    await program.ask("/dequeue")
    assert draft["status"] == "created"
    failed = next(task for task in sandbox.state.tasks.values() if task["status"] == "failed")
    await program.ask(f"/enqueue {failed['id']}")
    assert failed["status"] == "queued"
    await program.ask(f"/dequeue {failed['id']}")
    assert failed["status"] == "failed"
    assert all(not queue["entries"] for queue in sandbox.state.queues.values())


async def test_a_pending_run_is_aborted_at_once_and_a_running_one_after_confirmation(
    program: RunningProgram, agent: Client, draft: Document
) -> None:
    await program.ask("/enqueue")
    assert "is Aborted" in await program.ask("/abort")
    assert draft["status"] == "stopped"

    await program.ask("/retry")
    await start_run(agent, draft)
    reply = await program.send("/abort")
    assert (reply.outcome, draft["status_message"]) == (Outcome.ASKED, "")
    assert "Abort “two GPUs” (Alice Adams)? It's Running." in to_plain_text(reply)
    assert "hasn't stopped it yet" in await program.ask(get_buttons(reply)["Abort"])
    assert (draft["status"], draft["status_message"]) == ("in_progress", "stopping")


async def test_an_abort_that_a_starting_agent_overwrites_is_repeated(
    program: RunningProgram, agent: Client, draft: Document
) -> None:
    await program.ask("/enqueue")
    await start_run(agent, draft)
    aborting = asyncio.create_task(program.ask("/abort --yes"))
    await wait_until(lambda: draft["status_message"] == "stopping")
    await agent.call_for_data("tasks.started", task=draft["id"], force=True, status_message="launch by agent")

    await wait_until(lambda: draft["status_message"] == "stopping")
    await agent.call_for_data("tasks.stopped", task=draft["id"])

    assert "is Aborted" in await aborting


async def test_a_run_that_finished_before_the_abort_is_not_changed(
    program: RunningProgram, agent: Client, draft: Document
) -> None:
    await program.ask("/enqueue")
    await start_run(agent, draft)
    button = get_buttons(await program.send("/abort"))["Abort"]
    await agent.call_for_data("tasks.completed", task=draft["id"])
    assert await program.send_for_error_code(button) == "cannot_abort"
    assert draft["status"] == "completed"


async def test_a_failed_run_goes_back_into_its_former_queue(
    program: RunningProgram, agent: Client, sandbox: Sandbox, draft: Document
) -> None:
    await program.ask("/enqueue queue=default")
    await start_run(agent, draft)
    await agent.call_for_data("tasks.failed", task=draft["id"])
    assert "Pending in default" in await program.ask("/retry")
    await program.ask("/abort")
    assert "Pending in alice_queue" in await program.ask("/retry queue=alice_queue")
    await program.ask("/abort")
    queue = sandbox.state.find_queue("alice_queue")
    assert queue
    await program.ask("/queue create gpu_queue")
    await program.ask("/queue use gpu_queue")
    del sandbox.state.queues[queue["id"]]
    assert "Pending in gpu_queue" in await program.ask("/retry"), "the personal queue if the previous one is gone"


async def test_reset_asks_and_then_deletes_the_output_of_the_run(
    program: RunningProgram, sandbox: Sandbox, draft: Document
) -> None:
    failed = next(task for task in sandbox.state.tasks.values() if task["status"] == "failed")
    reply = await program.send(f"/reset {failed['id']}")
    assert (reply.outcome, failed["status"]) == (Outcome.ASKED, "failed")
    assert failed["id"] in sandbox.state.events
    await program.ask(get_buttons(reply)["Reset"])
    assert failed["status"] == "created"
    assert failed["id"] not in sandbox.state.events
    await program.ask(f"/set {failed['id']} args.lr=0.01")


async def test_rerun_clones_changes_and_enqueues_without_changing_the_source(
    program: RunningProgram, sandbox: Sandbox, draft: Document
) -> None:
    source = sandbox.state.tasks[draft["parent"]]
    before = {name: dict(item) for name, item in source["hyperparams"]["Args"].items()}
    reply = await program.send("/rerun baseline on other GPUs args.gpus=2,3 ARGS.LR=0.5 image=python:3.12")
    copy = sandbox.state.tasks[reply.experiment_id]
    assert (copy["name"], copy["status"], copy["parent"]) == ("on other GPUs", "queued", source["id"])
    changed = {**before, "gpus": {**before["gpus"], "value": "2,3"}, "lr": {**before["lr"], "value": "0.5"}}
    assert copy["hyperparams"]["Args"] == changed
    assert copy["container"]["image"] == "python:3.12"
    assert copy["container"]["arguments"] == source["container"]["arguments"]
    assert source["hyperparams"]["Args"] == before
    assert copy["script"] == source["script"]


async def test_rerun_without_a_name_is_named_after_its_source(
    program: RunningProgram, sandbox: Sandbox, draft: Document
) -> None:
    reply = await program.send(f"/rerun {draft['parent']}")
    assert sandbox.state.tasks[reply.experiment_id]["name"] == "Clone of baseline"


async def test_rerun_creates_nothing_without_a_queue(program: RunningProgram, sandbox: Sandbox) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    before = len(sandbox.state.tasks)
    reply = await program.send("/rerun baseline again")
    assert reply.outcome is Outcome.REFUSED
    assert get_buttons(reply) == {"Create my queue": "/queue create"}
    assert len(sandbox.state.tasks) == before


async def test_the_log_shows_the_last_lines_oldest_first(
    program: RunningProgram, sandbox: Sandbox, draft: Document
) -> None:
    heading, *lines = (await program.ask("/log baseline 3")).splitlines()
    assert "last 3 lines" in heading
    assert lines[0].startswith("step 60/60 loss=")
    assert lines[1:] == ["done", "Process completed successfully"]
    await program.ask("/use baseline")
    assert len((await program.ask("/log 5")).splitlines()) == 6
    assert "no log yet. Its status is Draft" in await program.ask(f"/log {draft['id']}")
