"""Runs: into a queue and out of it, and what becomes of them."""

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
from tests.support.program import RunningProgram, buttons, plain_text
from tests.support.waiting import until


@pytest.fixture
async def agent(sandbox: Sandbox) -> AsyncIterator[Client]:
    """What a clearml-agent would send."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Client(sandbox, session, sandbox.alice)


@pytest.fixture
async def draft(program: RunningProgram, sandbox: Sandbox) -> Document:
    """A clone of the baseline, and a queue to put it into."""
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    await program.ask("/queue create")
    return sandbox.state.tasks[(await program.say("/clone baseline two cards")).experiment_id]


async def start(agent: Client, task: Document) -> None:
    queue = task["execution"]["queue"]
    await agent.data("workers.register", worker="lab:alice_queue:gpu0", queues=[queue])
    await agent.data("queues.get_next_task", queue=queue)
    await agent.data("tasks.started", task=task["id"], force=True)
    await agent.data(
        "workers.status_report",
        worker="lab:alice_queue:gpu0",
        timestamp=time.time() * 1000,
        task=task["id"],
        queue=queue,
        queues=[queue],
    )


async def test_enqueue_says_whether_anybody_listens(
    program: RunningProgram, agent: Client, draft: Document
) -> None:
    assert "No worker listens on alice_queue" in await program.ask("/enqueue")
    await program.ask("/dequeue")
    queue = draft["execution"]["queue"]
    await agent.data("workers.register", worker="lab:alice_queue:gpu0", queues=[queue])
    assert "No worker listens" not in await program.ask("/enqueue")
    assert draft["status"] == "queued"


async def test_dequeue_gives_back_the_status_of_before(
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


async def test_what_waits_is_aborted_at_once_and_what_runs_after_a_question(
    program: RunningProgram, agent: Client, draft: Document
) -> None:
    await program.ask("/enqueue")
    assert "is Aborted" in await program.ask("/abort")
    assert draft["status"] == "stopped"

    await program.ask("/retry")
    await start(agent, draft)
    reply = await program.say("/abort")
    assert (reply.outcome, draft["status_message"]) == (Outcome.ASKED, "")
    assert "two cards” of Alice Adams is Running" in plain_text(reply)
    assert "has not ended it yet" in await program.ask(buttons(reply)["Abort it"])
    assert (draft["status"], draft["status_message"]) == ("in_progress", "stopping")


async def test_an_abort_that_a_fresh_agent_writes_over_is_repeated(
    program: RunningProgram, agent: Client, draft: Document
) -> None:
    await program.ask("/enqueue")
    await start(agent, draft)
    aborting = asyncio.create_task(program.ask("/abort --yes"))
    await until(lambda: draft["status_message"] == "stopping")
    await agent.data("tasks.started", task=draft["id"], force=True, status_message="launch by agent")

    await until(lambda: draft["status_message"] == "stopping")
    await agent.data("tasks.stopped", task=draft["id"])

    assert "is Aborted" in await aborting


async def test_one_that_ended_before_it_could_be_aborted_is_left_as_it_is(
    program: RunningProgram, agent: Client, draft: Document
) -> None:
    await program.ask("/enqueue")
    await start(agent, draft)
    button = buttons(await program.say("/abort"))["Abort it"]
    await agent.data("tasks.completed", task=draft["id"])
    assert await program.error_code(button) == "cannot_abort"
    assert draft["status"] == "completed"


async def test_a_failed_run_goes_back_into_its_former_queue(
    program: RunningProgram, agent: Client, sandbox: Sandbox, draft: Document
) -> None:
    await program.ask("/enqueue queue=default")
    await start(agent, draft)
    await agent.data("tasks.failed", task=draft["id"])
    assert "Pending in default" in await program.ask("/retry")
    await program.ask("/abort")
    assert "Pending in alice_queue" in await program.ask("/retry queue=alice_queue")
    await program.ask("/abort")
    queue = sandbox.state.queue_named("alice_queue")
    assert queue
    await program.ask("/queue create gpu_queue")
    await program.ask("/queue use gpu_queue")
    del sandbox.state.queues[queue["id"]]
    assert "Pending in gpu_queue" in await program.ask("/retry"), "one's own, where the former one is gone"


async def test_reset_asks_and_then_deletes_what_the_run_left(
    program: RunningProgram, sandbox: Sandbox, draft: Document
) -> None:
    failed = next(task for task in sandbox.state.tasks.values() if task["status"] == "failed")
    reply = await program.say(f"/reset {failed['id']}")
    assert (reply.outcome, failed["status"]) == (Outcome.ASKED, "failed")
    assert failed["id"] in sandbox.state.events
    await program.ask(buttons(reply)["Reset it"])
    assert failed["status"] == "created"
    assert failed["id"] not in sandbox.state.events
    await program.ask(f"/set {failed['id']} args.lr=0.01")


async def test_rerun_copies_changes_and_enqueues_and_leaves_the_source_alone(
    program: RunningProgram, sandbox: Sandbox, draft: Document
) -> None:
    source = sandbox.state.tasks[draft["parent"]]
    before = {name: dict(item) for name, item in source["hyperparams"]["Args"].items()}
    reply = await program.say("/rerun baseline on other cards args.gpus=2,3 ARGS.LR=0.5 image=python:3.12")
    copy = sandbox.state.tasks[reply.experiment_id]
    assert (copy["name"], copy["status"], copy["parent"]) == ("on other cards", "queued", source["id"])
    changed = {**before, "gpus": {**before["gpus"], "value": "2,3"}, "lr": {**before["lr"], "value": "0.5"}}
    assert copy["hyperparams"]["Args"] == changed
    assert copy["container"]["image"] == "python:3.12"
    assert copy["container"]["arguments"] == source["container"]["arguments"]
    assert source["hyperparams"]["Args"] == before
    assert copy["script"] == source["script"]


async def test_rerun_without_a_name_says_whose_copy_it_is(
    program: RunningProgram, sandbox: Sandbox, draft: Document
) -> None:
    reply = await program.say(f"/rerun {draft['parent']}")
    assert sandbox.state.tasks[reply.experiment_id]["name"] == "Clone of baseline"


async def test_rerun_makes_nothing_where_there_is_no_queue(program: RunningProgram, sandbox: Sandbox) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    before = len(sandbox.state.tasks)
    reply = await program.say("/rerun baseline again")
    assert reply.outcome is Outcome.REFUSED
    assert buttons(reply) == {"Create my queue": "/queue create"}
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
    assert "it is Draft" in await program.ask(f"/log {draft['id']}")
