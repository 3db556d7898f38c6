"""The status of a task: all status changes and their side effects."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from clearml_chatops.sandbox import queue_entries
from clearml_chatops.sandbox.documents import Document, set_value_at, truncate_to_milliseconds
from clearml_chatops.sandbox.errors import INVALID_TASK_STATUS, ApiError
from clearml_chatops.sandbox.registry import Call, endpoint
from clearml_chatops.sandbox.state import State
from clearml_chatops.sandbox.validation import FLAG, REQUIRED_TEXT, TEXT
from clearml_chatops.sandbox.versions import ServerVersion

TRANSITIONS: dict[str, frozenset[str]] = {
    "created": frozenset({"queued", "in_progress"}),
    "queued": frozenset({"created", "in_progress", "stopped"}),
    "in_progress": frozenset({"stopped", "failed", "created", "completed"}),
    "stopped": frozenset(
        {"closed", "created", "failed", "queued", "in_progress", "publishing", "published", "completed"}
    ),
    "closed": frozenset({"created", "failed", "publishing", "published", "stopped"}),
    "failed": frozenset({"created", "stopped", "queued", "in_progress", "published"}),
    "publishing": frozenset({"published"}),
    "published": frozenset(),
    "completed": frozenset({"published", "in_progress", "created"}),
}
"""The statuses that a task may change to without `force`, by current status."""

_RETRY_API_VERSION = "2.31"
"""The first API version that enqueues a failed task without `force`."""

_FORCED_REMOVAL_API_VERSION = "2.26"
"""The first API version that gives a task back whatever status it had before it was enqueued."""

_FAILURE_TIME_API_VERSION = "2.34"
"""The first API version that stores when a task failed as its `completed`."""

WORKER_TIMEOUT = timedelta(seconds=600)
"""A worker that hasn't reported on its task for this long counts as gone."""


@dataclass(frozen=True, kw_only=True)
class StatusChange:
    """A requested status change."""

    user: str
    status: str
    reason: str = ""
    message: str = ""
    force: bool = False


def build_status_change(call: Call, status: str) -> StatusChange:
    """Return the change to `status` with the reason, message and force of the request."""
    return StatusChange(
        user=call.user.id,
        status=status,
        reason=call.get_text("status_reason"),
        message=call.get_text("status_message"),
        force=call.get_flag("force"),
    )


def change_status(state: State, task: Document, change: StatusChange, **fields: Any) -> Document:
    """Change the status, and set `fields` along with it.

    Returns:
        The answer of the status endpoints: `updated` and the changed `fields`.

    Raises:
        ApiError: 400/110, the task can't change from its status to the new one.
    """
    current = task["status"]
    if not change.force and change.status not in {current, *_list_allowed_statuses(state.version, current)}:
        raise ApiError(
            INVALID_TASK_STATUS,
            "Invalid status change",
            current_status=current,
            new_status=change.status,
        )
    now = state.now()
    changed_fields: Document = {
        "status": change.status,
        "status_reason": change.reason,
        "status_message": change.message,
        "status_changed": now,
        "last_update": now,
        "last_change": now,
        "last_changed_by": change.user,
        **fields,
    }
    for name, value in changed_fields.items():
        set_value_at(task, name, truncate_to_milliseconds(value) if isinstance(value, datetime) else value)
    if change.status == "queued" and "development" in task["system_tags"]:
        task["system_tags"] = [tag for tag in task["system_tags"] if tag != "development"]
    state.touch_project(task.get("project"))
    return {"fields": changed_fields, "updated": 1}


def _list_allowed_statuses(version: ServerVersion, current: str) -> frozenset[str]:
    if current == "failed" and not version.supports(_RETRY_API_VERSION):
        return TRANSITIONS[current] - {"queued"}
    return TRANSITIONS[current]


def revert_failed_enqueue(state: State, task: Document, user: str, *, status: str) -> None:
    """Restore the status after a failed enqueue. The status from before the first enqueue is lost."""
    change = StatusChange(user=user, status=status, reason="failed enqueueing", force=True)
    change_status(state, task, change, enqueue_status=None)


def dequeue(state: State, task: Document, change: StatusChange) -> Document:
    """Take a task out of its queue and set `change.status`.

    Raises:
        ApiError: 400/110 on old servers, a queued task can't become failed. It stays queued, in no queue.
    """
    queue_entries.remove_from_all_queues(state, task["id"])
    force = state.version.supports(_FORCED_REMOVAL_API_VERSION)
    return change_status(state, task, replace(change, force=force), enqueue_status=None)


def get_status_before_enqueue(task: Document) -> str:
    return str(task.get("enqueue_status") or "created")


def _finish(call: Call, status: str) -> Document:
    task = call.state.require_task(call.data["task"])
    now = call.state.now()
    has_end = status != "failed" or call.state.version.supports(_FAILURE_TIME_API_VERSION)
    end_fields = {"completed": now} if has_end else {}
    result = change_status(call.state, task, build_status_change(call, status), **end_fields)
    if task.get("started"):
        task["active_duration"] = int((now - task["started"]).total_seconds())
    return result


