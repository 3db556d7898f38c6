"""Queue entries: adding, removing and moving tasks, and recording how long each waited."""

from clearml_chatops.sandbox.documents import Document, truncate_to_milliseconds
from clearml_chatops.sandbox.errors import TASK_ALREADY_QUEUED, TASK_NOT_IN_QUEUE, ApiError
from clearml_chatops.sandbox.state import State


def find_position(queue: Document, task_id: str) -> int | None:
    return next((index for index, entry in enumerate(queue["entries"]) if entry["task"] == task_id), None)


def add(state: State, queue: Document, task_id: str) -> None:
    """Append a task to a queue, and remove it from all others.

    Raises:
        ApiError: 400/706, it is already in that queue and keeps its position.
    """
    if find_position(queue, task_id) is not None:
        raise ApiError(TASK_ALREADY_QUEUED, task=task_id)
    remove_from_all_queues(state, task_id)
    now = truncate_to_milliseconds(state.now())
    queue["entries"].append({"task": task_id, "added": now})
    queue["last_update"] = now


def remove(state: State, queue: Document, task_id: str) -> Document:
    """Remove a task from a queue and return its entry.

    Raises:
        ApiError: 400/703, it isn't in the queue.
    """
    index = find_position(queue, task_id)
    if index is None:
        raise build_not_in_queue_error(state, queue["id"], task_id)
    entry: Document = queue["entries"].pop(index)
    now = state.now()
    queue["last_update"] = truncate_to_milliseconds(now)
    waited = (now - entry["added"]).total_seconds()
    state.queue_waits.setdefault(queue["id"], []).append((now, waited, len(queue["entries"])))
    return entry


def remove_from_all_queues(state: State, task_id: str) -> int:
    """Remove a task from all queues. Return how many contained it."""
    containing_queues = [queue for queue in state.queues.values() if find_position(queue, task_id) is not None]
    for queue in containing_queues:
        remove(state, queue, task_id)
    return len(containing_queues)


def move(state: State, queue_id: str, task_id: str, steps: int | None, *, to_front: bool) -> int:
    """Move a task by `steps` (None: all the way) towards the front or the back. Return its new position."""
    queue = state.queues.get(queue_id)
    index = None if queue is None else find_position(queue, task_id)
    if queue is None or index is None:
        raise build_not_in_queue_error(state, queue_id, task_id)
    entries = queue["entries"]
    distance = len(entries) if steps is None else steps
    # a negative count moves nothing on the real server
    target = index + max(distance, 0) * (-1 if to_front else 1)
    target = min(max(target, 0), len(entries) - 1)
    entries.insert(target, entries.pop(index))
    queue["last_update"] = truncate_to_milliseconds(state.now())
    return target


def build_not_in_queue_error(state: State, queue_id: str, task_id: str) -> ApiError:
    return ApiError(TASK_NOT_IN_QUEUE, task=task_id, id=queue_id, company=state.company)
