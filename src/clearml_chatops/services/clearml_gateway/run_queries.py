"""Requests for polling runs: their activity, last metrics and new log lines."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import Any

from clearml_chatops.models.experiments import Metric
from clearml_chatops.models.runs import LogPage, RunActivity
from clearml_chatops.services.clearml_gateway.api_client import ApiClient
from clearml_chatops.services.clearml_gateway.serialization import parse_experiment, parse_log_lines, parse_time

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _hash_metric_name(name: str) -> str:
    """Return the key under which ClearML stores a metric."""
    return md5(name.encode(), usedforsecurity=False).hexdigest()


_GPU_KEY, _LOG_KEY = _hash_metric_name(":monitor:gpu"), _hash_metric_name("")
"""The SDK reports GPUs as a metric of this name; the server counts log lines as a metric without a name."""

_ACTIVITY_FIELDS = (
    "id",
    "name",
    "status",
    "status_changed",
    "status_message",
    "created",
    "started",
    "execution.queue",
    "last_worker",
    "last_worker_report",
    "last_iteration",
    f"metric_stats.{_LOG_KEY}",
    f"last_metrics.{_GPU_KEY}",
)


class RunQueries(ApiClient):
    """The part of ClearML's API that is polled while experiments run."""

    async def get_run_activity(self, ids: Sequence[str]) -> dict[str, RunActivity]:
        """Return the activity of these experiments, by id, without deleted ones. One request per 500 ids."""
        tasks = await self._get_tasks(ids, _ACTIVITY_FIELDS)
        return {task["id"]: _parse_activity(task) for task in tasks}

    async def get_last_metrics(self, ids: Sequence[str]) -> dict[str, tuple[Metric, ...]]:
        """Return the last values of these experiments' scalars, by id. One request per 500 ids."""
        tasks = await self._get_tasks(ids, ("id", "last_metrics"))
        return {task["id"]: parse_experiment(task).metrics for task in tasks}

    async def get_log_page(self, experiment_id: str, after: datetime | None, *, count: int) -> LogPage:
        """Return about `count` log entries after a time, or from the beginning if it is None.

        The server never splits the entries of one millisecond; it returns more than `count` instead.
        """
        body: dict[str, object] = {"task": experiment_id, "batch_size": count, "navigate_earlier": False}
        if after is not None:
            body["from_timestamp"] = _to_milliseconds(after)
        return _parse_log_page(await self._call("events.get_task_log", body), count)

    async def get_last_log_time(self, experiment_id: str) -> datetime | None:
        """Return when the last log entry was written; None if the log is empty."""
        page = await self._call("events.get_task_log", {"task": experiment_id, "batch_size": 1})
        return _parse_log_page(page, 1).read_until


def _parse_activity(task: Mapping[str, Any]) -> RunActivity:
    experiment = parse_experiment(task)
    log = ((task.get("metric_stats") or {}).get(_LOG_KEY) or {}).get("event_stats_by_type") or {}
    return RunActivity(
        experiment_id=experiment.id,
        name=experiment.name,
        status=experiment.status,
        status_changed=experiment.status_changed,
        queue_id=experiment.queue_id,
        worker_id=experiment.worker_id,
        worker_last_report=parse_time(task.get("last_worker_report")) if experiment.worker_id else None,
        last_iteration=experiment.last_iteration,
        last_log_milliseconds=int((log.get("log") or {}).get("last_update") or 0),
        last_gpu_use_milliseconds=_find_last_gpu_use((task.get("last_metrics") or {}).get(_GPU_KEY) or {}),
        is_setting_up=experiment.is_setting_up,
    )


def _find_last_gpu_use(variants: Mapping[str, Mapping[str, Any]]) -> int:
    """Return when any GPU was last busy, in milliseconds; 0 for never. The SDK reports it twice a minute."""
    return max(
        (
            int(item.get("timestamp") or 0)
            for item in variants.values()
            if str(item.get("variant", "")).endswith("_utilization")
            and isinstance(item.get("value"), int | float)
            and item["value"] > 0
        ),
        default=0,
    )


def _parse_log_page(data: Mapping[str, Any], count: int) -> LogPage:
    events = sorted(data["events"], key=lambda event: event.get("timestamp") or 0)
    return LogPage(
        lines=tuple(line for event in events for line in parse_log_lines(event)),
        read_until=_EPOCH + timedelta(milliseconds=events[-1].get("timestamp") or 0) if events else None,
        is_last=len(events) < count,
    )


def _to_milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)
