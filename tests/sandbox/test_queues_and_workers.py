"""The order of queues, registering and expiring workers, and statistics about both."""

from typing import Any

import pytest

from clearml_chatops.sandbox import Sandbox

from .support import Client, Clock


@pytest.fixture
async def queue(client: Client, sandbox: Sandbox) -> dict[str, Any]:
    """A queue with three tasks."""
    created = sandbox.state.add_queue("alice_queue")
    for name in ("one", "two", "three"):
        task = sandbox.state.add_task(name, user=sandbox.alice.id)
        await client.call_for_data("tasks.enqueue", task=task["id"], queue=created["id"])
    return created


def list_task_names(sandbox: Sandbox, queue: dict[str, Any]) -> list[str]:
    return [sandbox.state.tasks[entry["task"]]["name"] for entry in queue["entries"]]


async def test_tasks_move_within_their_queue(client: Client, sandbox: Sandbox, queue: dict[str, Any]) -> None:
    ids = {sandbox.state.tasks[entry["task"]]["name"]: entry["task"] for entry in queue["entries"]}

    async def move(direction: str, name: str, **count: int) -> int:
        answer = await client.call_for_data(
            f"queues.move_task_{direction}", queue=queue["id"], task=ids[name], **count
        )
        return int(answer["position"])

    assert await move("to_front", "three") == 0
    assert list_task_names(sandbox, queue) == ["three", "one", "two"]
    assert await move("to_back", "three") == 2
    assert await move("forward", "three", count=1) == 1
    assert list_task_names(sandbox, queue) == ["one", "three", "two"]
    assert await move("backward", "one", count=99) == 2
    assert await move("forward", "one", count=-1) == 2
    unknown = await client.call("queues.move_task_to_front", queue=queue["id"], task="0" * 32)
    assert unknown.subcode == 703


async def test_next_task_is_the_first_and_its_waiting_time_is_measured(
    client: Client, sandbox: Sandbox, clock: Clock, queue: dict[str, Any]
) -> None:
    clock.advance(seconds=30)
    answer = await client.call_for_data("queues.get_next_task", queue=queue["id"], get_task_info=True)
    assert sandbox.state.tasks[answer["entry"]["task"]]["name"] == "one"
    assert answer["task_info"]["user"] == sandbox.alice.id
    assert sandbox.state.tasks[answer["entry"]["task"]]["status"] == "queued"

    now = clock.moment.timestamp()
    metrics = await client.call_for_data(
        "queues.get_queue_metrics", from_date=now - 60, to_date=now + 60, interval=60, queue_ids=[queue["id"]]
    )
    waits = metrics["queues"][0]["avg_waiting_times"]
    assert len(waits) == 1
    assert waits[0] == pytest.approx(30, abs=0.01)
    assert metrics["queues"][0]["queue_lengths"] == [2]


async def test_queue_names_are_unique_and_tags_are_replaced(
    client: Client, sandbox: Sandbox, queue: dict[str, Any]
) -> None:
    assert (await client.call("queues.create", name="alice_queue")).subcode == 801
    assert (await client.call("queues.create", name="ab")).subcode == 800
    await client.call_for_data("queues.update", queue=queue["id"], name="renamed", tags=["force_workers:off"])
    await client.call_for_data("queues.update", queue=queue["id"], tags=[])
    assert (queue["name"], queue["tags"]) == ("renamed", [])
    assert (await client.call("queues.update", queue=queue["id"], name="default")).subcode == 801


async def test_worker_is_listed_with_its_current_and_next_task(
    client: Client, sandbox: Sandbox, clock: Clock, queue: dict[str, Any]
) -> None:
    await client.call_for_data("workers.register", worker="box:gpu0", queues=[queue["id"]])
    task_id = (await client.call_for_data("queues.get_next_task", queue=queue["id"]))["entry"]["task"]
    await client.call_for_data("tasks.started", task=task_id, force=True)
    clock.advance(seconds=7)
    report = {"task": task_id, "queue": queue["id"], "queues": [queue["id"]], "timestamp": 0}
    await client.call_for_data("workers.status_report", worker="box:gpu0", **report)

    worker = (await client.call_for_data("workers.get_all"))["workers"][0]
    assert worker["task"] == {"id": task_id, "name": "one", "running_time": 7000, "last_iteration": 0}
    assert worker["queue"] == {"id": queue["id"], "name": "alice_queue"}
    assert worker["queues"][0]["next_task"]["name"] == "two"
    assert worker["queues"][0]["num_tasks"] == 2
    listed = await client.call_for_data("queues.get_all_ex", id=[queue["id"]])
    assert [item["name"] for item in listed["queues"][0]["workers"]] == ["box:gpu0"]
    assert sandbox.state.tasks[task_id]["last_worker"] == "box:gpu0"


async def test_inactive_worker_expires(client: Client, clock: Clock, queue: dict[str, Any]) -> None:
    await client.call_for_data("workers.register", worker="box:gpu0", queues=[queue["id"]])

    async def count_workers(**query: int) -> int:
        return len((await client.call_for_data("workers.get_all", **query))["workers"])

    clock.advance(seconds=590)
    assert await count_workers() == 1
    assert await count_workers(last_seen=60) == 0
    clock.advance(seconds=11)
    assert await count_workers(last_seen=0) == 0


async def test_two_users_can_have_workers_with_the_same_id(
    client: Client, sandbox: Sandbox, queue: dict[str, Any]
) -> None:
    bob = client.acting_as(sandbox.bob)
    for owner in (client, bob):
        await owner.call_for_data("workers.register", worker="box:gpu0", queues=[queue["id"]])
    await bob.call_for_data("workers.unregister", worker="box:gpu0")

    remaining = (await client.call_for_data("workers.get_all"))["workers"]
    assert [worker["user"]["name"] for worker in remaining] == ["Alice Adams"]
    await bob.call_for_data("workers.unregister", worker="box:gpu0")
