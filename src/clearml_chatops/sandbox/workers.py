"""Workers: agents that register, report their status, and expire without reports."""

from collections.abc import Callable
from datetime import datetime, timedelta

from clearml_chatops.sandbox.documents import Document, truncate_to_milliseconds
from clearml_chatops.sandbox.errors import QUEUE_NOT_FOUND, ApiError
from clearml_chatops.sandbox.registry import Call, endpoint
from clearml_chatops.sandbox.sample_range import SampleRange
from clearml_chatops.sandbox.state import COMPANY_NAME, State, Worker
from clearml_chatops.sandbox.validation import (
    DICTIONARY,
    INTEGER,
    LIST,
    NUMBER,
    REQUIRED_LIST,
    REQUIRED_NUMBER,
    REQUIRED_TEXT,
    TEXT,
)

DEFAULT_REGISTER_TIMEOUT = 600
DEFAULT_LAST_SEEN = 3600

_CATEGORIES = ("cpu", "gpu", "memory", "network", "disk")
_AGGREGATES: dict[str, Callable[[list[float]], float]] = {
    "avg": lambda values: sum(values) / len(values),
    "min": min,
    "max": max,
}


@endpoint("workers.register", since="2.4", worker=REQUIRED_TEXT, queues=LIST, timeout=INTEGER, tags=LIST)
def register(call: Call) -> Document:
    queues = call.data.get("queues") or []
    _check_queues(call.state, queues)
    worker = _create_worker(call)
    worker.queues = list(queues)
    worker.register_timeout = call.data.get("timeout") or DEFAULT_REGISTER_TIMEOUT
    call.state.workers[worker.key] = worker
    return {}


@endpoint("workers.unregister", since="2.4", worker=REQUIRED_TEXT)
def unregister(call: Call) -> Document:
    """Remove a worker. An unknown one gets the same answer."""
    worker = call.state.workers.pop(_build_key(call), None)
    if worker:
        call.state.retired_workers.append(worker)
    return {}


@endpoint(
    "workers.status_report",
    since="2.4",
    worker=REQUIRED_TEXT,
    timestamp=REQUIRED_NUMBER,
    task=TEXT,
    queue=TEXT,
    queues=LIST,
    tags=LIST,
    machine_stats=DICTIONARY,
)
def status_report(call: Call) -> Document:
    """Record a worker's status. An unknown worker is registered by its report."""
    state, data = call.state, call.data
    now = state.now()
    task = state.require_task(data["task"]) if data.get("task") else None
    if data.get("queues"):
        _check_queues(state, data["queues"])
    worker = state.workers.get(_build_key(call)) or _create_worker(call)
    state.workers[worker.key] = worker
    worker.last_activity_time = worker.last_report_time = now
    if data.get("queues"):
        worker.queues = list(data["queues"])
    if data.get("tags") is not None:
        worker.tags = list(data["tags"])
    worker.task = task["id"] if task else None
    worker.queue = data.get("queue") if task else None
    worker.activity.append((now, task is not None))
    if data.get("machine_stats"):
        worker.statistics.append((now, data["machine_stats"]))
    if task:
        task.update(
            last_worker=worker.id,
            last_worker_report=truncate_to_milliseconds(now),
            last_update=truncate_to_milliseconds(now),
        )
    return {}


@endpoint(
    "workers.get_all",
    since="2.4",
    last_seen=NUMBER,
    tags=LIST,
    system_tags=LIST,
    worker_pattern=TEXT.added_in("2.30"),
)
def get_all(call: Call) -> Document:
    """Return the workers that haven't expired and were active in the last `last_seen` seconds (0: any time)."""
    state = call.state
    now = state.now()
    last_seen = DEFAULT_LAST_SEEN if call.data.get("last_seen") is None else int(call.data["last_seen"])
    pattern = call.get_text("worker_pattern")
    workers: list[Document] = []
    for key, worker in list(state.workers.items()):
        if worker.is_expired(now):
            state.retired_workers.append(state.workers.pop(key))
            continue
        is_inactive = last_seen > 0 and now - worker.last_activity_time > timedelta(seconds=last_seen)
        if not is_inactive and pattern in worker.id:
            workers.append(_to_document(state, worker, now))
    return {"workers": workers}


@endpoint("workers.get_count", since="2.17", added="2.26", last_seen=NUMBER)
def get_count(call: Call) -> Document:
    return {"count": len(get_all(call)["workers"])}


def _build_key(call: Call) -> str:
    # the key includes the user: workers of two users with the same id are different workers
    return f"worker_{call.state.company}_{call.user.id}_{call.data['worker']}"


def _create_worker(call: Call) -> Worker:
    now = call.state.now()
    return Worker(
        key=_build_key(call),
        id=call.data["worker"],
        user=call.user.id,
        address=call.address,
        queues=[],
        tags=list(call.data.get("tags") or []),
        system_tags=list(call.data.get("system_tags") or []),
        register_time=now,
        register_timeout=DEFAULT_REGISTER_TIMEOUT,
        last_activity_time=now,
    )


