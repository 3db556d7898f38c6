"""/wait, for scripts that wait for a run."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import aiohttp
import pytest

from clearml_chatops.bot.loops import Loop, run_loops
from clearml_chatops.models.replies import Outcome, Reply
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.sandbox.documents import Document
from tests.sandbox.support import Client
from tests.support.program import RunningProgram, to_plain_text


@pytest.fixture
async def agent(sandbox: Sandbox) -> AsyncIterator[Client]:
    """A client that sends what a clearml-agent sends."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Client(sandbox, session, sandbox.alice)


@pytest.fixture
async def task(program: RunningProgram, sandbox: Sandbox) -> Document:
    """An experiment that waits in Alice's queue."""
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    await program.ask("/queue create")
    await program.program.process.watcher.poll()
    return sandbox.state.tasks[(await program.send("/rerun baseline two GPUs")).experiment_id]


@pytest.fixture
async def notifications(program: RunningProgram) -> AsyncIterator[list[Reply]]:
    """The notifications that a terminal prints while it waits; watcher and delivery run as in the bot."""
    received: list[Reply] = []
    process, delivery = program.program.process, program.build_delivery(received)
    interval = timedelta(seconds=0.05)
    loops = (
        Loop(process.watcher.poll, interval, "watching"),
        Loop(delivery.deliver_due_messages, interval, "delivering"),
    )
    async with run_loops(loops, asyncio.Event()):
        yield received


async def start_run(agent: Client, task: Document) -> None:
    await agent.call_for_data("queues.get_next_task", queue=task["execution"]["queue"])
    await agent.call_for_data("tasks.started", task=task["id"], force=True)
    task["last_worker"] = "lab:alice_queue:gpu0"


async def wait_for(sandbox: Sandbox, task: Document, condition: Callable[[], bool]) -> None:
    """Wait until the condition holds on the server."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # the sandbox has no event for it
            await asyncio.sleep(0.01)


async def test_it_returns_after_the_notification_that_the_run_left_pending(
    program: RunningProgram, agent: Client, task: Document, notifications: list[Reply]
) -> None:
    waiting = asyncio.create_task(program.send("/wait timeout=30s"))
    program.sandbox.requests.clear()
    await wait_for(program.sandbox, task, lambda: len(program.sandbox.requests.list_endpoints()) > 2)
    assert not waiting.done()
    await start_run(agent, task)
    reply = await waiting
    assert (reply.outcome, reply.experiment_id) == (Outcome.DONE, task["id"])
    assert "is Running" in to_plain_text(reply)
    assert len(notifications) == 1
    assert "” started on " in to_plain_text(notifications[0])


async def test_it_returns_at_the_requested_status(
    program: RunningProgram, agent: Client, task: Document, notifications: list[Reply]
) -> None:
    waiting = asyncio.create_task(program.send(f"/wait {task['id']} completed timeout=30s"))
    await start_run(agent, task)
    await agent.call_for_data("tasks.completed", task=task["id"])
    assert "is Completed" in to_plain_text(await waiting)
    texts = "\n".join(map(to_plain_text, notifications))
    assert 0 <= texts.find("” started on ") < texts.find("” completed")


async def test_it_returns_at_once_if_the_status_is_reached(
    program: RunningProgram, agent: Client, task: Document, notifications: list[Reply]
) -> None:
    await start_run(agent, task)
    async with asyncio.timeout(20):
        for line in ("/wait", "/wait running", f"/wait {task['id']} RUNNING", "/wait baseline completed"):
            await program.ask(line)


async def test_a_timeout_is_an_error_that_names_the_status(
    program: RunningProgram, task: Document, notifications: list[Reply]
) -> None:
    reply = await program.send("/wait completed timeout=1s")
    assert reply.outcome is Outcome.REFUSED
    assert "is still Pending after 1 s" in to_plain_text(reply)
    assert await program.send_for_error_code("/wait timeout=1s") == "wait_timeout"
    assert await program.send_for_error_code("/wait pending timeout=soon") == "invalid_value"


@pytest.mark.parametrize("ending", ["failed", "stopped"])
async def test_a_run_that_finished_with_another_status_is_an_error(
    program: RunningProgram, agent: Client, task: Document, notifications: list[Reply], ending: str
) -> None:
    waiting = asyncio.create_task(program.send_for_error_code("/wait completed timeout=60s"))
    await start_run(agent, task)
    await agent.call_for_data(f"tasks.{ending}", task=task["id"])
    async with asyncio.timeout(20):
        assert await waiting == "wait_impossible"


async def test_a_person_can_wait_for_another_persons_run(
    program: RunningProgram, sandbox: Sandbox, agent: Client, task: Document, notifications: list[Reply]
) -> None:
    bob_task = sandbox.state.add_task("bob's", user=sandbox.bob.id)
    await agent.call_for_data("tasks.enqueue", task=bob_task["id"], queue_name="alice_queue")
    waiting = asyncio.create_task(program.send(f"/wait {bob_task['id']} timeout=30s"))
    sandbox.requests.clear()
    await wait_for(sandbox, bob_task, lambda: len(sandbox.requests.list_endpoints()) > 4)
    await agent.call_for_data("tasks.started", task=bob_task["id"], force=True)
    bob_task["last_worker"] = "lab:alice_queue:gpu0"
    assert "is Running" in to_plain_text(await waiting)


async def test_it_returns_without_a_watcher_too(
    program: RunningProgram, agent: Client, task: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for the notification, but not forever."""
    monkeypatch.setattr(
        "clearml_chatops.services.experiments.run_waiter._NOTIFICATION_TIMEOUT", timedelta(seconds=0.2)
    )
    await start_run(agent, task)
    async with asyncio.timeout(20):
        assert "is Running" in await program.ask("/wait")
