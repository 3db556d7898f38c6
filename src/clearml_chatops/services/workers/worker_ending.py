"""Ending a worker: what it would take along is found out first, and no run ends by accident."""

import asyncio
import contextlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from clearml_chatops.models.errors import CannotAbortError, CannotRetryError, ChatOpsError, ClearMLError
from clearml_chatops.models.workers import MidRun, OwnedRun, WantedWorker, WorkerPlan
from clearml_chatops.services.experiments.ownership import Ownership
from clearml_chatops.services.experiments.queues import QueueService
from clearml_chatops.services.experiments.runs import RunService
from clearml_chatops.services.workers.host_workers import HostWorkers
from clearml_chatops.services.workers.queue_holds import HOLD_TAKES_EFFECT
from clearml_chatops.services.workers.workers import WorkerService

_LOOKS_FOR_THE_END = 20


@dataclass(frozen=True, slots=True)
class WaitingBehind:
    """What waits in a queue of a worker. `others_listen` is whether another worker can take it."""

    queue_name: str
    runs: tuple[OwnedRun, ...]
    others_listen: bool


@dataclass(frozen=True, slots=True)
class BusyWorker:
    """A worker in mid-run: in services mode with several runs. `may_abort` is whether the person may end all."""

    worker: WantedWorker
    runs: tuple[OwnedRun, ...]
    may_abort: bool
    waiting: tuple[WaitingBehind, ...] = ()


@dataclass(frozen=True, slots=True)
class DrainedWorker:
    """A worker that takes nothing more, with what it ends before it stops, and what then waits for another one."""

    worker: WantedWorker
    runs: tuple[OwnedRun, ...]
    waiting: tuple[WaitingBehind, ...] = ()


class WorkerEnding:
    """Ends workers for one person. Whoever calls it holds the lock of the host's workers."""

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

    async def busy(self, targets: Iterable[WantedWorker], mid_run: MidRun | None) -> dict[str, BusyWorker]:
        """Those in mid-run, by id. What waits behind them is only looked up where a person has to decide.

        Raises:
            NotYoursError: a run would be aborted that the person may not.
        """
        wanted = {worker.id: worker for worker in targets}
        views = tuple(view for view in await self._workers.all() if view.id in wanted and view.runs)
        found = {}
        for worker_id, runs in (await self._workers.running(views)).items():
            if mid_run in {MidRun.ABORT, MidRun.REQUEUE}:
                for run in runs:
                    await self._ownership.require_own(run.experiment)
            worker = wanted[worker_id]
            found[worker_id] = BusyWorker(
                worker,
                runs,
                may_abort=all([await self._ownership.is_own(run.experiment) for run in runs]),
                waiting=() if mid_run else await self._waiting_behind(worker, wanted),
            )
        return found

    async def left_behind(self, workers: Iterable[WantedWorker]) -> tuple[WaitingBehind, ...]:
        """What waits in these workers' queues where no other one listens; each queue once.

        Nothing where ClearML does not tell: what was done to the workers is done all the same.
        """
        found: dict[str, WaitingBehind] = {}
        with contextlib.suppress(ClearMLError):
            for worker in workers:
                found |= {item.queue_name: item for item in await self._waiting_behind(worker, ())}
        return tuple(waiting for waiting in found.values() if not waiting.others_listen)

    async def drain(
        self, worker: WantedWorker, successor: WorkerPlan | None, busy: BusyWorker | None
    ) -> DrainedWorker:
        """Has a worker take nothing more and end when it has nothing to do; its successor then takes its place."""
        drained = await self._host_workers.put(replace(worker, draining=True, successor=successor))
        await self._host_workers.ended(drained, hold_all=False)
        return DrainedWorker(drained, busy.runs if busy else (), await self.left_behind([worker]))

    async def end(self, worker: WantedWorker, busy: BusyWorker | None, mid_run: MidRun | None) -> bool:
        """Ends a worker's agent once it is idle, its run being aborted first. False where it took another one.

        Nothing is taken from its queues meanwhile.
        """
        await self._host_workers.put(replace(worker, draining=True, successor=None))
        try:
            await self._host_workers.ended(worker, hold_all=True)
            for run in busy.runs if busy else ():
                with contextlib.suppress(CannotAbortError):  # it has just ended by itself
                    await self._runs.abort(run.experiment)
            for _ in range(_LOOKS_FOR_THE_END):
                if await self._host_workers.ended(worker, hold_all=True):
                    return True
                if not busy and worker.id in await self.busy([worker], mid_run=MidRun.WAIT):
                    await self._host_workers.resume(worker)
                    return False
                await asyncio.sleep(HOLD_TAKES_EFFECT.total_seconds())
            if busy and mid_run is not MidRun.WAIT:
                await self._host_workers.end_now(worker)
                return True
        except ChatOpsError:
            await self._give_up(worker)
            raise
        await self._host_workers.resume(worker)
        return False

    async def put_back(self, busy: BusyWorker | None, mid_run: MidRun | None) -> None:
        """Puts the runs of a worker that has ended back into its queue, where that was asked for."""
        if busy and mid_run is MidRun.REQUEUE:
            for run in reversed(busy.runs):  # each to the front, so that the first comes first again
                with contextlib.suppress(CannotRetryError):  # it has ended well by itself
                    await self._runs.retry(run.experiment.id, queue_name="", front=True)

    async def _give_up(self, worker: WantedWorker) -> None:
        """Leaves a worker as it was; what is held is let go of by the reconciler, once ClearML answers."""
        current = next((item for item in await self._host_workers.wanted() if item.id == worker.id), worker)
        await self._host_workers.put(replace(current, draining=False))

    async def _waiting_behind(self, worker: WantedWorker, besides: Collection[str]) -> tuple[WaitingBehind, ...]:
        """What waits in the worker's queues, those left out in which nothing does.

        `besides` are workers that are to be ended too, and so are no others.
        """
        found = []
        for queue, experiments in await self._queues.waiting_in(worker.plan.queue_ids):
            runs = [OwnedRun(item, await self._ownership.owner_name(item)) for item in experiments]
            others = any(id_ not in {worker.id, *besides} for id_ in queue.worker_ids)
            found.append(WaitingBehind(queue.name, tuple(runs), others))
        return tuple(found)
