"""The sandbox as an older server: what that server doesn't know, and what it does differently."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from clearml_chatops.sandbox import Sandbox
from tests.support.servers import API_VERSIONS, OLD_API_VERSIONS

from .support import Client

INVALID_STATUS, TASK_NOT_FOUND, TASK_NOT_IN_QUEUE = 110, 101, 703


@pytest.fixture(params=API_VERSIONS)
async def client(request: pytest.FixtureRequest, session: aiohttp.ClientSession) -> AsyncIterator[Client]:
    """A client of a server of each age."""
    async with Sandbox(api_version=request.param) as sandbox:
        yield Client(sandbox, session, sandbox.alice)


def on(*versions: str) -> pytest.MarkDecorator:
    """Run a test on these servers only."""
    return pytest.mark.parametrize("client", versions, indirect=True)


async def enqueue(client: Client, status: str = "created", **fields: Any) -> dict[str, Any]:
    """Add a task with this status and enqueue it in the default queue."""
    task = client.sandbox.state.add_task("a task", user=client.user.id, status=status)
    await client.call_for_data("tasks.enqueue", task=task["id"], **fields)
    return task


def list_entries(client: Client) -> list[str]:
    return [entry["task"] for queue in client.sandbox.state.queues.values() for entry in queue["entries"]]


async def test_a_server_tells_its_version_in_its_information_and_in_tokens(client: Client) -> None:
    expected = {"2.23": "1.9.2", "2.30": "1.16.0", "2.34": "2.3.0"}
    info = await client.call("server.info")
    assert expected[info.data["api_version"]] == info.data["version"]
    assert info.envelope["meta"]["endpoint"]["requested_version"] == info.data["api_version"]
    claims = (await client.call_for_data("auth.login"))["token"].split(".")[1]
    decoded = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    assert (decoded["api_version"], decoded["server_version"]) == (info.data["api_version"], info.data["version"])


def test_other_versions_cannot_be_played() -> None:
    for version in ("2.22", "2", ""):
        with pytest.raises(ValueError, match=r"can play API 2\.23, 2\.30, 2\.34"):
            Sandbox(api_version=version)


@on(*OLD_API_VERSIONS)
@pytest.mark.parametrize("value", [True, 1, "yes", {"any": "thing"}])
async def test_an_old_server_ignores_the_flag_that_restores_the_status(client: Client, value: object) -> None:
    """Seen on both (contract): HTTP 200, in no queue, and queued for ever."""
    task = await enqueue(client)
    queue = task["execution"]["queue"]
    body = {"queue": queue, "task": task["id"], "update_task_status": value}
    assert await client.call_for_data("queues.remove_task", **body) == {"removed": 1}
    assert (task["status"], list_entries(client)) == ("queued", [])
    assert (await client.call("queues.remove_task", **body)).subcode == TASK_NOT_IN_QUEUE

    assert (await client.call_for_data("tasks.dequeue", task=task["id"]))["updated"] == 1
    assert task["status"] == "created"


@on("2.34")
async def test_a_new_server_restores_the_status(client: Client) -> None:
    task = await enqueue(client, "failed")
    queue = task["execution"]["queue"]
    await client.call_for_data("queues.remove_task", queue=queue, task=task["id"], update_task_status=True)
    assert (task["status"], list_entries(client)) == ("failed", [])


async def test_endpoints_that_are_newer_than_the_server_do_not_exist(client: Client) -> None:
    queue = next(iter(client.sandbox.state.queues))
    statuses = [
        (await client.call(endpoint, **body)).status
        for endpoint, body in (("queues.clear_queue", {"queue": queue}), ("workers.get_count", {}))
    ]
    expected = {"2.23": [404, 404], "2.30": [404, 200], "2.34": [200, 200]}
    assert statuses == expected[client.sandbox.state.version.api]


@on(*OLD_API_VERSIONS)
async def test_an_old_server_enqueues_a_failed_task_only_with_force(client: Client) -> None:
    task = client.sandbox.state.add_task("a task", user=client.user.id, status="failed")
    refused = await client.call("tasks.enqueue", task=task["id"])
    assert (refused.status, refused.subcode) == (400, INVALID_STATUS)
    assert (task["status"], list_entries(client)) == ("failed", [])
    await client.call_for_data("tasks.enqueue", task=task["id"], force=True)
    assert (task["status"], list_entries(client)) == ("queued", [task["id"]])


@on(*OLD_API_VERSIONS)
async def test_an_old_server_refuses_to_enqueue_what_is_enqueued(client: Client) -> None:
    task = await enqueue(client)
    refused = await client.call("tasks.enqueue", task=task["id"])
    assert (refused.status, refused.subcode) == (400, INVALID_STATUS)
    assert "Task already in requested status" in refused.message
    assert list_entries(client) == [task["id"]]


@on("2.23")
async def test_the_oldest_server_loses_a_dequeued_task_that_was_failed(client: Client) -> None:
    dequeued, deleted, archived = [await enqueue(client, "failed", force=True) for _ in range(3)]
    refused = await client.call("tasks.dequeue", task=dequeued["id"])
    assert (refused.status, refused.subcode) == (400, INVALID_STATUS)
    await client.call_for_data("tasks.archive", tasks=[archived["id"]])
    queue = deleted["execution"]["queue"]
    await client.call_for_data("queues.delete", queue=queue, force=True)
    assert [task["status"] for task in (dequeued, archived, deleted)] == ["queued"] * 3
    assert list_entries(client) == []


@on("2.23")
async def test_the_oldest_server_dequeues_only_what_is_enqueued(client: Client) -> None:
    for status in ("created", "in_progress", "failed"):
        task = client.sandbox.state.add_task("a task", user=client.user.id, status=status)
        refused = await client.call("tasks.dequeue", task=task["id"])
        assert (refused.status, refused.subcode) == (400, TASK_NOT_FOUND)
        assert task["status"] == status


@pytest.mark.parametrize("endpoint", ["tasks.dequeue", "tasks.dequeue_many"])
async def test_a_chosen_status_after_dequeueing_is_ignored_before_2_26(client: Client, endpoint: str) -> None:
    task = await enqueue(client)
    await client.call_for_data(endpoint, task=task["id"], ids=[task["id"]], new_status="stopped")
    assert task["status"] == ("created" if client.sandbox.state.version.api == "2.23" else "stopped")


async def test_only_the_newest_server_stores_when_a_task_failed(client: Client) -> None:
    failed, stopped = (
        client.sandbox.state.add_task("a task", user=client.user.id, status="in_progress") for _ in range(2)
    )
    await client.call_for_data("tasks.failed", task=failed["id"])
    await client.call_for_data("tasks.stopped", task=stopped["id"])
    assert "completed" in stopped
    assert ("completed" in failed) == (client.sandbox.state.version.api == "2.34")
