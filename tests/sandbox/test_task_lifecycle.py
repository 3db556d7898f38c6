"""Status changes and edits of tasks, with the surprising parts of the real server's behaviour."""

from typing import Any

import pytest

from clearml_chatops.sandbox import Sandbox

from .support import Client, Clock

UNKNOWN_ID = "0" * 32


@pytest.fixture
def task(sandbox: Sandbox) -> dict[str, Any]:
    """Alice's draft."""
    return sandbox.state.add_task("a draft", user=sandbox.alice.id)


@pytest.fixture
def queue(sandbox: Sandbox) -> dict[str, Any]:
    return sandbox.state.add_queue("alice_queue")


def list_entries(queue: dict[str, Any]) -> list[str]:
    return [entry["task"] for entry in queue["entries"]]


async def test_enqueueing_again_in_the_same_queue_keeps_the_position_but_loses_the_previous_status(
    client: Client, sandbox: Sandbox, queue: dict[str, Any]
) -> None:
    stopped = sandbox.state.add_task("was stopped", user=sandbox.alice.id, status="stopped")
    other = sandbox.state.add_task("the next", user=sandbox.alice.id)
    for queued in (stopped, other):
        await client.call_for_data("tasks.enqueue", task=queued["id"], queue=queue["id"])

    again = await client.call("tasks.enqueue", task=stopped["id"], queue=queue["id"])
    assert (again.status, again.subcode) == (400, 706)
    assert list_entries(queue) == [stopped["id"], other["id"]]
    assert (stopped["status"], stopped["status_reason"]) == ("queued", "failed enqueueing")

    await client.call_for_data("tasks.dequeue", task=stopped["id"])
    assert stopped["status"] == "created"


async def test_dequeue_restores_the_previous_status(
    client: Client, sandbox: Sandbox, queue: dict[str, Any]
) -> None:
    failed = sandbox.state.add_task("had failed", user=sandbox.alice.id, status="failed")
    await client.call_for_data("tasks.enqueue", task=failed["id"], queue=queue["id"])
    await client.call_for_data("tasks.dequeue", task=failed["id"])

    assert failed["status"] == "failed"
    assert failed["execution"]["queue"] == queue["id"]
    assert list_entries(queue) == []


async def test_enqueueing_in_another_queue_moves_the_task(
    client: Client, sandbox: Sandbox, task: dict[str, Any], queue: dict[str, Any]
) -> None:
    other = sandbox.state.add_queue("another_queue")
    await client.call_for_data("tasks.enqueue", task=task["id"], queue=queue["id"])
    await client.call_for_data("tasks.enqueue", task=task["id"], queue=other["id"])

    assert (list_entries(queue), list_entries(other)) == ([], [task["id"]])


async def test_enqueueing_with_an_unknown_queue_name_creates_the_queue(
    client: Client, sandbox: Sandbox, task: dict[str, Any]
) -> None:
    answer = await client.call_for_data("tasks.enqueue", task=task["id"], queue_name="brand_new")

    created = sandbox.state.find_queue("brand_new")
    assert created is not None
    assert answer["fields"]["execution.queue"] == created["id"]


async def test_enqueueing_with_an_unknown_queue_id_restores_the_status(
    client: Client, task: dict[str, Any]
) -> None:
    answer = await client.call("tasks.enqueue", task=task["id"], queue=UNKNOWN_ID)

    assert answer.subcode == 701
    assert (task["status"], task["status_reason"]) == ("created", "failed enqueueing")


@pytest.mark.parametrize("status", ["completed", "in_progress", "published"])
async def test_finished_and_running_tasks_cannot_be_enqueued(
    client: Client, task: dict[str, Any], queue: dict[str, Any], status: str
) -> None:
    task["status"] = status
    answer = await client.call("tasks.enqueue", task=task["id"], queue=queue["id"])

    assert answer.subcode == 110
    assert answer.message == (
        f"Invalid task status (Invalid status change): current_status={status}, new_status=queued"
    )


async def test_enqueue_reports_whether_a_worker_watches_the_queue(
    client: Client, clock: Clock, task: dict[str, Any], queue: dict[str, Any]
) -> None:
    async def is_queue_watched() -> bool:
        answer = await client.call_for_data(
            "tasks.enqueue", task=task["id"], queue=queue["id"], verify_watched_queue=True
        )
        await client.call_for_data("tasks.dequeue", task=task["id"])
        return bool(answer["queue_watched"])

    assert not await is_queue_watched()
    await client.call_for_data("workers.register", worker="box:gpu0", queues=[queue["id"]])
    assert await is_queue_watched()
    clock.advance(seconds=601)
    assert not await is_queue_watched()