@endpoint("tasks.started", task=REQUIRED_TEXT, force=FLAG, status_reason=TEXT, status_message=TEXT)
def started(call: Call) -> Document:
    task = call.state.require_task(call.data["task"])
    # keep the first start time: agent and SDK call this several times per run
    start_fields = {} if task.get("started") else {"started": call.state.now()}
    result = change_status(call.state, task, build_status_change(call, "in_progress"), **start_fields)
    task.setdefault("active_duration", 0)
    return {**result, "started": 1}


@endpoint("tasks.completed", since="2.2", task=REQUIRED_TEXT, force=FLAG, publish=FLAG)
def completed(call: Call) -> Document:
    result = _finish(call, "completed")
    published = 0
    if call.get_flag("publish"):
        publish(call)
        published = 1
    return {**result, "published": published}


@endpoint("tasks.failed", task=REQUIRED_TEXT, force=FLAG, status_reason=TEXT, status_message=TEXT)
def failed(call: Call) -> Document:
    return _finish(call, "failed")


@endpoint("tasks.stopped", task=REQUIRED_TEXT, force=FLAG, status_reason=TEXT, status_message=TEXT)
def stopped(call: Call) -> Document:
    return _finish(call, "stopped")


@endpoint("tasks.close", task=REQUIRED_TEXT, force=FLAG, status_reason=TEXT, status_message=TEXT)
def close(call: Call) -> Document:
    return change_status(
        call.state, call.state.require_task(call.data["task"]), build_status_change(call, "closed")
    )


@endpoint("tasks.publish", task=REQUIRED_TEXT, force=FLAG)
def publish(call: Call) -> Document:
    task = call.state.require_task(call.data["task"])
    return change_status(
        call.state,
        task,
        build_status_change(call, "published"),
        published=call.state.now(),
        output=task["output"],
    )


@endpoint("tasks.stop", task=REQUIRED_TEXT, force=FLAG, status_reason=TEXT, status_message=TEXT)
def stop(call: Call) -> Document:
    """Stop a queued or abandoned task immediately. For a task that a worker runs, only request the stop.

    The worker sees the message `stopping` at its next poll, kills the process and calls tasks.stopped.
    """
    state = call.state
    task = state.require_task(call.data["task"])
    change = build_status_change(call, "stopped")
    if task["status"] == "in_progress" and _is_run_by_worker(state, task):
        # the real server keeps the request's reason but replaces its message
        return change_status(state, task, replace(change, status="in_progress", message="stopping"))
    if task["status"] == "queued":
        queue_entries.remove_from_all_queues(state, task["id"])
    return change_status(state, task, replace(change, message=f"Stopped by {call.user.name}"))


def _is_run_by_worker(state: State, task: Document) -> bool:
    return (
        "development" not in task["system_tags"]
        and bool(task.get("last_worker"))
        and state.now() - task["last_update"] < WORKER_TIMEOUT
    )


@endpoint("tasks.ping", task=REQUIRED_TEXT)
def ping(call: Call) -> Document:
    """Record that a running task is alive."""
    task = call.state.require_task(call.data["task"])
    task["last_update"] = truncate_to_milliseconds(call.state.now())
    return {}


@endpoint("tasks.reset", task=REQUIRED_TEXT, force=FLAG, clear_all=FLAG, delete_output_models=FLAG)
def reset(call: Call) -> Document:
    """Make a task a draft again, and delete the results of its run: events, metrics, worker, output."""
    state = call.state
    task = state.require_task(call.data["task"])
    if task["status"] == "published" and not call.get_flag("force"):
        raise ApiError(INVALID_TASK_STATUS, task_id=task["id"], status=task["status"])
    removed = queue_entries.remove_from_all_queues(state, task["id"])
    change = replace(build_status_change(call, "created"), reason="reset", message="reset", force=True)
    result = change_status(state, task, change)
    for name in (
        "started",
        "completed",
        "published",
        "active_duration",
        "enqueue_status",
        "last_worker",
        "last_worker_report",
    ):
        task.pop(name, None)
    task["execution"].pop("queue", None)
    task["execution"]["artifacts"] = [
        artifact for artifact in task["execution"]["artifacts"] if artifact.get("mode") == "input"
    ]
    if call.get_flag("clear_all"):
        task.pop("script", None)
    task.update(last_iteration=0, last_metrics={}, unique_metrics=[], metric_stats={}, runtime={})
    task["models"] = {"input": task["models"].get("input", []), "output": []}
    state.events.pop(task["id"], None)
    return {
        **result,
        "deleted_models": 0,
        "dequeued": {"removed": removed} if removed else {},
        "events": {},
        "urls": {},
    }
