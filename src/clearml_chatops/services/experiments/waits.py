"""Estimates of how long what waits will wait, with as few questions to ClearML as that takes."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.queues import Queue, WaitEstimate, Worker
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.clearml_gateway.experiment_calls import ExperimentFilter
from clearml_chatops.services.experiments.wait_estimate import (
    AT_ONCE,
    Span,
    estimated_waits,
    expected_duration,
    remaining,
)

_KEPT_FOR = timedelta(minutes=1)
_GENERATIONS = 2
"""Parents and their parents: further back the code was another."""
_MOST_ASKED = 500
_MOST_RECENT = 200
_MOST_KEPT = 5000
_SERVICE = ":service:"
"""Stands in the id under which an agent in services mode reports each thing that it runs (clearml-agent)."""
_SERVICES = ":services"


class WaitEstimates:
    """What ClearML said is good for a minute. A look costs five requests at most, none where nobody listens."""

    def __init__(self, *, clearml: ClearML, clock: Callable[[], datetime]) -> None:
        self._clearml = clearml
        self._clock = clock
        self._workers: tuple[Worker, ...] = ()
        self._workers_asked: datetime | None = None
        self._experiments: dict[str, tuple[datetime, Experiment | None]] = {}
        self._recent: dict[str, tuple[datetime, tuple[timedelta, ...]]] = {}

    async def of(self, queues: Sequence[Queue]) -> dict[str, WaitEstimate]:
        """How long all that waits in these queues waits, by its id; "not known" where ClearML does not answer."""
        found = {
            entry.experiment_id: WaitEstimate(has_worker=False) for queue in queues for entry in queue.entries
        }
        listened = [queue for queue in queues if queue.entries and queue.worker_ids]
        if not listened:
            return found
        try:
            await self._prepare(listened)
        except ChatOpsError:
            # What else is to be said of them is worth more than how long it lasts.
            return found | {entry.experiment_id: WaitEstimate() for queue in listened for entry in queue.entries}
        for queue in listened:
            found.update(self._estimates(queue))
        return found

    async def _prepare(self, queues: Sequence[Queue]) -> None:
        """Asks for what is needed to estimate them and is not known of the last minute."""
        now = self._clock()
        known = {worker.id for worker in self._workers}
        has_new_workers = any(not known.issuperset(queue.worker_ids) for queue in queues)
        if self._workers_asked is None or now - self._workers_asked >= _KEPT_FOR or has_new_workers:
            self._workers, self._workers_asked = await self._clearml.workers(), now
        wanted = {worker.experiment_id for queue in queues for worker in self._listening(queue)}
        wanted |= {entry.experiment_id for queue in queues for entry in queue.entries[:_MOST_ASKED]}
        concerned = await self._known(wanted)
        generation = concerned
        for _ in range(_GENERATIONS):
            generation = await self._known({item.parent_id for item in generation})
        projects = {item.project_id for item in concerned if not self._durations_of_ancestors(item)}
        await self._ask_for_recent(projects)

    async def _known(self, ids: Collection[str]) -> list[Experiment]:
        """These experiments, asked for where they are not known of the last minute. One request."""
        now = self._clock()
        missing = sorted(id_ for id_ in ids if id_ and self._is_old(self._experiments.get(id_), now))[:_MOST_ASKED]
        if missing:
            if len(self._experiments) > _MOST_KEPT:
                self._experiments.clear()
            found = await self._clearml.experiments(missing, whole=False)
            self._experiments.update({id_: (now, found.get(id_)) for id_ in missing})
        return [item for id_ in ids if (item := self._experiment(id_))]

    async def _ask_for_recent(self, project_ids: Iterable[str]) -> None:
        """How long the last completed runs of these projects took. One request."""
        now = self._clock()
        missing = sorted(id_ for id_ in project_ids if id_ and self._is_old(self._recent.get(id_), now))
        if not missing:
            return
        asked = ExperimentFilter(project_ids=tuple(missing), statuses=(Status.COMPLETED, Status.PUBLISHED))
        runs = await self._clearml.find_experiments(asked, limit=_MOST_RECENT)
        for project_id in missing:
            self._recent[project_id] = (now, _durations(run for run in runs if run.project_id == project_id))

    def _estimates(self, queue: Queue) -> Mapping[str, WaitEstimate]:
        workers = self._listening(queue)
        waits = estimated_waits(
            [self._duration(entry.experiment_id) for entry in queue.entries],
            [self._busy_for(worker) for worker in workers],
            takes_all=any(self._runs_services(worker) for worker in workers),
        )
        return {entry.experiment_id: wait for entry, wait in zip(queue.entries, waits, strict=True)}

    def _listening(self, queue: Queue) -> list[Worker]:
        return [item for item in self._workers if queue.id in item.queue_ids and _SERVICE not in item.id]

    def _runs_services(self, worker: Worker) -> bool:
        """Whether it is in services mode: one of the bot's says so in its id, any other by what it runs."""
        begins = f"{worker.id}{_SERVICE}"
        return worker.id.endswith(_SERVICES) or any(item.id.startswith(begins) for item in self._workers)

    def _busy_for(self, worker: Worker) -> Span | None:
        if not worker.experiment_id:
            return AT_ONCE
        run = self._experiment(worker.experiment_id)
        ran = run.running_time(self._clock()) if run else worker.running_time
        if run is None or ran is None:
            return None
        parent = self._experiment(run.parent_id)
        last_iteration = parent.last_iteration if parent and parent.status is Status.COMPLETED else 0
        return remaining(ran, self._duration(run.id), iteration=run.last_iteration, last_iteration=last_iteration)

    def _duration(self, experiment_id: str) -> Span | None:
        experiment = self._experiment(experiment_id)
        if experiment is None:
            return None
        _, recent = self._recent.get(experiment.project_id, (None, ()))
        return expected_duration(self._durations_of_ancestors(experiment), recent)

    def _durations_of_ancestors(self, experiment: Experiment) -> tuple[timedelta, ...]:
        ancestors, current = [], experiment
        for _ in range(_GENERATIONS):
            parent = self._experiment(current.parent_id)
            if parent is None:
                break
            ancestors.append(parent)
            current = parent
        return _durations(ancestors)

    def _experiment(self, experiment_id: str) -> Experiment | None:
        return self._experiments.get(experiment_id, (None, None))[1]

    @staticmethod
    def _is_old(kept: tuple[datetime, object] | None, now: datetime) -> bool:
        return kept is None or now - kept[0] >= _KEPT_FOR


def _durations(runs: Iterable[Experiment]) -> tuple[timedelta, ...]:
    """How long those took that came to a good end."""
    return tuple(
        run.completed - run.started
        for run in runs
        if run.status in {Status.COMPLETED, Status.PUBLISHED} and run.started and run.completed
    )
