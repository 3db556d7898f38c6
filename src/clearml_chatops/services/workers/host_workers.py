"""The workers of one host: which should run there, which do, and the steps by which one begins and ends.

Only agents that this bot started are touched. One that is drained is stopped when it has nothing to do; so that it
takes nothing in that moment, its queues are held.
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
    """What commands and the reconciler do with workers. `lock` is held by whoever changes them."""

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
        """All that should run on this host."""
        async with self._database.reading() as session:
            return await DesiredWorkerStore(session).list(host=self._host)

    async def list_processes(self) -> dict[str, AgentProcess]:
        """Our agents that run, by worker id, from our own record of them."""
        async with self._database.reading() as session:
            started = await StartedWorkerStore(session).list(host=self._host)
        agents_by_id = {item.id: AgentProcess(item.process_id, item.process_started) for item in started}
        return await asyncio.to_thread(
            lambda: {id_: item for id_, item in agents_by_id.items() if item.is_running}
        )

    async def put(self, worker: DesiredWorker) -> DesiredWorker:
        async with self._database.writing() as session:
            await DesiredWorkerStore(session).put(worker)
        return worker

    async def ensure_running(self, worker: DesiredWorker) -> None:
        """Starts a worker, or adopts it where its agent runs, and waits until ClearML lists it on its queues.

        Raises:
            RunGoesOnError: a run of its former agent still has its cards.
            AgentMissingError, AgentFailedError, ClearMLError.
        """
        if worker.id not in await self._agents.list_running():
            await self._orphaned_runs.require_gpus_released(worker)
        await self.start_or_adopt(worker)

    async def start_or_adopt(self, worker: DesiredWorker) -> None:
        """The same, whatever its former agent has left behind."""
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
                raise AgentFailedError(host=self._host, reason="the agent ended right after its start.")
            await asyncio.sleep(_POLL_INTERVAL_SECONDS)
        raise AgentFailedError(host=self._host, reason=f"{worker.id} runs, but ClearML does not list it.")

    async def _get_registration_times(self, worker_id: str) -> frozenset[datetime | None]:
        """Since when the server knows a worker: a killed one is listed for ten more minutes."""
        return frozenset(item.registered for item in await self._clearml.list_workers() if item.id == worker_id)

    async def _is_listed(
        self, worker: DesiredWorker, *, ignored_registrations: frozenset[datetime | None]
    ) -> bool:
        """Whether the server lists it on its queues, registered otherwise than at the times `besides`."""
        return any(
            set(worker.plan.queue_ids) <= set(item.queue_ids)
            for item in await self._clearml.list_workers()
            if item.id == worker.id and item.registered not in ignored_registrations
        )

    async def advance_draining(self, worker: DesiredWorker, *, pause_all: bool) -> bool:
        """One step of draining a worker; whether its agent has ended. Its record stays for `forget`.

        With `hold_all` nothing is taken from its queues meanwhile; else only from those on which no other worker
        listens, until it is seen idle. Hence call it again, at least `HOLD_TAKES_EFFECT` later.
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
        """Whether the server says so; of a worker in services mode it does so when its runs have ended, too."""
        if not view.experiment_ids or (view.desired and not view.desired.plan.services_mode):
            return bool(view.experiment_ids)
        found = await self._clearml.get_experiments(view.experiment_ids)
        return any(item.status is Status.RUNNING for item in found.values())

    async def stop_now(self, worker: DesiredWorker) -> None:
        """Ends a worker's agent whatever it does; a run in it is aborted by it. Raises AgentFailedError."""
        process = (await self.list_processes()).get(worker.id)
        if process is not None:
            await self._agents.stop(process, host=self._host)

    async def forget(self, worker: DesiredWorker) -> Experiment | None:
        """Wants a worker no more whose agent has ended, and lets go of its queues.

        Where a run goes on that an agent of it has left behind, that is given, and the worker is drained until
        the run has ended: so the next program knows whose it is, too.
        """
        worker = await self.queue_pauses.set_paused_queues(await self.reload(worker), ())
        # One that was killed has not signed off, and would seem to have its cards still.
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
        """Drains a worker no more."""
        worker = await self.queue_pauses.set_paused_queues(await self.reload(worker), ())
        return await self.put(replace(worker, draining=False, successor=None))

    async def reload(self, worker: DesiredWorker) -> DesiredWorker:
        """The worker as it is noted now."""
        return next((item for item in await self.list_desired() if item.id == worker.id), worker)

    async def stop_undesired(self, desired_worker_ids: Collection[str]) -> None:
        """Ends all agents but these: a person has stopped them while the bot died of something."""
        async with self._database.reading() as session:
            started = await StartedWorkerStore(session).list(host=self._host)
        for item in started:
            if item.id not in desired_worker_ids:
                await self._agents.stop(AgentProcess(item.process_id, item.process_started), host=self._host)
                async with self._database.writing() as session:
                    await StartedWorkerStore(session).remove(item.id)

    async def is_stable(self, worker: DesiredWorker) -> bool:
        """Whether its agent has run for so long that its failures are over."""
        async with self._database.reading() as session:
            started = await StartedWorkerStore(session).list(host=self._host)
        return any(item.id == worker.id and self._clock() - item.started > _STABLE_AFTER for item in started)

    async def record_started(self, worker_id: str, process: AgentProcess) -> None:
        """Notes the process of a worker's agent, and that it has begun now."""
        async with self._database.writing() as session:
            await StartedWorkerStore(session).put(
                StartedWorker(worker_id, self._host, process.id, process.started, self._clock())
            )
