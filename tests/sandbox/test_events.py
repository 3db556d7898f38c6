"""Reporting and reading logs and scalars."""

import json
from hashlib import md5
from typing import Any

import pytest

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.events import add_events

from .support import Client


@pytest.fixture
def task(sandbox: Sandbox) -> dict[str, Any]:
    return sandbox.state.add_task("a run", user=sandbox.alice.id, status="in_progress")


def build_log_events(task: dict[str, Any], *numbers: int) -> list[dict[str, Any]]:
    return [
        {"type": "log", "task": task["id"], "timestamp": 1000 + number, "msg": f"line {number}"}
        for number in numbers
    ]


def list_messages(answer: dict[str, Any]) -> list[str]:
    return [event["msg"] for event in answer["events"]]


async def test_log_is_read_from_either_end(client: Client, sandbox: Sandbox, task: dict[str, Any]) -> None:
    add_events(sandbox.state, build_log_events(task, 3, 1, 2, 5, 4))

    async def read(**query: Any) -> list[str]:
        return list_messages(
            await client.call_for_data("events.get_task_log", task=task["id"], batch_size=2, **query)
        )

    assert await read() == ["line 5", "line 4"]
    assert await read(from_timestamp=1004) == ["line 3", "line 2"]
    assert await read(navigate_earlier=False) == ["line 1", "line 2"]
    assert await read(navigate_earlier=False, from_timestamp=1002) == ["line 3", "line 4"]
    assert await read(order="asc") == ["line 4", "line 5"]


async def test_log_lines_of_the_same_millisecond_stay_together(
    client: Client, sandbox: Sandbox, task: dict[str, Any]
) -> None:
    simultaneous = [{**line, "timestamp": 1002} for line in build_log_events(task, 2, 3, 4)]
    add_events(sandbox.state, [*build_log_events(task, 1), *simultaneous, *build_log_events(task, 5)])

    async def read(**query: Any) -> list[str]:
        return list_messages(
            await client.call_for_data("events.get_task_log", task=task["id"], batch_size=2, **query)
        )

    assert await read(navigate_earlier=False) == ["line 1", "line 2", "line 3", "line 4"]
    assert await read(navigate_earlier=False, from_timestamp=1002) == ["line 5"]
    assert await read() == ["line 5", "line 4", "line 3", "line 2"]
    assert await read(from_timestamp=1002) == ["line 1"]


async def test_machine_metrics_do_not_advance_the_iteration(sandbox: Sandbox, task: dict[str, Any]) -> None:
    for metric, iteration in (("loss", 3), (":monitor:gpu", 60), (":monitor:machine", 90)):
        scalar = {"type": "training_stats_scalar", "task": task["id"], "metric": metric, "variant": "x"}
        add_events(sandbox.state, [{**scalar, "iter": iteration, "value": 1}])
    assert task["last_iteration"] == 3


async def test_batch_skips_events_of_unknown_tasks(client: Client, sandbox: Sandbox, task: dict[str, Any]) -> None:
    events = [*build_log_events(task, 1, 2), {"type": "log", "task": "gone", "msg": "lost"}]
    body = "\n".join(json.dumps(event) for event in events)
    headers = {"Authorization": f"Bearer {(await client.call_for_data('auth.login'))['token']}"}
    url = f"{sandbox.url}/v2.23/events.add_batch"
    async with client.session.post(url, data=body.encode(), headers=headers) as response:
        data = (await response.json())["data"]
    assert data == {"added": 2, "errors": 1, "errors_info": {"Invalid task id gone": 1}}

    none = await client.call("events.add_batch", type="log", task="gone", msg="lost")
    assert (none.status, none.subcode) == (400, 131)
    assert none.message == "Events not added: Invalid task id gone=1"


async def test_scalars_update_the_last_minimum_and_maximum_values_of_the_task(
    client: Client, sandbox: Sandbox, task: dict[str, Any]
) -> None:
    for step, value in enumerate((0.9, 0.2, 0.4)):
        scalar = {"metric": "loss", "variant": "train", "iter": step, "value": value}
        await client.call_for_data("events.add_batch", type="training_stats_scalar", task=task["id"], **scalar)

    entry = task["last_metrics"][md5(b"loss").hexdigest()][md5(b"train").hexdigest()]
    assert (entry["metric"], entry["variant"]) == ("loss", "train")
    assert (entry["value"], entry["min_value"], entry["max_value"]) == (0.4, 0.2, 0.9)
    assert task["last_iteration"] == 2
    latest = await client.call_for_data("events.get_task_latest_scalar_values", task=task["id"])
    assert latest["metrics"][0]["variants"][0]["last_value"] == 0.4
    curves = await client.call_for_data("events.scalar_metrics_iter_histogram", task=task["id"])
    assert curves == {"loss": {"train": {"name": "train", "x": [0, 1, 2], "y": [0.9, 0.2, 0.4]}}}
    sampled = await client.call_for_data("events.scalar_metrics_iter_histogram", task=task["id"], samples=2)
    assert sampled["loss"]["train"]["x"] == [0, 2]


async def test_raw_points_come_in_batches(client: Client, sandbox: Sandbox, task: dict[str, Any]) -> None:
    scalar = {"type": "training_stats_scalar", "task": task["id"], "metric": "loss", "variant": "train"}
    add_events(sandbox.state, ({**scalar, "iter": step, "value": step} for step in range(5)))
    query = {"task": task["id"], "metric": {"metric": "loss"}, "batch_size": 3}
    first = await client.call_for_data("events.scalar_metrics_iter_raw", **query)
    second = await client.call_for_data("events.scalar_metrics_iter_raw", **query, scroll_id=first["scroll_id"])
    assert first["variants"]["train"]["iter"] == [0, 1, 2]
    assert second["variants"]["train"]["iter"] == [3, 4]
