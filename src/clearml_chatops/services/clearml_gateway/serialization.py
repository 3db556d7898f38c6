"""Conversions between ClearML's JSON and our dataclasses."""

import math
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from clearml_chatops.models.experiments import Container, Experiment, LogLine, Metric, Parameter, Script, Status
from clearml_chatops.models.queues import Queue, QueueEntry, Worker
from clearml_chatops.models.scalars import Curve, is_machine_metric

_CONTAINER_KEYS = {"image", "arguments", "setup_shell_script"}
_SCRIPT_KEYS = {"repository", "branch", "version_num", "entry_point", "working_dir"}
_HIDDEN_TAG = "hidden"
_HIDING_TAGS = {_HIDDEN_TAG, "dataset"}
"""Older SDKs don't mark datasets as hidden."""

_AGENT_HOST_KEY = "_exec_agent_hostname"
_WORKER_REPORT_TOLERANCE = timedelta(seconds=1)


def parse_time(text: str | None) -> datetime | None:
    """Return an aware datetime for a time as ClearML writes it (ISO 8601, in UTC)."""
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def parse_experiment(task: Mapping[str, Any]) -> Experiment:
    user, project = task.get("user") or {}, task.get("project") or {}
    return Experiment(
        id=task["id"],
        name=task.get("name") or "",
        status=_parse_status(task),
        # A new Draft has not changed its status yet.
        status_changed=parse_time(task.get("status_changed"))
        or parse_time(task.get("created"))
        or datetime.min.replace(tzinfo=UTC),
        user_id=user.get("id", ""),
        user_name=user.get("name") or "",
        project_id=project.get("id", ""),
        project_name=project.get("name") or "",
        parent_id=_parse_id(task.get("parent")),
        status_reason=task.get("status_reason") or "",
        status_message=task.get("status_message") or "",
        tags=tuple(task.get("tags") or ()),
        archived="archived" in (task.get("system_tags") or ()),
        hidden=_is_hidden(task.get("system_tags") or (), project.get("system_tags") or ()),
        parameters=_parse_parameters(task.get("hyperparams") or {}),
        container=parse_container(task.get("container") or {}),
        script=_parse_script(task.get("script") or {}),
        queue_id=_parse_id((task.get("execution") or {}).get("queue")),
        worker_id=_parse_worker_id(task),
        agent_host=(task.get("runtime") or {}).get(_AGENT_HOST_KEY) or "",
        changed_by_id=_parse_id(task.get("last_changed_by")),
        created=parse_time(task.get("created")),
        started=parse_time(task.get("started")),
        completed=parse_time(task.get("completed")),
        last_iteration=task.get("last_iteration") or 0,
        metrics=_parse_metrics(task.get("last_metrics") or {}),
    )


def parse_container(container: Mapping[str, Any]) -> Container:
    return Container(
        image=container.get("image") or "",
        arguments=container.get("arguments") or "",
        setup_shell_script=container.get("setup_shell_script") or "",
        other={key: value for key, value in container.items() if key not in _CONTAINER_KEYS},
    )


def serialize_container(container: Container) -> dict[str, object]:
    """Return the whole container, because tasks.edit and tasks.clone replace it."""
    return {
        **container.other,
        "image": container.image,
        "arguments": container.arguments,
        "setup_shell_script": container.setup_shell_script,
    }


def serialize_script(script: Script) -> dict[str, object]:
    """Return the whole script, because tasks.edit replaces it."""
    return {
        **script.other,
        "repository": script.repository,
        "branch": script.branch,
        "version_num": script.commit,
        "entry_point": script.entry_point,
        "working_dir": script.working_directory,
    }


def serialize_parameter(parameter: Parameter) -> dict[str, str]:
    """Return a parameter for tasks.edit_hyper_params, with its type and description."""
    item = {"section": parameter.section, "name": parameter.name, "value": parameter.value}
    if parameter.type is not None:
        item["type"] = parameter.type
    if parameter.description is not None:
        item["description"] = parameter.description
    return item


def parse_queue(queue: Mapping[str, Any]) -> Queue:
    return Queue(
        id=queue["id"],
        name=queue.get("name") or "",
        entries=tuple(_parse_queue_entry(entry) for entry in queue.get("entries") or ()),
        worker_ids=tuple(
            worker if isinstance(worker, str) else worker.get("name") or worker.get("id", "")
            for worker in queue.get("workers") or ()
        ),
        tags=tuple(queue.get("tags") or ()),
    )


