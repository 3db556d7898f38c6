"""Queues: creating, reading, changing and emptying them."""

from contextlib import suppress
from dataclasses import replace

from clearml_chatops.sandbox import queries, queue_entries
from clearml_chatops.sandbox.documents import Document, truncate_to_milliseconds
from clearml_chatops.sandbox.enqueueing import require_default_queue
from clearml_chatops.sandbox.errors import NOT_UNIQUE, QUEUE_NOT_EMPTY, ApiError
from clearml_chatops.sandbox.filters import Filters
from clearml_chatops.sandbox.queries import Schema
from clearml_chatops.sandbox.registry import Call, endpoint
from clearml_chatops.sandbox.sample_range import SampleRange
from clearml_chatops.sandbox.state import State
from clearml_chatops.sandbox.task_status import StatusChange, dequeue, get_status_before_enqueue
from clearml_chatops.sandbox.validation import (
    DICTIONARY,
    FLAG,
    INTEGER,
    LIST,
    REQUIRED_NUMBER,
    REQUIRED_TEXT,
    TEXT,
    TEXT_OR_LIST,
    check_name,
)

QUEUE_SCHEMA = Schema(
    fields=frozenset(
        [
            "id",
            "name",
            "company",
            "created",
            "user",
            "tags",
            "system_tags",
            "entries",
            "last_update",
            "metadata",
            "workers",
            "display_name",
        ]
    ),
    filters=Filters(dates=("created", "last_update"), full_text=("name", "id", "tags")),
    references={"company": "companies"},
)


@endpoint("queues.create", since="2.4", name=REQUIRED_TEXT, tags=LIST, system_tags=LIST, metadata=DICTIONARY)
def create(call: Call) -> Document:
    name = call.data["name"]
    check_name(name)
    _check_name_unused(call.state, name)
    queue = call.state.add_queue(
        name,
        tags=call.data.get("tags") or (),
        system_tags=call.data.get("system_tags") or (),
        metadata=call.data.get("metadata"),
    )
    return {"id": queue["id"]}


@endpoint("queues.update", since="2.4", queue=REQUIRED_TEXT, name=TEXT, tags=LIST, system_tags=LIST)
def update(call: Call) -> Document:
    """Set name, tags or metadata. `tags` replaces the whole list."""
    queue = call.state.require_queue(call.data["queue"])
    fields = {
        name: call.data[name]
        for name in ("name", "tags", "system_tags", "metadata")
        if call.data.get(name) is not None
    }
    if fields.get("name", queue["name"]) != queue["name"]:
        check_name(fields["name"])
        _check_name_unused(call.state, fields["name"])
    queue.update(fields)
    queue["last_update"] = truncate_to_milliseconds(call.state.now())
    return {"fields": fields, "updated": 1}


def _check_name_unused(state: State, name: str) -> None:
    if state.find_queue(name):
        raise ApiError(
            NOT_UNIQUE,
            "unique field already contains this value",
            err="Tried to save duplicate unique keys (E11000 Duplicate Key Error)",
        )


@endpoint("queues.delete", since="2.4", queue=REQUIRED_TEXT, force=FLAG)
def delete(call: Call) -> Document:
    """Delete a queue. `force` allows it with entries; their tasks get their previous status back."""
    queue = call.state.require_queue(call.data["queue"])
    if queue["entries"] and not call.get_flag("force"):
        raise ApiError(QUEUE_NOT_EMPTY, "use force=true to delete", id=queue["id"])
    _remove_all_entries(call, queue, reason=f"Queue {queue['id']} was deleted")
    del call.state.queues[queue["id"]]
    return {"deleted": 1}


@endpoint("queues.clear_queue", added="2.31", queue=REQUIRED_TEXT)
def clear_queue(call: Call) -> Document:
    queue = call.state.require_queue(call.data["queue"])
    return {"removed_tasks": _remove_all_entries(call, queue, reason=f"Queue {queue['id']} was cleared")}


def _remove_all_entries(call: Call, queue: Document, *, reason: str) -> list[str]:
    removed: list[str] = [entry["task"] for entry in queue["entries"]]
    for id_ in removed:
        queue_entries.remove(call.state, queue, id_)
        _dequeue_task(call, id_, reason=reason)
    return removed


def _dequeue_task(call: Call, task_id: str, *, reason: str) -> None:
    task = call.state.tasks.get(task_id)
    if task and task["status"] == "queued":
        status = call.get_text("new_task_status") or get_status_before_enqueue(task)
        change = StatusChange(user=call.user.id, status=status, reason=reason)
        with suppress(ApiError):
            # the real server logs the failure and goes on
            dequeue(call.state, task, change)


@endpoint("queues.get_by_id", since="2.4", queue=REQUIRED_TEXT)
def get_by_id(call: Call) -> Document:
    return {"queue": call.state.require_queue(call.data["queue"])}


@endpoint("queues.get_all", since="2.4", only_fields=TEXT_OR_LIST)
def get_all(call: Call) -> Document:
    found = queries.find(call.state, call.state.queues, call.data, QUEUE_SCHEMA)
    answer = {"queues": [queries.select_fields(queue, call.data, QUEUE_SCHEMA) for queue in found]}
    return {**answer, **queries.advance_scroll(call.state, call.data, found)}


@endpoint("queues.get_all_ex", since="2.4", only_fields=TEXT_OR_LIST)
def get_all_ex(call: Call) -> Document:
    """Answer like get_all, with the entries' task names and the workers that listen."""
    state = call.state
    found = queries.find(state, state.queues, call.data, QUEUE_SCHEMA)
    detailed = [
        {**queue, "entries": _list_entries_with_names(state, queue), "workers": _list_workers(state, queue["id"])}
        for queue in found
    ]
    answer = {"queues": [queries.expand_references(state, queue, call.data, QUEUE_SCHEMA) for queue in detailed]}
    return {**answer, **queries.advance_scroll(state, call.data, found)}


