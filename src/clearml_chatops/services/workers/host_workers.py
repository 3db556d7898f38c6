"""The workers of one host: which should run, which do, and the steps that start and stop one.

Only agents that this bot started are touched. A draining worker is stopped when it is idle; its queues are paused
first, because it could take an experiment in between.
"""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta

from clearml_chatops.models.errors import AgentFailedError
from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.workers import DesiredWorker, StartedWorker, WorkerView
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.workers.agents import AgentProcess, LocalAgents
from clearml_chatops.services.workers.host_lock import HostLock
from clearml_chatops.services.workers.orphaned_runs import OrphanedRuns
from clearml_chatops.services.workers.queue_pauses import PAUSE_DELAY, QueuePauses
from clearml_chatops.services.workers.worker_views import build_worker_views
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.workers import DesiredWorkerStore, StartedWorkerStore

_STABLE_AFTER = timedelta(minutes=5)
_MAX_LISTING_POLLS = 50
_POLL_INTERVAL_SECONDS = 0.2


class HostWorkers:
    """The operations of commands and the reconciler on workers. Hold `lock` while you change them."""

    def __init__(
        self,
        *,
        clearml: ClearML,
        database: Database,
        agents: LocalAgents,
        orphaned_runs: OrphanedRuns,
        host: str,
        lock: HostLock,
        clock: Callable[[], datetime],
    ) -> None:
        self._clearml = clearml
        self._database = database
        self._agents = agents
        self._orphaned_runs = orphaned_runs
        self._host = host
        self.lock = lock
        self._clock = clock
        self.queue_pauses = QueuePauses(clearml=clearml, database=database, clock=clock)

    async def list_desired(self) -> list[DesiredWorker]:
        """Return all workers that should run on this host."""
        async with self._database.reading() as session:
            return await DesiredWorkerStore(session).list(host=self._host)

    async def list_processes(self) -> dict[str, AgentProcess]:
        """Return the bot's running agents by worker id, from the database."""
        async with self._database.reading() as session:
            started = await StartedWorkerStore(session).list(host=self._host)
        agents = {item.id: AgentProcess(item.process_id, item.process_started) for item in started}
        return await asyncio.to_thread(lambda: {id_: item for id_, item in agents.items() if item.is_running})

    async def put(self, worker: DesiredWorker) -> DesiredWorker:
        async with self._database.writing() as session:
            await DesiredWorkerStore(session).put(worker)
        return worker

    async def ensure_running(self, worker: DesiredWorker) -> None:
        """Start a worker, or adopt its running agent, and wait until ClearML lists it on its queues.

        Raises:
            OrphanedRunError: a run of its former agent still uses its GPUs.
            AgentMissingError, AgentFailedError, ClearMLError.
        """
        if worker.id not in await self._agents.list_running():
            await self._orphaned_runs.require_gpus_released(worker)
        await self.start_or_adopt(worker)

    async def start_or_adopt(self, worker: DesiredWorker) -> None:
        """Do the same without a check for runs of a former agent."""
        process = await self._agents.find_running(worker.id)
        previous_registrations: frozenset[datetime | None] = frozenset()
        if process is None:
            previous_registrations = await self._get_registration_times(worker.id)
            process = await self._agents.start(
                worker.id,
                worker.plan,
                environment=await self._clearml.build_agent_environment(),
                host=self._host,
            )
        await self.record_started(worker.id, process)
        for _ in range(_MAX_LISTING_POLLS):
            if await self._is_listed(worker, ignored_registrations=previous_registrations):
                return
            if not process.is_running:
                raise AgentFailedError(host=self._host, reason="the agent ended right after it started.")
            await asyncio.sleep(_POLL_INTERVAL_SECONDS)
        raise AgentFailedError(host=self._host, reason=f"{worker.id} is running, but ClearML doesn't list it.")

    async def _get_registration_times(self, worker_id: str) -> frozenset[datetime | None]:
        """Return when a worker registered at the server, which lists a killed worker for ten more minutes."""
        return frozenset(item.registered for item in await self._clearml.list_workers() if item.id == worker_id)

    async def _is_listed(
        self, worker: DesiredWorker, *, ignored_registrations: frozenset[datetime | None]
    ) -> bool:
        """Return whether the server lists the worker on its queues with a new registration."""
        return any(
            set(worker.plan.queue_ids) <= set(item.queue_ids)
            for item in await self._clearml.list_workers()
            if item.id == worker.id and item.registered not in ignored_registrations
        )

    async def advance_draining(self, worker: DesiredWorker, *, pause_all: bool) -> bool:
        """Do one step of draining a worker; return whether its agent has ended. `forget` removes its record.

        With `pause_all`, all its queues are paused; otherwise, until it is idle, only those without another
        worker. Call it again after at least `PAUSE_DELAY`.
        """
        process = (await self.list_processes()).get(worker.id)
        if process is None:
            return True
        worker = await self.reload(worker)
        workers = await self._clearml.list_workers()
        queue_ids_of_others = {id_ for item in workers if item.id != worker.id for id_ in item.queue_ids}
        (view,) = (item for item in build_worker_views(workers, [WorkerView(worker.id, worker)]) if item.desired)
        is_idle = not await self._is_busy(view) and not await self._agents.is_executing(process)
        paused_queue_ids = [
            id_ for id_ in worker.plan.queue_ids if pause_all or is_idle or id_ not in queue_ids_of_others
        ]
        paused_since = worker.paused_since
        worker = await self.queue_pauses.set_paused_queues(worker, paused_queue_ids)
        if (
            not is_idle
            or paused_since is None
            or worker.paused_since != paused_since
            or self._clock() - paused_since < PAUSE_DELAY
        ):
            return False
        await self._agents.stop(process, host=self._host)
        return True

    async def _is_busy(self, view: WorkerView) -> bool:
        """Return whether it runs an experiment; a services-mode worker is listed with ended runs too."""
        if not view.experiment_ids or (view.desired and not view.desired.plan.services_mode):
            return bool(view.experiment_ids)
        found = await self._clearml.get_experiments(view.experiment_ids)
        return any(item.status is Status.RUNNING for item in found.values())

    async def stop_now(self, worker: DesiredWorker) -> None:
        """Stop a worker's agent even if it is busy; the agent aborts its run. Raises AgentFailedError."""
        process = (await self.list_processes()).get(worker.id)
        if process is not None:
            await self._agents.stop(process, host=self._host)

    async def forget(self, worker: DesiredWorker) -> Experiment | None:
        """Remove a worker after its agent has ended, and resume its queues.

        If an orphaned run of the worker continues, return that run and keep the worker as draining until the run
        ends; after a restart, the bot then still knows who gets notified.
        """
        worker = await self.queue_pauses.set_paused_queues(await self.reload(worker), ())
        # A killed agent has not unregistered, and would seem to use its GPUs still.
        if await self._get_registration_times(worker.id):
            await self._clearml.unregister_worker(worker.id)
        orphaned_run = await self._orphaned_runs.detect_active_run(replace(worker, draining=True))
        async with self._database.writing() as session:
            await StartedWorkerStore(session).remove(worker.id)
            if orphaned_run:
                await DesiredWorkerStore(session).put(replace(worker, draining=True))
            else:
                await DesiredWorkerStore(session).remove(worker.id)
        return orphaned_run

    async def resume(self, worker: DesiredWorker) -> DesiredWorker:
        """Cancel the draining of a worker."""
        worker = await self.queue_pauses.set_paused_queues(await self.reload(worker), ())
        return await self.put(replace(worker, draining=False, successor=None))

    async def reload(self, worker: DesiredWorker) -> DesiredWorker:
        """Return the worker as stored now."""
        return next((item for item in await self.list_desired() if item.id == worker.id), worker)

    async def stop_undesired(self, desired_worker_ids: Collection[str]) -> None:
        """Stop the bot's other agents: somebody stopped these workers before the bot crashed."""
        async with self._database.reading() as session:
            started = await StartedWorkerStore(session).list(host=self._host)
        for item in started:
            if item.id not in desired_worker_ids:
                await self._agents.stop(AgentProcess(item.process_id, item.process_started), host=self._host)
                async with self._database.writing() as session:
                    await StartedWorkerStore(session).remove(item.id)

    async def is_stable(self, worker: DesiredWorker) -> bool:
        """Return whether its agent has run long enough to reset its failures."""
        async with self._database.reading() as session:
            started = await StartedWorkerStore(session).list(host=self._host)
        return any(item.id == worker.id and self._clock() - item.started > _STABLE_AFTER for item in started)

    async def record_started(self, worker_id: str, process: AgentProcess) -> None:
        """Store the process of a worker's agent, with now as its start."""
        async with self._database.writing() as session:
            await StartedWorkerStore(session).put(
                StartedWorker(worker_id, self._host, process.id, process.started, self._clock())
            )
