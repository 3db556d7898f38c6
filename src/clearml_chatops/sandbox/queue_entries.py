"""Entries of queues: adding, taking out and moving tasks, and how long each had waited."""

from clearml_chatops.sandbox.documents import Document, stored
from clearml_chatops.sandbox.errors import TASK_ALREADY_QUEUED, TASK_NOT_IN_QUEUE, ApiError
from clearml_chatops.sandbox.state import State


def position(queue: Document, task: str) -> int | None:
    return next((index for index, entry in enumerate(queue["entries"]) if entry["task"] == task), None)


def add(state: State, queue: Document, task: str) -> None:
    """Puts a task at the end of a queue, out of any other.

    Raises:
        ApiError: 400/706, it is in that queue already; it keeps its place.
    """
    if position(queue, task) is not None:
        raise ApiError(TASK_ALREADY_QUEUED, task=task)
    remove_everywhere(state, task)
    now = stored(state.now())
    queue["entries"].append({"task": task, "added": now})
    queue["last_update"] = now


def remove(state: State, queue: Document, task: str) -> Document:
    """Takes a task out of a queue and returns its entry.

    Raises:
        ApiError: 400/703, it is not in it.
    """
    index = position(queue, task)
    if index is None:
        raise not_in_queue(state, queue["id"], task)
    entry: Document = queue["entries"].pop(index)
    now = state.now()
    queue["last_update"] = stored(now)
    waited = (now - entry["added"]).total_seconds()
    state.queue_waits.setdefault(queue["id"], []).append((now, waited, len(queue["entries"])))
    return entry


def remove_everywhere(state: State, task: str) -> int:
    """Takes a task out of whatever queue holds it; how many did."""
    holding = [queue for queue in state.queues.values() if position(queue, task) is not None]
    for queue in holding:
        remove(state, queue, task)
    return len(holding)


def move(state: State, queue_id: str, task: str, steps: int | None, *, to_front: bool) -> int:
    """Moves a task by `steps` towards the front or the back, all the way where None; its new position."""
    queue = state.queues.get(queue_id)
    index = None if queue is None else position(queue, task)
    if queue is None or index is None:
        raise not_in_queue(state, queue_id, task)
    entries = queue["entries"]
    distance = len(entries) if steps is None else steps
    # a negative count moves nothing on the real server
    target = index + max(distance, 0) * (-1 if to_front else 1)
    target = min(max(target, 0), len(entries) - 1)
    entries.insert(target, entries.pop(index))
    queue["last_update"] = stored(state.now())
    return target


def not_in_queue(state: State, queue: str, task: str) -> ApiError:
    return ApiError(TASK_NOT_IN_QUEUE, task=task, id=queue, company=state.company)
