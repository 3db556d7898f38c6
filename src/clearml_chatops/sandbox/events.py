"""Events, which running tasks report: adding them, and reading the log."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import datetime
from hashlib import md5
from operator import itemgetter

from clearml_chatops.sandbox.documents import Document, truncate_to_milliseconds
from clearml_chatops.sandbox.errors import EVENTS_NOT_ADDED, ApiError
from clearml_chatops.sandbox.registry import Call, endpoint
from clearml_chatops.sandbox.state import State, TaskEvents
from clearml_chatops.sandbox.validation import FLAG, INTEGER, NUMBER, REQUIRED_TEXT

DEFAULT_BATCH_SIZE = 500
SCALAR_EVENT = "training_stats_scalar"

_MACHINE_METRICS = {":monitor:machine", ":monitor:gpu"}
"""Metrics that don't advance the run's iteration: the SDK counts seconds if the script reports no iterations."""

_get_timestamp = itemgetter("timestamp")


def hash_name(name: str) -> str:
    """Return the key of a metric or variant in a task's `last_metrics`."""
    return md5(name.encode(), usedforsecurity=False).hexdigest()


def add_events(state: State, events: Iterable[Document]) -> Document:
    """Add events to their tasks, and update the tasks' latest metrics.

    Events of unknown tasks are counted as errors.

    Args:
        state: The state with the tasks.
        events: Events as in events.add_batch. Without a timestamp they happen now.
    """
    now = state.now()
    added = 0
    errors: dict[str, int] = {}
    updated_ids: set[str] = set()
    for raw_event in events:
        task = state.tasks.get(raw_event.get("task", ""))
        if task is None:
            text = f"Invalid task id {raw_event.get('task')}"
            errors[text] = errors.get(text, 0) + 1
            continue
        event = _fill_event_defaults(raw_event, now)
        task_events = state.events.setdefault(task["id"], TaskEvents())
        if event["type"] == "log":
            task_events.log.append(event)
        else:
            task_events.scalars.append(event)
        if event["type"] == SCALAR_EVENT and isinstance(event.get("value"), int | float):
            _update_last_metrics(task, event)
        if event["metric"] not in _MACHINE_METRICS:
            task["last_iteration"] = max(task["last_iteration"], int(event.get("iter") or 0))
        _update_metric_stats(task, event)
        updated_ids.add(task["id"])
        added += 1
    for id_ in updated_ids:
        state.tasks[id_]["last_update"] = truncate_to_milliseconds(now)
        # batches of a task may arrive out of order: the SDK sends from several threads
        state.events[id_].log.sort(key=_get_timestamp)
    return {"added": added, "errors": sum(errors.values()), "errors_info": errors}


def _fill_event_defaults(raw_event: Document, now: datetime) -> Document:
    ignored_fields = {"method", "allow_locked"}
    event = {name: value for name, value in raw_event.items() if name not in ignored_fields}
    event.setdefault("type", "log")
    event.setdefault("timestamp", int(now.timestamp() * 1000))
    event.setdefault("model_event", False)
    event["@timestamp"] = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"
    event.setdefault("metric", "")
    event.setdefault("variant", "")
    if event["type"] != "log":
        event.setdefault("iter", 0)
        event.setdefault("worker", "<unknown>")
    return event


def _update_last_metrics(task: Document, event: Document) -> None:
    value, iteration = event["value"], event["iter"]
    metric = task["last_metrics"].setdefault(hash_name(event["metric"]), {})
    entry = metric.setdefault(
        hash_name(event["variant"]),
        {
            "metric": event["metric"],
            "variant": event["variant"],
            "value": value,
            "iter": iteration,
            "timestamp": event["timestamp"],
            "min_value": value,
            "min_value_iteration": iteration,
            "max_value": value,
            "max_value_iteration": iteration,
            "first_value": value,
            "first_value_iteration": iteration,
            "count": 0,
            "mean_value": 0.0,
        },
    )
    if iteration >= entry["iter"]:
        entry.update(value=value, iter=iteration, timestamp=event["timestamp"])
    if value < entry["min_value"]:
        entry.update(min_value=value, min_value_iteration=iteration)
    if value > entry["max_value"]:
        entry.update(max_value=value, max_value_iteration=iteration)
    entry["mean_value"] = (entry["mean_value"] * entry["count"] + value) / (entry["count"] + 1)
    entry["count"] += 1
    name = f"{event['metric']} / {event['variant']}"
    if name not in task["unique_metrics"]:
        task["unique_metrics"].append(name)


def _update_metric_stats(task: Document, event: Document) -> None:
    stats = task["metric_stats"].setdefault(
        hash_name(event["metric"]), {"metric": event["metric"], "event_stats_by_type": {}}
    )
    stats["event_stats_by_type"][event["type"]] = {"last_update": event["timestamp"]}


@endpoint("events.add_batch")
def add_batch(call: Call) -> Document:
    items = call.batch or [call.data]
    return _add_items(call, items)


@endpoint("events.add")
def add(call: Call) -> Document:
    return _add_items(call, [call.data])


def _add_items(call: Call, items: Iterable[object]) -> Document:
    result = add_events(call.state, (item for item in items if isinstance(item, dict)))
    if not result["added"]:
        info = ", ".join(f"{text}={count}" for text, count in result["errors_info"].items())
        error = ApiError(EVENTS_NOT_ADDED)
        error.message = f"{EVENTS_NOT_ADDED.text}: {info}"
        raise error
    return result


@endpoint(
    "events.get_task_log",
    since="2.9",
    task=REQUIRED_TEXT,
    batch_size=INTEGER,
    navigate_earlier=FLAG,
    from_timestamp=NUMBER,
)
def get_task_log(call: Call) -> Document:
    """Return a part of the log.

    By default these are the last `batch_size` events before `from_timestamp`, newest first. With
    `navigate_earlier` false they are the first ones after it, oldest first. `order` (asc or desc) overrides
    the order. Events of the same millisecond stay together, even if that exceeds `batch_size`.
    """
    log = find_task_events(call).log
    size = int(call.data.get("batch_size") or DEFAULT_BATCH_SIZE)
    from_timestamp = call.data.get("from_timestamp")
    navigate_earlier = call.get_flag("navigate_earlier", default=True)
    if navigate_earlier:
        end = len(log) if from_timestamp is None else bisect_left(log, from_timestamp, key=_get_timestamp)
        start = max(end - size, 0)
        if start < end:
            start = bisect_left(log, log[start]["timestamp"], key=_get_timestamp)
        part = log[start:end][::-1]
    else:
        start = 0 if from_timestamp is None else bisect_right(log, from_timestamp, key=_get_timestamp)
        end = min(start + size, len(log))
        if start < end:
            end = bisect_right(log, log[end - 1]["timestamp"], key=_get_timestamp)
        part = log[start:end]
    order = call.get_text("order")
    if order:
        part = sorted(part, key=_get_timestamp, reverse=order == "desc")
    return {"events": part, "returned": len(part), "total": len(log)}


@endpoint("events.clear_task_log", since="2.19", task=REQUIRED_TEXT)
def clear_task_log(call: Call) -> Document:
    log = find_task_events(call).log
    deleted = len(log)
    log.clear()
    return {"deleted": deleted}


def find_task_events(call: Call) -> TaskEvents:
    """Return the events of the request's task, empty if it never ran."""
    task = call.state.require_readable_task(call.data["task"])
    return call.state.events.get(task["id"]) or TaskEvents()
