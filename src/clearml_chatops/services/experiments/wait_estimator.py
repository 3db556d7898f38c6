"""Estimates of how long experiments wait in their queues, with few requests to ClearML."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.queues import Queue, WaitEstimate, Worker
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.clearml_gateway.experiment_filters import ExperimentFilter
from clearml_chatops.services.experiments.duration_estimates import (
    ZERO_DURATION,
    DurationRange,
    estimate_duration,
    estimate_remaining,
    estimate_waits,
)

_CACHE_LIFETIME = timedelta(minutes=1)
_ANCESTOR_GENERATIONS = 2
"""Parents and grandparents; older ancestors often had different code."""
_MAX_EXPERIMENTS_PER_REQUEST = 500
_MAX_RECENT_RUNS = 200
_MAX_CACHED_EXPERIMENTS = 5000
_SERVICE_MARKER = ":service:"
"""Part of the worker id that clearml-agent in services mode uses for each experiment that it runs."""
_SERVICES_SUFFIX = ":services"


class WaitEstimator:
    """Caches data for a minute. An estimate costs at most five requests, none if no worker listens."""

    def __init__(self, *, clearml: ClearML, clock: Callable[[], datetime]) -> None:
        self._clearml = clearml
        self._clock = clock
        self._workers: tuple[Worker, ...] = ()
        self._workers_loaded_at: datetime | None = None
        self._experiments: dict[str, tuple[datetime, Experiment | None]] = {}
        self._recent_durations: dict[str, tuple[datetime, tuple[timedelta, ...]]] = {}

    async def estimate(self, queues: Sequence[Queue]) -> dict[str, WaitEstimate]:
        """Return how long each experiment in the queues waits, by id; unknown if ClearML does not respond."""
        estimates = {
            entry.experiment_id: WaitEstimate(has_worker=False) for queue in queues for entry in queue.entries
        }
        queues_with_workers = [queue for queue in queues if queue.entries and queue.worker_ids]
        if not queues_with_workers:
            return estimates
        try:
            await self._load(queues_with_workers)
        except ChatOpsError:
            # The queue is worth showing even without estimates.
            return estimates | {
                entry.experiment_id: WaitEstimate() for queue in queues_with_workers for entry in queue.entries
            }
        for queue in queues_with_workers:
            estimates.update(self._estimate_queue(queue))
        return estimates

    async def _load(self, queues: Sequence[Queue]) -> None:
        """Load what the estimates need, except what was loaded within the last minute."""
        now = self._clock()
        known_worker_ids = {worker.id for worker in self._workers}
        has_new_workers = any(not known_worker_ids.issuperset(queue.worker_ids) for queue in queues)
        if self._workers_loaded_at is None or now - self._workers_loaded_at >= _CACHE_LIFETIME or has_new_workers:
            self._workers, self._workers_loaded_at = await self._clearml.list_workers(), now
        experiment_ids = {
            worker.experiment_id for queue in queues for worker in self._list_listening_workers(queue)
        }
        experiment_ids |= {
            entry.experiment_id for queue in queues for entry in queue.entries[:_MAX_EXPERIMENTS_PER_REQUEST]
        }
        experiments = await self._load_experiments(experiment_ids)
        generation = experiments
        for _ in range(_ANCESTOR_GENERATIONS):
            generation = await self._load_experiments({item.parent_id for item in generation})
        projects = {item.project_id for item in experiments if not self._list_ancestor_durations(item)}
        await self._load_recent_durations(projects)

    async def _load_experiments(self, ids: Collection[str]) -> list[Experiment]:
        """Return these experiments, and load those not loaded within the last minute. One request."""
        now = self._clock()
        missing = sorted(id_ for id_ in ids if id_ and self._is_stale(self._experiments.get(id_), now))[
            :_MAX_EXPERIMENTS_PER_REQUEST
        ]
        if missing:
            if len(self._experiments) > _MAX_CACHED_EXPERIMENTS:
                self._experiments.clear()
            found = await self._clearml.get_experiments(missing, with_details=False)
            self._experiments.update({id_: (now, found.get(id_)) for id_ in missing})
        return [item for id_ in ids if (item := self._get_cached_experiment(id_))]

    async def _load_recent_durations(self, project_ids: Iterable[str]) -> None:
        """Load how long the last completed runs of these projects took. One request."""
        now = self._clock()
        missing = sorted(
            id_ for id_ in project_ids if id_ and self._is_stale(self._recent_durations.get(id_), now)
        )
        if not missing:
            return
        experiment_filter = ExperimentFilter(
            project_ids=tuple(missing), statuses=(Status.COMPLETED, Status.PUBLISHED)
        )
        runs = await self._clearml.find_experiments(experiment_filter, limit=_MAX_RECENT_RUNS)
        for project_id in missing:
            self._recent_durations[project_id] = (
                now,
                _list_durations(run for run in runs if run.project_id == project_id),
            )

    def _estimate_queue(self, queue: Queue) -> Mapping[str, WaitEstimate]:
        workers = self._list_listening_workers(queue)
        estimates = estimate_waits(
            [self._estimate_run_duration(entry.experiment_id) for entry in queue.entries],
            [self._estimate_busy_duration(worker) for worker in workers],
            has_services_worker=any(self._is_in_services_mode(worker) for worker in workers),
        )
        return {entry.experiment_id: estimate for entry, estimate in zip(queue.entries, estimates, strict=True)}

    def _list_listening_workers(self, queue: Queue) -> list[Worker]:
        return [item for item in self._workers if queue.id in item.queue_ids and _SERVICE_MARKER not in item.id]

    def _is_in_services_mode(self, worker: Worker) -> bool:
        """Return whether it is in services mode: by its id if the bot started it, otherwise by what it runs."""
        service_id_prefix = f"{worker.id}{_SERVICE_MARKER}"
        return worker.id.endswith(_SERVICES_SUFFIX) or any(
            item.id.startswith(service_id_prefix) for item in self._workers
        )

    def _estimate_busy_duration(self, worker: Worker) -> DurationRange | None:
        if not worker.experiment_id:
            return ZERO_DURATION
        run = self._get_cached_experiment(worker.experiment_id)
        elapsed = run.compute_running_time(self._clock()) if run else worker.running_time
        if run is None or elapsed is None:
            return None
        parent = self._get_cached_experiment(run.parent_id)
        last_iteration = parent.last_iteration if parent and parent.status is Status.COMPLETED else 0
        return estimate_remaining(
            elapsed,
            self._estimate_run_duration(run.id),
            iteration=run.last_iteration,
            last_iteration=last_iteration,
        )

    def _estimate_run_duration(self, experiment_id: str) -> DurationRange | None:
        experiment = self._get_cached_experiment(experiment_id)
        if experiment is None:
            return None
        _, recent = self._recent_durations.get(experiment.project_id, (None, ()))
        return estimate_duration(self._list_ancestor_durations(experiment), recent)

    def _list_ancestor_durations(self, experiment: Experiment) -> tuple[timedelta, ...]:
        ancestors, current = [], experiment
        for _ in range(_ANCESTOR_GENERATIONS):
            parent = self._get_cached_experiment(current.parent_id)
            if parent is None:
                break
            ancestors.append(parent)
            current = parent
        return _list_durations(ancestors)

    def _get_cached_experiment(self, experiment_id: str) -> Experiment | None:
        return self._experiments.get(experiment_id, (None, None))[1]

    @staticmethod
    def _is_stale(cached: tuple[datetime, object] | None, now: datetime) -> bool:
        return cached is None or now - cached[0] >= _CACHE_LIFETIME


def _list_durations(runs: Iterable[Experiment]) -> tuple[timedelta, ...]:
    """Return the durations of the completed runs."""
    return tuple(
        run.completed - run.started
        for run in runs
        if run.status in {Status.COMPLETED, Status.PUBLISHED} and run.started and run.completed
    )