async def test_dequeueing_a_task_that_is_not_queued_shows_only_in_updated(
    client: Client, task: dict[str, Any]
) -> None:
    assert await client.call_for_data("tasks.dequeue", task=task["id"]) == {
        "dequeued": 1,
        "fields": {},
        "updated": 0,
    }


async def test_dequeueing_a_running_task_makes_it_a_draft(client: Client, task: dict[str, Any]) -> None:
    task["status"] = "in_progress"
    await client.call_for_data("tasks.dequeue", task=task["id"])

    assert task["status"] == "created"


async def test_stopping_a_queued_task_removes_it_from_the_queue(
    client: Client, sandbox: Sandbox, task: dict[str, Any], queue: dict[str, Any]
) -> None:
    await client.call_for_data("tasks.enqueue", task=task["id"], queue=queue["id"])
    bob = client.acting_as(sandbox.bob)
    await bob.call_for_data("tasks.stop", task=task["id"], status_reason="not needed")

    assert (task["status"], task["status_reason"]) == ("stopped", "not needed")
    assert task["status_message"] == "Stopped by Bob Brown"
    assert list_entries(queue) == []


async def test_stopping_a_run_asks_its_worker_unless_the_worker_timed_out(
    client: Client, clock: Clock, task: dict[str, Any]
) -> None:
    await client.call_for_data("tasks.started", task=task["id"])
    await client.call_for_data("workers.status_report", worker="box:gpu0", task=task["id"], timestamp=0)

    answer = await client.call_for_data("tasks.stop", task=task["id"], status_message="ignored", force=True)
    assert (answer["fields"]["status"], answer["fields"]["status_message"]) == ("in_progress", "stopping")

    clock.advance(seconds=601)
    await client.call_for_data("tasks.stop", task=task["id"])
    assert (task["status"], task["status_message"]) == ("stopped", "Stopped by Alice Adams")


async def test_a_run_without_worker_or_in_development_stops_at_once(client: Client, task: dict[str, Any]) -> None:
    await client.call_for_data("tasks.started", task=task["id"])
    await client.call_for_data("workers.status_report", worker="box:gpu0", task=task["id"], timestamp=0)
    task["system_tags"] = ["development"]
    await client.call_for_data("tasks.stop", task=task["id"])

    assert task["status"] == "stopped"


@pytest.mark.parametrize("status", ["created", "completed", "published"])
async def test_tasks_that_are_not_running_cannot_be_stopped(
    client: Client, task: dict[str, Any], status: str
) -> None:
    task["status"] = status
    assert (await client.call("tasks.stop", task=task["id"])).subcode == 110


async def test_reset_deletes_the_results_of_the_run(
    client: Client, sandbox: Sandbox, task: dict[str, Any]
) -> None:
    await client.call_for_data("tasks.started", task=task["id"])
    await client.call_for_data("workers.status_report", worker="box:gpu0", task=task["id"], timestamp=0)
    scalar = {"type": "training_stats_scalar", "metric": "loss", "variant": "train", "iter": 3, "value": 0.5}
    await client.call_for_data("events.add_batch", task=task["id"], **scalar)
    assert task["last_iteration"] == 3

    await client.call_for_data("tasks.reset", task=task["id"])

    assert (task["status"], task["status_reason"], task["last_iteration"]) == ("created", "reset", 0)
    assert not {"started", "last_worker", "completed"} & set(task)
    assert task["last_metrics"] == {}
    assert (await client.call_for_data("events.get_task_log", task=task["id"]))["total"] == 0


async def test_only_drafts_and_with_force_running_tasks_can_be_edited(
    client: Client, task: dict[str, Any]
) -> None:
    edit = {"task": task["id"], "hyperparams": [{"section": "Args", "name": "lr", "value": "1"}]}
    await client.call_for_data("tasks.edit_hyper_params", **edit)
    task["status"] = "in_progress"
    assert (await client.call("tasks.edit_hyper_params", **edit)).subcode == 110
    await client.call_for_data("tasks.edit_hyper_params", **edit, force=True)
    task["status"] = "completed"
    assert (await client.call("tasks.edit_hyper_params", **edit, force=True)).subcode == 110
    await client.call_for_data("tasks.update", task=task["id"], name="renamed anyway", tags=["x"])


async def test_editing_the_container_replaces_all_of_it(client: Client, task: dict[str, Any]) -> None:
    await client.call_for_data("tasks.edit", task=task["id"], container={"image": "a", "arguments": "-v /d:/d"})
    await client.call_for_data("tasks.edit", task=task["id"], container={"image": "b"})

    assert task["container"] == {"image": "b"}


