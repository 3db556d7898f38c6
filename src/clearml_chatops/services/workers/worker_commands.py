"""Starting, stopping, restarting and draining workers of this host without ending a run by accident."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from clearml_chatops.models.errors import ChatOpsError, WorkerExistsError
from clearml_chatops.models.experiments import Experiment
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.people import Person
from clearml_chatops.models.replies import Button
from clearml_chatops.models.workers import DesiredWorker, RunningPolicy, WorkerPlan, WorkerSpec
from clearml_chatops.services.workers.gpu_conflicts import GpuConflict, GpuConflicts
from clearml_chatops.services.workers.host_workers import HostWorkers
from clearml_chatops.services.workers.worker_ids import build_worker_id
from clearml_chatops.services.workers.worker_plans import WorkerPlanner
from clearml_chatops.services.workers.worker_shutdown import (
    BusyWorker,
    DrainingWorker,
    QueueBacklog,
    WorkerShutdown,
)
from clearml_chatops.services.workers.workers import WorkerService


@dataclass(frozen=True, slots=True)
class WorkerCommandResult:
    """The outcome of a worker command.

    With `conflicts`, `busy_workers` or several `candidates`, a person has to decide first: these workers are
    unchanged. `unattended` lists experiments in queues that no longer have a worker, `orphaned` runs that continue
    without the agent of a stopped worker.
    """

    started: tuple[DesiredWorker, ...] = ()
    stopped: tuple[DesiredWorker, ...] = ()
    draining: tuple[DrainingWorker, ...] = ()
    aborted: tuple[Experiment, ...] = ()
    conflicts: tuple[GpuConflict, ...] = ()
    busy_workers: tuple[BusyWorker, ...] = ()
    candidates: tuple[DesiredWorker, ...] = ()
    unattended: tuple[QueueBacklog, ...] = ()
    orphaned: tuple[Experiment, ...] = ()


class WorkerCommands:
    """The worker commands of one person. Only one command at a time runs on this host."""

    def __init__(
        self,
        *,
        workers: WorkerService,
        planner: WorkerPlanner,
        conflicts: GpuConflicts,
        shutdown: WorkerShutdown,
        host_workers: HostWorkers,
        origin: "CommandOrigin",
    ) -> None:
        self._workers = workers
        self._planner = planner
        self._conflicts = conflicts
        self._shutdown = shutdown
        self._host_workers = host_workers
        self._origin = origin

    async def start(self, spec: WorkerSpec) -> WorkerCommandResult:
        """Start a worker for the named queues, or for the person's own queue, and keep it running.

        Raises:
            WorkerExistsError, AgentFailedError, and what `WorkerPlanner.create_plan` raises: nothing was changed.
        """
        plan = await self._planner.create_plan(spec)
        worker_id = build_worker_id(self._origin.host, plan)
        async with self._host_workers.lock.acquire():
            desired_workers = {item.id: item for item in await self._host_workers.list_desired()}
            existing_worker = desired_workers.get(worker_id)
            if existing_worker is not None and not await self._try_resume(existing_worker, plan):
                raise self._build_exists_error(existing_worker)
            if existing_worker is None and not spec.share:
                conflicts = await self._conflicts.find_conflicts(
                    plan, desired_workers.values(), ignored_worker_ids=spec.accepted_worker_ids
                )
                if conflicts:
                    return WorkerCommandResult(conflicts=conflicts)
            worker = await self._host_workers.put(
                _reset_state(existing_worker)
                if existing_worker
                else self._origin.build_desired_worker(worker_id, plan)
            )
            if existing_worker is None:
                await self._start_or_forget(worker)
            else:
                await self._start_or_restore(worker, existing_worker)
        return WorkerCommandResult(started=(worker,))

    async def stop(
        self, reference: str, queue_name: str, gpus: str = "", *, running_policy: RunningPolicy | None
    ) -> WorkerCommandResult:
        """Stop workers. Without a `running_policy`, nothing is stopped if one of them is running an experiment.

        Raises:
            WorkerNotFoundError, AmbiguousWorkerError, NoWorkerForQueueError, WorkerNotYoursError,
            ExperimentNotYoursError, AgentFailedError.
        """
        targets = await self._find_targets(reference, queue_name, gpus)
        result = WorkerCommandResult()
        async with self._host_workers.lock.acquire():
            busy_workers = await self._shutdown.find_busy_workers(targets, running_policy)
            if busy_workers and running_policy is None:
                return WorkerCommandResult(busy_workers=tuple(busy_workers.values()))
            for worker in targets:
                result = await self._stop_one(worker, busy_workers.get(worker.id), running_policy, result)
        return replace(result, unattended=await self._shutdown.find_unattended_backlogs(result.stopped))

    async def restart(
        self, reference: str, spec: WorkerSpec, *, running_policy: RunningPolicy | None
    ) -> WorkerCommandResult:
        """Replace a worker by one with other GPUs or another image. Everything is checked first.

        Raises:
            What `start` and `stop` raise.
        """
        targets = await self._find_targets(reference, spec.queue_names[0] if spec.queue_names else "")
        if len(targets) > 1:
            return WorkerCommandResult(candidates=tuple(targets))
        (old,) = targets
        plan = await self._planner.change_plan(old.plan, spec)
        new_id = build_worker_id(self._origin.host, plan)
        async with self._host_workers.lock.acquire():
            desired_workers = await self._host_workers.list_desired()
            if new_id != old.id and (
                existing_worker := next((item for item in desired_workers if item.id == new_id), None)
            ):
                raise self._build_exists_error(existing_worker)
            ignored_worker_ids = {old.id, *spec.accepted_worker_ids}
            if not spec.share and (
                conflicts := await self._conflicts.find_conflicts(
                    plan, desired_workers, ignored_worker_ids=ignored_worker_ids
                )
            ):
                return WorkerCommandResult(conflicts=conflicts)
            busy_worker = (await self._shutdown.find_busy_workers([old], running_policy)).get(old.id)
            if busy_worker and running_policy is None:
                return WorkerCommandResult(busy_workers=(busy_worker,))
            if busy_worker and running_policy is RunningPolicy.WAIT:
                return WorkerCommandResult(draining=(await self._shutdown.drain(old, plan, busy_worker),))
            if not await self._shutdown.stop_when_idle(old, busy_worker, running_policy):
                return await self._add_busy_worker(old, plan, WorkerCommandResult())
            orphaned_run = await self._host_workers.forget(old)
            await self._shutdown.requeue_runs(busy_worker, running_policy)
            new = replace(_reset_state(old), id=new_id, plan=plan, created=self._origin.clock())
            await self._host_workers.put(new)
            try:
                await self._start_or_forget(new)
            except ChatOpsError:
                # The old worker is better than none; the reconciler starts it again.
                await self._host_workers.put(_reset_state(old))
                raise
        return WorkerCommandResult(
            started=(new,),
            stopped=(old,),
            aborted=tuple(run.experiment for run in busy_worker.runs) if busy_worker else (),
            orphaned=(orphaned_run,) if orphaned_run else (),
        )

    async def _stop_one(
        self,
        worker: DesiredWorker,
        busy_worker: BusyWorker | None,
        running_policy: RunningPolicy | None,
        result: WorkerCommandResult,
    ) -> WorkerCommandResult:
        """Stop one of several workers; return the result with its outcome added."""
        is_waiting = running_policy is RunningPolicy.WAIT
        if not (busy_worker and is_waiting) and await self._shutdown.stop_when_idle(
            worker, busy_worker, running_policy
        ):
            orphaned_run = await self._host_workers.forget(worker)
            await self._shutdown.requeue_runs(busy_worker, running_policy)
            return replace(
                result,
                stopped=(*result.stopped, worker),
                aborted=(*result.aborted, *(run.experiment for run in (busy_worker.runs if busy_worker else ()))),
                orphaned=(*result.orphaned, *([orphaned_run] if orphaned_run else [])),
            )
        if is_waiting:
            busy_worker = busy_worker or (await self._shutdown.find_busy_workers([worker], running_policy)).get(
                worker.id
            )
            draining_worker = await self._shutdown.drain(worker, None, busy_worker)
            return replace(result, draining=(*result.draining, draining_worker))
        return await self._add_busy_worker(worker, None, result)

    async def _add_busy_worker(
        self, worker: DesiredWorker, successor: WorkerPlan | None, result: WorkerCommandResult
    ) -> WorkerCommandResult:
        """Return the result with a worker that took an experiment before it could be stopped; a person decides.

        If ClearML doesn't show the experiment as Running yet, the worker is drained instead.
        """
        busy_workers = await self._shutdown.find_busy_workers([worker], None)
        if busy_workers:
            return replace(result, busy_workers=(*result.busy_workers, *busy_workers.values()))
        draining_worker = await self._shutdown.drain(worker, successor, None)
        return replace(result, draining=(*result.draining, draining_worker))

    async def _try_resume(self, existing_worker: DesiredWorker, plan: WorkerPlan) -> bool:
        """Return whether the same worker can continue: it was draining, which is cancelled, or has crashed."""
        if existing_worker.plan != plan or not self._workers.is_own(existing_worker):
            return False
        if existing_worker.draining:
            await self._host_workers.resume(existing_worker)
            return True
        return existing_worker.id not in await self._host_workers.list_processes()

    def _build_exists_error(self, existing_worker: DesiredWorker) -> WorkerExistsError:
        restart = (
            [Button("Restart worker", f'/worker restart "{existing_worker.id}"')]
            if self._workers.is_own(existing_worker)
            else []
        )
        buttons = [*restart, Button("Show workers", "/worker list")]
        return WorkerExistsError(worker=existing_worker.id, owner=existing_worker.person_name, buttons=buttons)

    async def _start_or_forget(self, worker: DesiredWorker) -> None:
        try:
            await self._host_workers.ensure_running(worker)
        except ChatOpsError:
            await self._host_workers.stop_now(worker)
            await self._host_workers.forget(worker)
            raise

    async def _start_or_restore(self, worker: DesiredWorker, previous_state: DesiredWorker) -> None:
        """Start a worker that existed already; if that fails and it was draining, it stays draining."""
        try:
            await self._host_workers.ensure_running(worker)
        except ChatOpsError:
            if previous_state.draining:
                await self._host_workers.put(previous_state)
            raise

    async def _find_targets(self, reference: str, queue_name: str, gpus: str = "") -> list[DesiredWorker]:
        targets = await self._workers.find(reference, queue_name, gpus)
        for worker in targets:
            self._workers.require_own(worker)
        return targets


@dataclass(frozen=True, slots=True)
class CommandOrigin:
    """Who sent a worker command, where, and for which host."""

    person: Person
    conversation: Conversation
    host: str
    clock: Callable[[], datetime]

    def build_desired_worker(self, worker_id: str, plan: WorkerPlan) -> DesiredWorker:
        """Return a new worker that belongs to the person."""
        return DesiredWorker(
            id=worker_id,
            host=self.host,
            plan=plan,
            person_id=self.person.id,
            conversation=self.conversation,
            created=self.clock(),
            person_name=self.person.name,
        )


def _reset_state(worker: DesiredWorker) -> DesiredWorker:
    """Return the worker without its draining, pause and failure state."""
    return replace(
        worker,
        draining=False,
        paused_queue_ids=(),
        paused_since=None,
        successor=None,
        failures=0,
        next_attempt=None,
    )
