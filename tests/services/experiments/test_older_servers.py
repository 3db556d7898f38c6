"""Queues on servers of every age: what left a queue is what it was before, and nothing stays Pending unseen."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from clearml_chatops.models.replies import Outcome
from clearml_chatops.sandbox import Sandbox, queue_entries
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.sandbox.documents import Document
from clearml_chatops.sandbox.registry import ENDPOINTS, Call
from tests.sandbox.support import Client
from tests.support.program import get_buttons, run_program, to_plain_text
from tests.support.servers import API_VERSIONS, OLD_API_VERSIONS
from tests.support.watcher_setup import ManualClock, WatcherSetup, build_watcher


@pytest.fixture(params=API_VERSIONS)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[WatcherSetup]:
    """A program with a queue, on a server of each age."""
    clock = ManualClock()
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(Sandbox(clock=clock, api_version=request.param))
        add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
        program = await stack.enter_async_context(run_program(sandbox, tmp_path))
        session = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        agent = Client(sandbox, session, sandbox.alice)
        world = WatcherSetup(clock, sandbox, program, agent, build_watcher(program, clock))
        await program.ask("/queue create")
        await world.poll()
        yield world


old_servers = pytest.mark.parametrize("world", OLD_API_VERSIONS, indirect=True)


def add_experiment(world: WatcherSetup, status: str) -> Document:
    """Add an experiment of Alice's that has this status and can run."""
    return world.sandbox.state.add_task(
        f"was {status}",
        user=world.sandbox.alice.id,
        status=status,
        status_changed=world.clock(),
        script={"repository": "", "diff": "print()", "entry_point": "train.py"},
    )


async def enqueue(world: WatcherSetup, status: str) -> Document:
    task = add_experiment(world, status)
    await world.program.ask(f"/enqueue {task['id']}")
    assert task["status"] == "queued"
    return task


def do_before(monkeypatch: pytest.MonkeyPatch, endpoint: str, action: Callable[[Call], None]) -> None:
    """Do something on the server just before it carries out a request."""
    original = ENDPOINTS[endpoint]

    def handle(call: Call) -> Document:
        action(call)
        return original.handler(call)

    monkeypatch.setitem(ENDPOINTS, endpoint, replace(original, handler=handle))


def list_entries(sandbox: Sandbox) -> list[str]:
    return [entry["task"] for queue in sandbox.state.queues.values() for entry in queue["entries"]]


@pytest.mark.parametrize(("status", "label"), [("created", "Draft"), ("failed", "Failed"), ("stopped", "Aborted")])
async def test_dequeue_restores_the_status(world: WatcherSetup, status: str, label: str) -> None:
    task = await enqueue(world, status)
    assert f"out of its queue. It's {label} again." in await world.program.ask(f"/dequeue {task['id']}")
    assert (task["status"], list_entries(world.sandbox)) == (status, [])
    assert "Pending in alice_queue" in await world.program.ask(f"/enqueue {task['id']}")
    assert list_entries(world.sandbox) == [task["id"]]


@pytest.mark.parametrize("status", ["failed", "stopped"])
async def test_what_was_dequeued_is_not_announced_as_ended(world: WatcherSetup, status: str) -> None:
    task = await world.enqueue_clone()
    await world.start_run(task)
    await world.finish_run(task, status)
    await world.poll()
    await world.program.ask(f"/retry {task['id']}")
    await world.poll()
    await world.program.ask(f"/dequeue {task['id']}")
    assert await world.poll() == []
    assert task["status"] == status


async def test_a_retried_run_that_fails_again_is_announced(world: WatcherSetup) -> None:
    task = await world.enqueue_clone()
    await world.start_run(task)
    await world.finish_run(task, "failed")
    await world.poll()
    await world.program.ask(f"/retry {task['id']}")
    await world.poll()
    await world.start_run(task)
    await world.finish_run(task, "failed", by_agent=True)
    assert any("failed" in text for text in await world.poll())