def _check_queues(state: State, queues: list[str]) -> None:
    unknown = [id_ for id_ in queues if id_ not in state.queues]
    if unknown:
        raise ApiError(QUEUE_NOT_FOUND, ids=f"({', '.join(unknown)})")


def _to_document(state: State, worker: Worker, now: datetime) -> Document:
    document: Document = {
        "company": {"id": state.company, "name": COMPANY_NAME},
        "id": worker.id,
        "ip": worker.address,
        "key": worker.key,
        "last_activity_time": worker.last_activity_time,
        "queues": [_queue_to_document(state, state.queues[id_]) for id_ in worker.queues if id_ in state.queues],
        "register_time": worker.register_time,
        "register_timeout": worker.register_timeout,
        "system_tags": worker.system_tags,
        "tags": worker.tags,
        "user": {"id": worker.user, "name": state.users[worker.user].name},
    }
    if worker.last_report_time:
        document["last_report_time"] = worker.last_report_time
    task = state.tasks.get(worker.task or "")
    if task:
        started = task.get("started", now)
        document["task"] = {
            "id": task["id"],
            "name": task["name"],
            "running_time": int((now - started).total_seconds() * 1000),
            "last_iteration": task["last_iteration"],
        }
        project = state.projects.get(task.get("project", ""))
        if project:
            document["project"] = {"id": project["id"], "name": project["name"]}
        queue = state.queues.get(worker.queue or "")
        if queue:
            document["queue"] = {"id": queue["id"], "name": queue["name"]}
    return document


def _queue_to_document(state: State, queue: Document) -> Document:
    document = {"id": queue["id"], "name": queue["name"], "num_tasks": len(queue["entries"])}
    first = state.tasks.get(queue["entries"][0]["task"]) if queue["entries"] else None
    if first:
        document["next_task"] = {"id": first["id"], "name": first["name"]}
    return document


def _find_workers(call: Call) -> list[Worker]:
    """Return the requested workers, or all of them, including retired ones."""
    requested_ids = call.data.get("worker_ids")
    workers = [*call.state.workers.values(), *call.state.retired_workers]
    return [worker for worker in workers if not requested_ids or worker.id in requested_ids]


@endpoint("workers.get_metric_keys", since="2.4", worker_ids=LIST)
def get_metric_keys(call: Call) -> Document:
    names = {name for worker in _find_workers(call) for _, statistics in worker.statistics for name in statistics}
    categories = {category: sorted(n for n in names if n.startswith(category)) for category in _CATEGORIES}
    return {
        "categories": [{"name": category, "metric_keys": keys} for category, keys in categories.items() if keys]
    }


@endpoint(
    "workers.get_stats",
    since="2.4",
    from_date=REQUIRED_NUMBER,
    to_date=REQUIRED_NUMBER,
    interval=REQUIRED_NUMBER,
    items=REQUIRED_LIST,
    worker_ids=LIST,
)
def get_stats(call: Call) -> Document:
    """Return the machine statistics that workers reported, by interval; 0 without a sample."""
    sample_range = SampleRange.from_request(call.data)
    answer: list[Document] = []
    for worker in {worker.id: worker for worker in _find_workers(call)}.values():
        metrics: list[Document] = []
        for item in call.data["items"]:
            aggregation = item.get("category") or "avg"
            aggregate = _AGGREGATES[aggregation]
            groups = sample_range.group_by_date(
                (at, value)
                for at, statistics in worker.statistics
                for value in _to_numbers(statistics.get(item["key"]))
            )
            dates = sample_range.list_dates()
            series = {
                "aggregation": aggregation,
                "dates": dates,
                "values": [aggregate(groups[date]) if date in groups else 0.0 for date in dates],
                "resource_series": [],
            }
            metrics.append({"metric": item["key"], "stats": [series]})
        answer.append({"worker": worker.id, "metrics": metrics})
    return {"workers": answer}


def _to_numbers(value: object) -> list[float]:
    values = value if isinstance(value, list) else [value]
    return [float(number) for number in values if isinstance(number, int | float)]


@endpoint(
    "workers.get_activity_report",
    since="2.4",
    from_date=REQUIRED_NUMBER,
    to_date=REQUIRED_NUMBER,
    interval=REQUIRED_NUMBER,
)
def get_activity_report(call: Call) -> Document:
    """Return how many workers reported, and how many of them ran a task, by interval."""
    sample_range = SampleRange.from_request(call.data)
    counts: dict[str, dict[int, set[str]]] = {"total": {}, "active": {}}
    for worker in _find_workers(call):
        for moment, active in worker.activity:
            date = sample_range.find_date(moment)
            if date is not None:
                counts["total"].setdefault(date, set()).add(worker.key)
                if active:
                    counts["active"].setdefault(date, set()).add(worker.key)
    dates = sample_range.list_dates()
    return {
        kind: {"dates": dates, "counts": [len(seen.get(date, ())) for date in dates]}
        for kind, seen in counts.items()
    }
