"""/wait: for scripts that follow a run."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import aiohttp
import pytest

from clearml_chatops.bot.loops import Loop, looping
from clearml_chatops.models.replies import Outcome, Reply
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.sandbox.documents import Document
from tests.sandbox.support import Client
from tests.support.program import RunningProgram, plain_text


@pytest.fixture
async def agent(sandbox: Sandbox) -> AsyncIterator[Client]:
    """What a clearml-agent would send."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Client(sandbox, session, sandbox.alice)


@pytest.fixture
async def task(program: RunningProgram, sandbox: Sandbox) -> Document:
    """An experiment that waits in Alice's queue."""
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    await program.ask("/queue create")
    await program.program.process.watcher.look()
    return sandbox.state.tasks[(await program.say("/rerun baseline two cards")).experiment_id]


@pytest.fixture
async def heard(program: RunningProgram) -> AsyncIterator[list[Reply]]:
    """What a terminal prints while it waits: watcher and delivery run as in the bot."""
    told: list[Reply] = []
    process, delivery = program.program.process, program.delivery(told)
    pause = timedelta(seconds=0.05)
    loops = (Loop(process.watcher.look, pause, "watching"), Loop(delivery.deliver_due, pause, "delivering"))
    async with looping(loops, asyncio.Event()):
        yield told


async def start(agent: Client, task: Document) -> None:
    await agent.data("queues.get_next_task", queue=task["execution"]["queue"])
    await agent.data("tasks.started", task=task["id"], force=True)
    task["last_worker"] = "lab:alice_queue:gpu0"


async def asked_of(sandbox: Sandbox, task: Document, condition: Callable[[], bool]) -> None:
    """Waits until the condition holds, seen from the server."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # the sandbox tells nobody
            await asyncio.sleep(0.01)


async def test_it_ends_when_the_experiment_has_left_pending_and_the_news_stands_above(
    program: RunningProgram, agent: Client, task: Document, heard: list[Reply]
) -> None:
    waiting = asyncio.create_task(program.say("/wait timeout=30s"))
    program.sandbox.requests.clear()
    await asked_of(program.sandbox, task, lambda: len(program.sandbox.requests.names()) > 2)
    assert not waiting.done()
    await start(agent, task)
    reply = await waiting
    assert (reply.outcome, reply.experiment_id) == (Outcome.DONE, task["id"])
    assert "is Running" in plain_text(reply)
    assert len(heard) == 1
    assert "left Pending" in plain_text(heard[0])


async def test_it_ends_at_the_status_that_was_asked_for(
    program: RunningProgram, agent: Client, task: Document, heard: list[Reply]
) -> None:
    waiting = asyncio.create_task(program.say(f"/wait {task['id']} completed timeout=30s"))
    await start(agent, task)
    await agent.data("tasks.completed", task=task["id"])
    assert "is Completed" in plain_text(await waiting)
    told = "\n".join(map(plain_text, heard))
    assert 0 <= told.find("left Pending") < told.find("Completed")


async def test_what_is_reached_already_is_not_waited_for(
    program: RunningProgram, agent: Client, task: Document, heard: list[Reply]
) -> None:
    await start(agent, task)
    async with asyncio.timeout(20):
        for line in ("/wait", "/wait running", f"/wait {task['id']} RUNNING", "/wait baseline completed"):
            await program.ask(line)


async def test_the_end_of_patience_is_an_error_that_names_the_status(
    program: RunningProgram, task: Document, heard: list[Reply]
) -> None:
    reply = await program.say("/wait completed timeout=1s")
    assert reply.outcome is Outcome.REFUSED
    assert "is still Pending after 1 s" in plain_text(reply)
    assert await program.error_code("/wait timeout=1s") == "wait_timeout"
    assert await program.error_code("/wait pending timeout=soon") == "invalid_value"


@pytest.mark.parametrize("ending", ["failed", "stopped"])
async def test_what_ended_otherwise_is_not_waited_for_any_longer(
    program: RunningProgram, agent: Client, task: Document, heard: list[Reply], ending: str
) -> None:
    waiting = asyncio.create_task(program.error_code("/wait completed timeout=60s"))
    await start(agent, task)
    await agent.data(f"tasks.{ending}", task=task["id"])
    async with asyncio.timeout(20):
        assert await waiting == "wait_impossible"


async def test_one_can_wait_for_what_another_has_enqueued(
    program: RunningProgram, sandbox: Sandbox, agent: Client, task: Document, heard: list[Reply]
) -> None:
    bobs = sandbox.state.add_task("bob's", user=sandbox.bob.id)
    await agent.data("tasks.enqueue", task=bobs["id"], queue_name="alice_queue")
    waiting = asyncio.create_task(program.say(f"/wait {bobs['id']} timeout=30s"))
    sandbox.requests.clear()
    await asked_of(sandbox, bobs, lambda: len(sandbox.requests.names()) > 4)
    await agent.data("tasks.started", task=bobs["id"], force=True)
    bobs["last_worker"] = "lab:alice_queue:gpu0"
    assert "is Running" in plain_text(await waiting)


async def test_without_a_watcher_it_ends_all_the_same(
    program: RunningProgram, agent: Client, task: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The news is waited for, but not for ever."""
    monkeypatch.setattr("clearml_chatops.services.experiments.waiting._TIME_FOR_THE_NEWS", timedelta(seconds=0.2))
    await start(agent, task)
    async with asyncio.timeout(20):
        assert "is Running" in await program.ask("/wait")