async def test_parameters_are_merged_unless_a_replace_mode_is_given(client: Client, task: dict[str, Any]) -> None:
    async def edit(section: str, name: str, mode: str | None = None) -> dict[str, list[str]]:
        parameter = {"section": section, "name": name, "value": "1"}
        await client.call_for_data(
            "tasks.edit_hyper_params", task=task["id"], hyperparams=[parameter], replace_hyperparams=mode
        )
        return {section: list(parameters) for section, parameters in task["hyperparams"].items()}

    await edit("Args", "lr")
    await edit("General", "seed")
    assert await edit("Args", "a.b$c") == {"Args": ["lr", "a.b$c"], "General": ["seed"]}
    assert await edit("Args", "gpus", "section") == {"General": ["seed"], "Args": ["gpus"]}
    assert await edit("Args", "lr", "all") == {"Args": ["lr"]}
    await client.call_for_data("tasks.delete_hyper_params", task=task["id"], hyperparams=[{"section": "Args"}])
    assert task["hyperparams"] == {}


async def test_clone_is_a_draft_of_the_caller_with_the_given_overrides(
    client: Client, sandbox: Sandbox, task: dict[str, Any]
) -> None:
    task.update(status="in_progress", tags=["kept"], system_tags=["development"])
    task["execution"]["queue"] = UNKNOWN_ID
    parameters = {"Args": {"gpus": {"section": "Args", "name": "gpus", "value": "1,2", "type": "str"}}}
    answer = await client.acting_as(sandbox.bob).call_for_data(
        "tasks.clone",
        task=task["id"],
        new_task_name="Bob's clone",
        new_task_hyperparams=parameters,
        new_task_container={"image": "x:1"},
    )

    clone = sandbox.state.tasks[answer["id"]]
    assert (clone["name"], clone["status"], clone["parent"]) == ("Bob's clone", "created", task["id"])
    assert (clone["user"], clone["tags"], clone["system_tags"]) == (sandbox.bob.id, ["kept"], [])
    assert clone["hyperparams"] == parameters
    assert clone["container"] == {"image": "x:1"}
    assert "queue" not in clone["execution"]
    clone["script"]["binary"] = "changed"
    assert task["script"]["binary"] == "python"


async def test_deleting_a_queue_restores_the_status_of_its_tasks(
    client: Client, task: dict[str, Any], queue: dict[str, Any]
) -> None:
    task["status"] = "stopped"
    await client.call_for_data("tasks.enqueue", task=task["id"], queue=queue["id"])
    assert (await client.call("queues.delete", queue=queue["id"])).subcode == 702
    await client.call_for_data("queues.delete", queue=queue["id"], force=True)

    assert task["status"] == "stopped"


async def test_repeated_start_keeps_the_first_start_time_and_the_queue_entry(
    client: Client, clock: Clock, task: dict[str, Any], queue: dict[str, Any]
) -> None:
    await client.call_for_data("tasks.enqueue", task=task["id"], queue=queue["id"])
    await client.call_for_data("tasks.started", task=task["id"])
    first = task["started"]
    assert list_entries(queue) == [task["id"]]
    clock.advance(seconds=5)
    await client.call_for_data("tasks.started", task=task["id"], force=True, status_message="launch by agent")
    clock.advance(seconds=10)
    await client.call_for_data("tasks.completed", task=task["id"])

    assert task["started"] == first
    assert task["active_duration"] == 15


async def test_bulk_enqueue_answers_for_each_task(
    client: Client, sandbox: Sandbox, task: dict[str, Any], queue: dict[str, Any]
) -> None:
    answer = await client.call_for_data("tasks.enqueue_many", ids=[task["id"], UNKNOWN_ID], queue=queue["id"])

    assert [item["id"] for item in answer["succeeded"]] == [task["id"]]
    assert [item["error"]["codes"] for item in answer["failed"]] == [[400, 101]]


async def test_archiving_dequeues_a_task_and_unarchiving_removes_the_tag(
    client: Client, task: dict[str, Any], queue: dict[str, Any]
) -> None:
    await client.call_for_data("tasks.enqueue", task=task["id"], queue=queue["id"])
    await client.call_for_data("tasks.archive", tasks=[task["id"]])
    assert (task["status"], task["system_tags"], list_entries(queue)) == ("created", ["archived"], [])
    await client.call_for_data("tasks.unarchive", tasks=[task["id"]])
    assert task["system_tags"] == []
