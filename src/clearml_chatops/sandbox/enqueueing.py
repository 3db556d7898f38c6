"""Enqueueing and dequeueing tasks: tasks.enqueue and tasks.dequeue."""

from clearml_chatops.sandbox import queue_entries
from clearml_chatops.sandbox.documents import Document
from clearml_chatops.sandbox.errors import (
    INVALID_TASK_STATUS,
    NO_DEFAULT_QUEUE,
    TASK_NOT_FOUND,
    VALIDATION,
    ApiError,
)
from clearml_chatops.sandbox.registry import Call, endpoint
from clearml_chatops.sandbox.state import State
from clearml_chatops.sandbox.task_status import (
    build_status_change,
    change_status,
    dequeue,
    get_status_before_enqueue,
    revert_failed_enqueue,
)
from clearml_chatops.sandbox.validation import FLAG, REQUIRED_TEXT, TEXT

NEW_STATUS = TEXT.added_in("2.26")

_MOVE_API_VERSION = "2.31"
"""The first API version that moves a queued task to another queue instead of refusing it."""

_SILENT_DEQUEUE_API_VERSION = "2.25"
"""The first API version that accepts to dequeue a task that isn't queued."""


def require_default_queue(state: State) -> Document:
    """Return the queue tagged `default`, used by tasks and agents that name no queue."""
    for queue in state.queues.values():
        if "default" in queue["system_tags"]:
            return queue
    raise ApiError(NO_DEFAULT_QUEUE)


def is_queue_watched(state: State, queue_id: str) -> bool:
    """Return whether an active worker listens to the queue."""
    now = state.now()
    return any(queue_id in worker.queues and not worker.is_expired(now) for worker in state.workers.values())


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
    """Enqueue a task by queue id, by queue name (the queue is created if missing), or in the default queue."""
    state = call.state
    task = state.require_task(call.data["task"])
    previous_status = task["status"]
    status_to_restore = get_status_before_enqueue(task) if previous_status == "queued" else previous_status
    queue_id = _resolve_queue_id(call)
    if not state.version.supports(_MOVE_API_VERSION):
        status_to_restore = previous_status
        _check_not_queued(call, task)
    result = change_status(state, task, build_status_change(call, "queued"), enqueue_status=status_to_restore)
    try:
        queue_entries.add(state, state.require_queue(queue_id), task["id"])
    except ApiError:
        revert_failed_enqueue(state, task, call.user.id, status=previous_status)
        raise
    task["execution"]["queue"] = queue_id
    result["fields"]["execution.queue"] = queue_id
    result["queued"] = 1
    if call.get_flag("verify_watched_queue"):
        result["queue_watched"] = is_queue_watched(state, queue_id)
    return result


def _check_not_queued(call: Call, task: Document) -> None:
    if task["status"] == "queued" and not call.get_flag("force"):
        raise ApiError(
            INVALID_TASK_STATUS,
            "Task already in requested status",
            current_status="queued",
            new_status="queued",
        )


def _resolve_queue_id(call: Call) -> str:
    queue_id, name = call.get_text("queue"), call.get_text("queue_name")
    if queue_id and name:
        raise ApiError(VALIDATION, "Either queue id or queue name should be provided")
    if name:
        queue = call.state.find_queue(name) or call.state.add_queue(name)
        return str(queue["id"])
    return queue_id or str(require_default_queue(call.state)["id"])


@endpoint("tasks.dequeue", task=REQUIRED_TEXT, status_reason=TEXT, status_message=TEXT, new_status=NEW_STATUS)
def dequeue_task(call: Call) -> Document:
    """Take a task out of its queue.

    Two traps of the real server: a task that is in no queue also gets `dequeued` 1 (only `updated` is 0), and
    a running task becomes a draft while its process keeps running. The oldest servers refuse both.
    """
    task = call.state.require_task(call.data["task"])
    if task["status"] != "queued" and not call.state.version.supports(_SILENT_DEQUEUE_API_VERSION):
        raise ApiError(TASK_NOT_FOUND, status=task["status"], expected="queued")
    if task["status"] not in {"queued", "in_progress"}:
        return {"dequeued": 1, "fields": {}, "updated": 0}
    status = call.get_text("new_status") or get_status_before_enqueue(task)
    return {**dequeue(call.state, task, build_status_change(call, status)), "dequeued": 1}
