"""Putting tasks into queues and taking them out again: tasks.enqueue, tasks.dequeue and their kin."""

from dataclasses import replace

from clearml_chatops.sandbox import queue_entries
from clearml_chatops.sandbox.documents import Document
from clearml_chatops.sandbox.errors import NO_DEFAULT_QUEUE, VALIDATION, ApiError
from clearml_chatops.sandbox.registry import Call, endpoint
from clearml_chatops.sandbox.state import State
from clearml_chatops.sandbox.task_status import (
    change_status,
    dequeue,
    enqueue_status_lost,
    requested,
    status_before_queue,
)
from clearml_chatops.sandbox.validation import FLAG, REQUIRED_TEXT, TEXT


def default_queue(state: State) -> Document:
    """The queue tagged `default`, where tasks go and agents listen that name none."""
    for queue in state.queues.values():
        if "default" in queue["system_tags"]:
            return queue
    raise ApiError(NO_DEFAULT_QUEUE)


def watched(state: State, queue: str) -> bool:
    """Whether a worker that still reports listens to the queue."""
    now = state.now()
    return any(queue in worker.queues and not worker.expired(now) for worker in state.workers.values())


@endpoint(
    "tasks.enqueue",
    task=REQUIRED_TEXT,
    queue=TEXT,
    queue_name=TEXT,
    status_reason=TEXT,
    status_message=TEXT,
    force=FLAG,
    verify_watched_queue=FLAG,
)
def enqueue(call: Call) -> Document:
    """Queues a task: in the queue of that id, of that name (made if there is none), or the default one."""
    state = call.state
    task = state.task(call.data["task"])
    before = task["status"]
    remembered = status_before_queue(task) if before == "queued" else before
    queue_id = _wanted_queue(call)
    result = change_status(state, task, requested(call, "queued"), enqueue_status=remembered)
    try:
        queue_entries.add(state, state.queue(queue_id), task["id"])
    except ApiError:
        enqueue_status_lost(state, task, call.user.id, status=before)
        raise
    task["execution"]["queue"] = queue_id
    result["fields"]["execution.queue"] = queue_id
    result["queued"] = 1
    if call.flag("verify_watched_queue"):
        result["queue_watched"] = watched(state, queue_id)
    return result


def _wanted_queue(call: Call) -> str:
    queue_id, name = call.text("queue"), call.text("queue_name")
    if queue_id and name:
        raise ApiError(VALIDATION, "Either queue id or queue name should be provided")
    if name:
        queue = call.state.queue_named(name) or call.state.add_queue(name)
        return str(queue["id"])
    return queue_id or str(default_queue(call.state)["id"])


@endpoint("tasks.dequeue", task=REQUIRED_TEXT, status_reason=TEXT, status_message=TEXT, new_status=TEXT)
def dequeue_task(call: Call) -> Document:
    """Takes a task out of its queue.

    Beware: a task that no queue holds is answered with `dequeued` 1 as well (only `updated` is 0), and one
    that runs becomes a draft while its process goes on. Both are how the real server behaves.
    """
    task = call.state.task(call.data["task"])
    if task["status"] not in {"queued", "in_progress"}:
        return {"dequeued": 1, "fields": {}, "updated": 0}
    status = call.text("new_status") or status_before_queue(task)
    change = replace(requested(call, status), force=True)
    return {**dequeue(call.state, task, change), "dequeued": 1}