def _list_entries_with_names(state: State, queue: Document) -> list[Document]:
    entries: list[Document] = []
    for entry in queue["entries"]:
        task = {"id": entry["task"]}
        if entry["task"] in state.tasks:
            task["name"] = state.tasks[entry["task"]]["name"]
        entries.append({"task": task, "added": entry["added"]})
    return entries


def _list_workers(state: State, queue_id: str) -> list[Document]:
    now = state.now()
    workers: list[Document] = []
    for worker in state.workers.values():
        if queue_id not in worker.queues or worker.is_expired(now):
            continue
        document: Document = {"key": worker.key, "name": worker.id, "ip": worker.address}
        if worker.task in state.tasks:
            document["task"] = {"id": worker.task, "name": state.tasks[worker.task]["name"]}
        workers.append(document)
    return workers


@endpoint("queues.get_default", since="2.4")
def get_default(call: Call) -> Document:
    queue = require_default_queue(call.state)
    return {"id": queue["id"], "name": queue["name"]}


@endpoint("queues.get_num_entries", since="2.15", queue=REQUIRED_TEXT)
def get_num_entries(call: Call) -> Document:
    return {"num": len(call.state.require_queue(call.data["queue"])["entries"])}


@endpoint("queues.peek_task", since="2.15", queue=REQUIRED_TEXT)
def peek_task(call: Call) -> Document:
    entries = call.state.require_queue(call.data["queue"])["entries"]
    return {"task": entries[0]["task"]} if entries else {}


@endpoint("queues.get_next_task", queue=REQUIRED_TEXT, get_task_info=FLAG)
def get_next_task(call: Call) -> Document:
    """Remove the first entry. Its task stays `queued` until the agent calls tasks.started."""
    state = call.state
    queue = state.require_queue(call.data["queue"])
    if not queue["entries"]:
        return {}
    entry = queue_entries.remove(state, queue, queue["entries"][0]["task"])
    answer: Document = {"entry": entry}
    task = state.tasks.get(entry["task"])
    if call.get_flag("get_task_info") and task:
        answer["task_info"] = {"company": task["company"], "user": task["user"]}
    return answer


@endpoint("queues.add_task", since="2.4", queue=REQUIRED_TEXT, task=REQUIRED_TEXT)
def add_task(call: Call) -> Document:
    queue_entries.add(call.state, call.state.require_queue(call.data["queue"]), call.data["task"])
    return {"added": 1}


@endpoint(
    "queues.remove_task",
    since="2.4",
    queue=REQUIRED_TEXT,
    task=REQUIRED_TEXT,
    update_task_status=FLAG.added_in("2.31"),
)
def remove_task(call: Call) -> Document:
    """Remove a task. It stays `queued` unless `update_task_status` is set, which old servers don't know."""
    queue = call.state.queues.get(call.data["queue"])
    if queue is None:
        raise queue_entries.build_not_in_queue_error(call.state, call.data["queue"], call.data["task"])
    queue_entries.remove(call.state, queue, call.data["task"])
    if call.get_flag("update_task_status"):
        _dequeue_task(call, call.data["task"], reason=f"Task was removed from the queue {queue['id']}")
    return {"removed": 1}


@endpoint("queues.move_task_to_front", since="2.4", queue=REQUIRED_TEXT, task=REQUIRED_TEXT)
def move_task_to_front(call: Call) -> Document:
    return _move_task(replace(call, data={**call.data, "count": None}), to_front=True)


@endpoint("queues.move_task_to_back", since="2.4", queue=REQUIRED_TEXT, task=REQUIRED_TEXT)
def move_task_to_back(call: Call) -> Document:
    return _move_task(replace(call, data={**call.data, "count": None}), to_front=False)


@endpoint("queues.move_task_forward", since="2.4", queue=REQUIRED_TEXT, task=REQUIRED_TEXT, count=INTEGER)
def move_task_forward(call: Call) -> Document:
    return _move_task(replace(call, data={"count": 1, **call.data}), to_front=True)


@endpoint("queues.move_task_backward", since="2.4", queue=REQUIRED_TEXT, task=REQUIRED_TEXT, count=INTEGER)
def move_task_backward(call: Call) -> Document:
    return _move_task(replace(call, data={"count": 1, **call.data}), to_front=False)


def _move_task(call: Call, *, to_front: bool) -> Document:
    data = call.data
    return {
        "position": queue_entries.move(call.state, data["queue"], data["task"], data["count"], to_front=to_front)
    }


@endpoint(
    "queues.get_queue_metrics",
    since="2.4",
    from_date=REQUIRED_NUMBER,
    to_date=REQUIRED_NUMBER,
    interval=REQUIRED_NUMBER,
    queue_ids=LIST,
)
def get_queue_metrics(call: Call) -> Document:
    """Return mean waiting times and queue lengths for the intervals in which an entry left."""
    sample_range = SampleRange.from_request(call.data)
    answer: list[Document] = []
    for id_ in call.data.get("queue_ids") or list(call.state.queues):
        waits = call.state.queue_waits.get(id_, [])
        means = sample_range.compute_means((at, waited) for at, waited, _ in waits)
        lengths = sample_range.compute_means((at, float(length)) for at, _, length in waits)
        answer.append(
            {
                "queue": id_,
                "dates": list(means),
                "avg_waiting_times": list(means.values()),
                "queue_lengths": [int(lengths[date]) for date in means],
            }
        )
    return {"queues": answer}
