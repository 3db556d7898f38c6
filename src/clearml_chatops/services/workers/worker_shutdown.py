"""Stopping and draining workers, with their runs and the experiments that wait in their queues."""

import asyncio
import contextlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from clearml_chatops.models.errors import CannotAbortError, CannotRetryError, ChatOpsError, ClearMLError
from clearml_chatops.models.workers import DesiredWorker, OwnedRun, RunningPolicy, WorkerPlan
from clearml_chatops.services.experiments.ownership import Ownership
from clearml_chatops.services.experiments.queues import QueueService
from clearml_chatops.services.experiments.runs import RunService
from clearml_chatops.services.workers.host_workers import HostWorkers
from clearml_chatops.services.workers.queue_pauses import PAUSE_DELAY
from clearml_chatops.services.workers.workers import WorkerService

_MAX_STOP_POLLS = 20


@dataclass(frozen=True, slots=True)
class QueueBacklog:
    """The experiments that wait in a queue of a worker; `has_other_workers` is whether others can take them."""

    queue_name: str
    runs: tuple[OwnedRun, ...]
    has_other_workers: bool


@dataclass(frozen=True, slots=True)
class BusyWorker:
    """A worker with its runs, several in services mode. `can_abort` is whether the person may abort them all."""

    worker: DesiredWorker
    runs: tuple[OwnedRun, ...]
    can_abort: bool
    backlogs: tuple[QueueBacklog, ...] = ()


@dataclass(frozen=True, slots=True)
class DrainingWorker:
    """A worker that finishes `runs`, takes nothing new, and stops; `backlogs` then have no worker."""

    worker: DesiredWorker
    runs: tuple[OwnedRun, ...]
    backlogs: tuple[QueueBacklog, ...] = ()


class WorkerShutdown:
    """The shutdown of workers for one person. Callers hold the lock of the host's workers."""

    def __init__(
        self,
        *,
        workers: WorkerService,
        queues: QueueService,
        runs: RunService,
        ownership: Ownership,
        host_workers: HostWorkers,
    ) -> None:
        self._workers = workers
        self._queues = queues
        self._runs = runs
        self._ownership = ownership
        self._host_workers = host_workers

    async def find_busy_workers(
        self, targets: Iterable[DesiredWorker], running_policy: RunningPolicy | None
    ) -> dict[str, BusyWorker]:
        """Return the workers that are running experiments, by id; with backlogs only without a `running_policy`.

        Raises:
            ExperimentNotYoursError: the policy would abort a run that the person may not abort.
        """
        targets_by_id = {worker.id: worker for worker in targets}
        views = tuple(
            view for view in await self._workers.list_all() if view.id in targets_by_id and view.is_running
        )
        busy_workers = {}
        for worker_id, runs in (await self._workers.find_runs(views)).items():
            if running_policy in {RunningPolicy.ABORT, RunningPolicy.REQUEUE}:
                for run in runs:
                    await self._ownership.require_own(run.experiment)
            worker = targets_by_id[worker_id]
            busy_workers[worker_id] = BusyWorker(
                worker,
                runs,
                can_abort=all([await self._ownership.is_own(run.experiment) for run in runs]),
                backlogs=() if running_policy else await self._find_backlogs(worker, targets_by_id),
            )
        return busy_workers

    async def find_unattended_backlogs(self, workers: Iterable[DesiredWorker]) -> tuple[QueueBacklog, ...]:
        """Return the backlogs of these workers' queues that have no other worker, each queue once.

        Empty if ClearML fails, because the workers were stopped anyway.
        """
        backlogs: dict[str, QueueBacklog] = {}
        with contextlib.suppress(ClearMLError):
            for worker in workers:
                backlogs |= {item.queue_name: item for item in await self._find_backlogs(worker, ())}
        return tuple(backlog for backlog in backlogs.values() if not backlog.has_other_workers)

    async def drain(
        self, worker: DesiredWorker, successor: WorkerPlan | None, busy_worker: BusyWorker | None
    ) -> DrainingWorker:
        """Drain a worker: it takes nothing new and stops when idle. Its successor, if any, then replaces it."""
        draining_worker = await self._host_workers.put(replace(worker, draining=True, successor=successor))
        await self._host_workers.advance_draining(draining_worker, pause_all=False)
        return DrainingWorker(
            draining_worker, busy_worker.runs if busy_worker else (), await self.find_unattended_backlogs([worker])
        )

    async def stop_when_idle(
        self, worker: DesiredWorker, busy_worker: BusyWorker | None, running_policy: RunningPolicy | None
    ) -> bool:
        """Abort a worker's runs, wait until it is idle, and stop it. Return False if it took another experiment.

        Its queues are paused in the meantime.
        """
        await self._host_workers.put(replace(worker, draining=True, successor=None))
        try:
            await self._host_workers.advance_draining(worker, pause_all=True)
            for run in busy_worker.runs if busy_worker else ():
                with contextlib.suppress(CannotAbortError):  # it ended by itself
                    await self._runs.abort(run.experiment)
            for _ in range(_MAX_STOP_POLLS):
                if await self._host_workers.advance_draining(worker, pause_all=True):
                    return True
                if not busy_worker and worker.id in await self.find_busy_workers(
                    [worker], running_policy=RunningPolicy.WAIT
                ):
                    await self._host_workers.resume(worker)
                    return False
                await asyncio.sleep(PAUSE_DELAY.total_seconds())
            if busy_worker and running_policy is not RunningPolicy.WAIT:
                await self._host_workers.stop_now(worker)
                return True
        except ChatOpsError:
            await self._cancel_draining(worker)
            raise
        await self._host_workers.resume(worker)
        return False

    async def requeue_runs(self, busy_worker: BusyWorker | None, running_policy: RunningPolicy | None) -> None:
        """Put the runs of a stopped worker back into their queue, if `running_policy` is to requeue."""
        if busy_worker and running_policy is RunningPolicy.REQUEUE:
            for run in reversed(busy_worker.runs):  # each goes to the front, which restores the order
                with contextlib.suppress(CannotRetryError):  # it completed
                    await self._runs.retry(run.experiment.id, queue_name="", front=True)

    async def _cancel_draining(self, worker: DesiredWorker) -> None:
        """Cancel draining in the database only; the reconciler resumes the queues once ClearML answers."""
        current = next((item for item in await self._host_workers.list_desired() if item.id == worker.id), worker)
        await self._host_workers.put(replace(current, draining=False))

    async def _find_backlogs(
        self, worker: DesiredWorker, ignored_worker_ids: Collection[str]
    ) -> tuple[QueueBacklog, ...]:
        """Return the nonempty queues of a worker with their waiting experiments.

        `ignored_worker_ids` are workers that stop too, and don't count as other workers.
        """
        backlogs = []
        for queue, experiments in await self._queues.list_waiting(worker.plan.queue_ids):
            runs = [OwnedRun(item, await self._ownership.get_owner_name(item)) for item in experiments]
            has_other_workers = any(id_ not in {worker.id, *ignored_worker_ids} for id_ in queue.worker_ids)
            backlogs.append(QueueBacklog(queue.name, tuple(runs), has_other_workers))
        return tuple(backlogs)
