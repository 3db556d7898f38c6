"""Listing and finding workers for a person, with their runs and logs."""

import asyncio

from clearml_chatops.models.errors import (
    AmbiguousWorkerError,
    NoWorkerForQueueError,
    QueueNotFoundError,
    WorkerNotFoundError,
    WorkerNotRunningError,
    WorkerNotYoursError,
)
from clearml_chatops.models.experiments import Status
from clearml_chatops.models.people import Person, Role
from clearml_chatops.models.replies import Button
from clearml_chatops.models.workers import DesiredWorker, OwnedRun, WorkerView
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.experiments.ownership import Ownership
from clearml_chatops.services.experiments.queues import QueueService
from clearml_chatops.services.similar_names import find_similar_names, format_suggestion
from clearml_chatops.services.workers.agents import LocalAgents
from clearml_chatops.services.workers.host_workers import HostWorkers
from clearml_chatops.services.workers.worker_references import WorkerMatch, match_gpus, match_reference
from clearml_chatops.services.workers.worker_views import build_worker_views

_LIST_BUTTON = Button("Show workers", "/worker list")


class WorkerService:
    """The workers of the server and of this host, for one person."""

    def __init__(
        self,
        *,
        clearml: ClearML,
        queues: QueueService,
        ownership: Ownership,
        agents: LocalAgents,
        host_workers: HostWorkers,
        person: Person,
        host: str,
    ) -> None:
        self._clearml = clearml
        self._queues = queues
        self._ownership = ownership
        self._agents = agents
        self._host_workers = host_workers
        self._person = person
        self._host = host

    async def list_all(self) -> tuple[WorkerView, ...]:
        """Return the workers of every host that the server lists, and those that should run on this host."""
        listed_workers, desired_workers, processes = await asyncio.gather(
            self._clearml.list_workers(), self._host_workers.list_desired(), self._host_workers.list_processes()
        )
        own_views = tuple(WorkerView(item.id, item, is_running=item.id in processes) for item in desired_workers)
        return build_worker_views(listed_workers, own_views)

    async def list_own(self) -> tuple[WorkerView, ...]:
        """Return the workers that the person started, and those that listen on their queue."""
        binding = await self._queues.get_binding()
        return tuple(
            view
            for view in await self.list_all()
            if (view.desired and view.desired.person_id == self._person.id)
            or (view.observed and binding and binding.queue_id in view.observed.queue_ids)
        )

    async def list_desired(self) -> list[DesiredWorker]:
        """Return all workers that should run on this host."""
        return await self._host_workers.list_desired()

    async def find_runs(self, views: tuple[WorkerView, ...]) -> dict[str, tuple[OwnedRun, ...]]:
        """Return the runs of these workers by worker id, oldest first. One request; none if they run nothing.

        The server lists a services-mode worker with its newest run, up to 30 s after that run's end. Only Running
        experiments are returned.
        """
        ids = sorted({id_ for view in views for id_ in view.experiment_ids})
        found = await self._clearml.get_experiments(ids) if ids else {}
        runs = {
            id_: OwnedRun(item, await self._ownership.get_owner_name(item))
            for id_, item in sorted(found.items(), key=lambda each: each[1].started or each[1].status_changed)
            if item.status is Status.RUNNING
        }
        runs_by_worker = {
            view.id: tuple(run for id_, run in runs.items() if id_ in view.experiment_ids) for view in views
        }
        return {worker_id: worker_runs for worker_id, worker_runs in runs_by_worker.items() if worker_runs}

    async def find(self, reference: str, queue_name: str, gpus: str = "") -> list[DesiredWorker]:
        """Return the bot's workers of this host: one by id, GPUs or a unique part, or all of a queue.

        Without a name, they are those of the person's own queue.

        Raises:
            AmbiguousWorkerError, WorkerNotFoundError, NoWorkerForQueueError, QueueNotFoundError,
            NoPersonalQueueError.
        """
        desired_workers = await self._host_workers.list_desired()
        if reference:
            match = match_reference(reference, desired_workers)
            return self._choose(match, reference, "worker") or await self._explain_missing(reference)
        if gpus:
            queue = await self._queues.resolve_binding(queue_name) if queue_name else None
            listening = [item for item in desired_workers if not queue or queue.queue_id in item.plan.queue_ids]
            return self._choose(match_gpus(gpus, listening), gpus, "gpus") or await self._explain_missing(
                f"gpus={gpus}"
            )
        queue = await self._queues.resolve_binding(queue_name)
        found = [item for item in desired_workers if queue.queue_id in item.plan.queue_ids]
        if not found:
            raise NoWorkerForQueueError(queue=queue.queue_name, host=self._host, buttons=[_LIST_BUTTON])
        return found

    def _choose(self, match: WorkerMatch, reference: str, parameter: str) -> list[DesiredWorker]:
        """Return the workers that a person means: of several that only match in part, the only one of theirs.

        Raises AmbiguousWorkerError.
        """
        if match.is_group or len(match.workers) <= 1:
            return list(match.workers)
        own = [item for item in match.workers if self.is_own(item)]
        if len(own) == 1:
            return own
        ids = tuple(item.id for item in own or match.workers)
        raise AmbiguousWorkerError(reference=reference, parameter=parameter, worker_ids=ids)

    async def _explain_missing(self, reference: str) -> list[DesiredWorker]:
        """Raise NoWorkerForQueueError if the name is a queue's, WorkerNotFoundError if it isn't."""
        try:
            queue = await self._queues.find(reference)
        except QueueNotFoundError as error:
            ids = [item.id for item in await self._host_workers.list_desired()]
            nearest = format_suggestion(find_similar_names(reference, ids))
            raise WorkerNotFoundError(
                reference=reference, host=self._host, nearest=nearest, buttons=[_LIST_BUTTON]
            ) from error
        raise NoWorkerForQueueError(queue=queue.name, host=self._host, buttons=[_LIST_BUTTON])

    def require_own(self, worker: DesiredWorker) -> None:
        """Raise WorkerNotYoursError if the worker is another person's and this person is no admin."""
        if not self.is_own(worker):
            raise WorkerNotYoursError(worker=worker.id, owner=worker.person_name)

    def is_own(self, worker: DesiredWorker) -> bool:
        """Return whether the person may change the worker: it is theirs, or they are an admin."""
        return worker.person_id == self._person.id or self._person.role >= Role.ADMIN

    async def read_log(self, worker: DesiredWorker, count: int) -> list[str]:
        """Return the last log lines of the worker's agent, oldest first. Raises WorkerNotRunningError."""
        process = (await self._host_workers.list_processes()).get(worker.id)
        if process is None:
            raise WorkerNotRunningError(worker=worker.id)
        return await self._agents.read_last_log_lines(process, count)
