"""Builds the report on experiments over a period. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.reports import MachineUsage, Report
from clearml_chatops.services.workers.worker_ids import parse_worker_gpus

_ZERO = timedelta(0)


def build_report(
    experiments: Iterable[Experiment], *, since: datetime, now: datetime, creator_names: Mapping[str, str]
) -> Report:
    """Return the report. `creator_names` maps experiments that the bot created to the people it did so for."""
    newest_first = sorted(experiments, key=lambda item: (item.status_changed, item.id), reverse=True)
    run_times: defaultdict[str, timedelta] = defaultdict(timedelta)
    gpu_times: defaultdict[str, timedelta] = defaultdict(timedelta)
    for item in newest_first:
        duration = _get_run_time(item, since, now)
        person = creator_names.get(item.id) or item.user_name or "unknown"
        run_times[person] += duration
        gpu_times[person] += duration * _count_gpus(item.worker_id)
    usages = (
        MachineUsage(person, run_times[person], gpu_times[person])
        for person in run_times
        if run_times[person] > _ZERO
    )
    return Report(
        since=since,
        now=now,
        finished=tuple(item for item in newest_first if item.status.is_finished and item.status_changed >= since),
        running=tuple(item for item in newest_first if item.status is Status.RUNNING),
        waiting=tuple(item for item in newest_first if item.status is Status.PENDING),
        usages=tuple(sorted(usages, key=lambda item: (-item.gpu_time, -item.running_time, item.person_name))),
    )


def _get_run_time(experiment: Experiment, since: datetime, now: datetime) -> timedelta:
    if experiment.started is None or not (experiment.status.is_finished or experiment.status is Status.RUNNING):
        return _ZERO
    end = (experiment.completed or experiment.status_changed) if experiment.status.is_finished else now
    return max(min(end, now) - max(experiment.started, since), _ZERO)


def _count_gpus(worker_id: str) -> int:
    """Return how many GPUs a worker's id names; "all" counts as one, as the id does not say how many."""
    gpu_numbers = parse_worker_gpus(worker_id)
    return len(gpu_numbers.split(",")) if gpu_numbers else 0