async def test_what_a_worker_has_just_taken_is_refused_and_runs(
    world: WatcherSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent takes and starts it after the bot has read that it's Pending."""
    task = await enqueue(world, "created")

    def start(call: Call) -> None:
        queue_entries.remove_from_all_queues(call.state, task["id"])
        task.update(status="in_progress", started=world.clock(), last_worker="lab:alice_queue:gpu0")

    do_before(monkeypatch, "queues.remove_task", start)
    reply = await world.program.send(f"/dequeue {task['id']}")
    assert reply.outcome is Outcome.REFUSED
    assert "is Running, not Pending" in to_plain_text(reply)
    assert get_buttons(reply) == {"Abort": f"/abort {task['id']}"}
    assert task["status"] == "in_progress"
    assert world.sandbox.requests.find_by_endpoint("tasks.dequeue", "tasks.failed") == []


async def test_what_a_worker_has_taken_but_not_started_is_left_to_it(world: WatcherSetup) -> None:
    task = await enqueue(world, "created")
    await world.agent.call_for_data("queues.get_next_task", queue=task["execution"]["queue"])
    reply = await world.program.send(f"/dequeue {task['id']}")
    assert reply.outcome is Outcome.REFUSED
    assert "A worker is probably starting it." in to_plain_text(reply)
    assert get_buttons(reply) == {"Show": f"/show {task['id']}", "Abort": f"/abort {task['id']}"}
    assert task["status"] == "queued"
    assert world.sandbox.requests.find_by_endpoint("tasks.dequeue", "tasks.failed") == []


@old_servers
@pytest.mark.parametrize("endpoint", ["server.info", "tasks.dequeue"])
async def test_a_failure_after_the_removal_is_told_with_a_way_out(world: WatcherSetup, endpoint: str) -> None:
    task = await enqueue(world, "created")
    world.sandbox.faults.answer(endpoint, status=502)
    reply = await world.program.send(f"/dequeue {task['id']}")
    assert reply.outcome is Outcome.REFUSED
    assert "ClearML may still show it as Pending." in to_plain_text(reply)
    assert (task["status"], list_entries(world.sandbox)) == ("queued", [])

    world.sandbox.faults.clear()
    await world.program.ask(get_buttons(reply)["Abort"])
    await world.program.ask(f"/enqueue {task['id']}")
    assert list_entries(world.sandbox) == [task["id"]]


async def test_a_dequeue_whose_answer_was_lost_is_not_claimed_to_run(world: WatcherSetup) -> None:
    task = await enqueue(world, "created")
    world.sandbox.faults.disconnect("queues.remove_task", takes_effect=True, times=1)
    assert (await world.program.send(f"/dequeue {task['id']}")).outcome is not Outcome.DONE
    reply = await world.program.send(f"/dequeue {task['id']}")
    assert "Running" not in to_plain_text(reply)
    if task["status"] == "queued":
        await world.program.ask(get_buttons(reply)["Abort"])
    assert task["status"] in {"created", "stopped"}


async def test_a_failed_run_is_retried_at_the_front(world: WatcherSetup) -> None:
    first = await enqueue(world, "created")
    failed = add_experiment(world, "failed")
    await world.program.ask(f"/enqueue {failed['id']} front")
    assert list_entries(world.sandbox) == [failed["id"], first["id"]]
    await world.start_run(failed)
    await world.finish_run(failed, "failed")
    assert "Pending in alice_queue" in await world.program.ask(f"/retry {failed['id']}")


@pytest.mark.parametrize(("status", "code"), [("queued", "already_pending"), ("in_progress", "cannot_enqueue")])
async def test_what_changed_before_the_enqueue_is_not_forced(
    world: WatcherSetup, monkeypatch: pytest.MonkeyPatch, status: str, code: str
) -> None:
    """Somebody else enqueues or starts it after the bot has read that it's Failed."""
    task = add_experiment(world, "failed")
    queue = world.sandbox.state.find_queue("alice_queue")
    assert queue

    def change(_: Call) -> None:
        task.update(status=status, execution={**task["execution"], "queue": queue["id"]})
        if status == "queued":
            queue["entries"][:] = [{"task": task["id"], "added": world.clock()}]

    do_before(monkeypatch, "tasks.enqueue", change)
    assert await world.program.send_for_error_code(f"/enqueue {task['id']}") == code
    assert task["status"] == status
    requests = world.sandbox.requests.find_by_endpoint("tasks.enqueue")
    assert [request.body.get("force") for request in requests] == [None]


async def test_deleting_a_queue_restores_what_waited_in_it(world: WatcherSetup) -> None:
    tasks = [await enqueue(world, status) for status in ("created", "failed", "stopped")]
    assert (await world.program.send("/queue delete alice_queue")).outcome is Outcome.ASKED
    assert [task["status"] for task in tasks] == ["queued"] * 3
    await world.program.ask("/queue delete alice_queue --yes")
    assert [task["status"] for task in tasks] == ["created", "failed", "stopped"]
    assert world.sandbox.state.find_queue("alice_queue") is None


async def test_resetting_archiving_and_aborting_work(world: WatcherSetup) -> None:
    reset, archived, aborted = (add_experiment(world, status) for status in ("failed", "failed", "created"))
    await world.program.ask(f"/reset {reset['id']} --yes")
    await world.program.ask(f"/archive {archived['id']}")
    await world.program.ask(f"/enqueue {aborted['id']}")
    await world.program.ask(f"/abort {aborted['id']}")
    assert (reset["status"], aborted["status"]) == ("created", "stopped")
    assert "archived" in archived["system_tags"]


@pytest.mark.parametrize("version", ["", "unknown", "2.x", "2.22"])
async def test_a_server_that_tells_no_usable_version_counts_as_old(world: WatcherSetup, version: str) -> None:
    task = await enqueue(world, "created")
    world.sandbox.faults.answer(
        "server.info",
        status=200,
        body=f'{{"meta": {{"result_code": 200, "result_subcode": 0, "result_msg": "OK"}}, '
        f'"data": {{"api_version": "{version}"}}}}',
        content_type="application/json",
    )
    await world.program.ask(f"/dequeue {task['id']}")
    assert (task["status"], list_entries(world.sandbox)) == ("created", [])