def parse_worker(worker: Mapping[str, Any]) -> Worker:
    task = worker.get("task") or {}
    return Worker(
        id=worker["id"],
        queue_names=tuple(queue.get("name") or queue["id"] for queue in worker.get("queues") or ()),
        user_name=(worker.get("user") or {}).get("name") or "",
        experiment_id=task.get("id") or "",
        experiment_name=task.get("name") or "",
        running_time=timedelta(milliseconds=task["running_time"]) if task.get("running_time") else None,
        last_seen=parse_time(worker.get("last_activity_time")),
        queue_ids=tuple(queue["id"] for queue in worker.get("queues") or ()),
        registered=parse_time(worker.get("register_time")),
    )


def parse_curve(experiment_id: str, metric: str, variant: str, points: Mapping[str, Any]) -> Curve:
    pairs = zip(points.get("x") or (), points.get("y") or (), strict=False)
    numbers = [(x, _to_float(value)) for iteration, value in pairs if math.isfinite(x := _to_float(iteration))]
    return Curve(experiment_id, metric, variant, tuple(x for x, _ in numbers), tuple(y for _, y in numbers))


def parse_log_lines(event: Mapping[str, Any]) -> list[LogLine]:
    """Return the lines of one log event; an agent sends the lines of some seconds as one event."""
    logged_at = datetime.fromtimestamp((event.get("timestamp") or 0) / 1000, UTC)
    return [LogLine(logged_at, line) for line in (event.get("msg") or "").splitlines()]


def _is_hidden(system_tags: Collection[str], project_system_tags: Collection[str]) -> bool:
    return bool(_HIDING_TAGS.intersection(system_tags)) or _HIDDEN_TAG in project_system_tags


def _parse_status(task: Mapping[str, Any]) -> Status:
    try:
        return Status(str(task.get("status")))
    except ValueError:
        # A newer server may have a status that the bot does not know; show the experiment anyway.
        return Status.UNKNOWN


def _parse_worker_id(task: Mapping[str, Any]) -> str:
    """Return the worker of this run. A worker that last reported before the run belongs to an earlier run."""
    started, reported = parse_time(task.get("started")), parse_time(task.get("last_worker_report"))
    if started and reported and reported < started - _WORKER_REPORT_TOLERANCE:
        return ""
    return task.get("last_worker") or ""


def _parse_id(reference: object) -> str:
    """Return the id of a reference: tasks.get_all_ex sends {"id": …}, tasks.get_by_id the id itself."""
    if isinstance(reference, Mapping):
        return str(reference.get("id") or "")
    return str(reference or "")


def _parse_parameters(sections: Mapping[str, Mapping[str, Any]]) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(
            section=section,
            name=item.get("name") or name,
            value=str(item.get("value") or ""),
            type=item.get("type"),
            description=item.get("description"),
        )
        for section, items in sections.items()
        for name, item in items.items()
    )


def _parse_script(script: Mapping[str, Any]) -> Script:
    return Script(
        repository=script.get("repository") or "",
        branch=script.get("branch") or "",
        commit=script.get("version_num") or "",
        entry_point=script.get("entry_point") or "",
        working_directory=script.get("working_dir") or "",
        other={key: value for key, value in script.items() if key not in _SCRIPT_KEYS},
    )


def _to_float(value: object) -> float:
    """Return the value as a number. Anything else becomes NaN, which JSON cannot express."""
    try:
        return float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        return math.nan


def _parse_metrics(metrics: Mapping[str, Mapping[str, Any]]) -> tuple[Metric, ...]:
    """Return the last values without machine metrics, which ClearML stores with them; sorted by name."""
    found = [
        Metric(
            variant["metric"],
            variant["variant"],
            variant["value"],
            variant.get("min_value"),
            variant.get("max_value"),
        )
        for variants in metrics.values()
        for variant in variants.values()
        if isinstance(variant.get("value"), int | float) and not is_machine_metric(str(variant.get("metric", "")))
    ]
    return tuple(sorted(found, key=lambda metric: (metric.metric, metric.variant)))


def _parse_queue_entry(entry: Mapping[str, Any]) -> QueueEntry:
    task = entry.get("task")
    return QueueEntry(
        experiment_id=_parse_id(task),
        added=parse_time(entry.get("added")) or datetime.min.replace(tzinfo=UTC),
        experiment_name=(task.get("name") or "") if isinstance(task, Mapping) else "",
    )
