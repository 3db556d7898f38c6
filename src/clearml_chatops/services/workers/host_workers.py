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
from clearml_chatops.models.workers import StartedWorker, WantedWorker, WorkerView
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.workers.agents import AgentProcess, LocalAgents
from clearml_chatops.services.workers.host_lock import HostLock
from clearml_chatops.services.workers.orphaned_runs import OrphanedRuns
from clearml_chatops.services.workers.queue_holds import HOLD_TAKES_EFFECT, QueueHolds
from clearml_chatops.services.workers.worker_views import views_of
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.workers import StartedWorkerStore, WantedWorkerStore

_STEADY_AFTER = timedelta(minutes=5)
_LOOKS_FOR_A_WORKER = 50
_PAUSE_SECONDS = 0.2


class HostWorkers:
    """What commands and the reconciler do with workers. `lock` is held by whoever changes them."""

    def __init__(
        self,
        *,
        clearml: ClearML,
        database: Database,
        agents: LocalAgents,
        orphans: OrphanedRuns,
        host: str,
        lock: HostLock,
        clock: Callable[[], datetime],
    ) -> None:
        self._clearml = clearml
        self._database = database
        self._agents = agents
        self._orphans = orphans
        self._host = host
        self.lock = lock
        self._clock = clock
        self.holds = QueueHolds(clearml=clearml, database=database, clock=clock)

    async def wanted(self) -> list[WantedWorker]:
        """All that should run on this host."""
        async with self._database.reading() as session:
            return await WantedWorkerStore(session).list(host=self._host)

    async def processes(self) -> dict[str, AgentProcess]:
        """Our agents that run, by worker id, from our own record of them."""
        async with self._database.reading() as session:
            started = await StartedWorkerStore(session).list(host=self._host)
        found = {item.id: AgentProcess(item.process_id, item.process_started) for item in started}
        return await asyncio.to_thread(lambda: {id_: item for id_, item in found.items() if item.is_running})

    async def put(self, worker: WantedWorker) -> WantedWorker:
        async with self._database.writing() as session:
            await WantedWorkerStore(session).put(worker)
        return worker

    async def bring_up(self, worker: WantedWorker) -> None:
        """Starts a worker, or adopts it where its agent runs, and waits until ClearML lists it on its queues.

        Raises:
            RunGoesOnError: a run of its former agent still has its cards.
            AgentMissingError, AgentFailedError, ClearMLError.
        """
        if worker.id not in await self._agents.running():
            await self._orphans.require_cards(worker)
        await self.start(worker)

    async def start(self, worker: WantedWorker) -> None:
        """The same, whatever its former agent has left behind."""
        process = await self._agents.found(worker.id)
        known: frozenset[datetime | None] = frozenset()
        if process is None:
            known = await self._registrations(worker.id)
            process = await self._agents.start(
                worker.id,
                worker.plan,
                environment=await self._clearml.agent_environment(),
                host=self._host,
            )
        await self.note_started(worker.id, process)
        for _ in range(_LOOKS_FOR_A_WORKER):
            if await self._is_listed(worker, besides=known):
                return
            if not process.is_running:
                raise AgentFailedError(host=self._host, reason="the agent ended right after its start.")
            await asyncio.sleep(_PAUSE_SECONDS)
        raise AgentFailedError(host=self._host, reason=f"{worker.id} runs, but ClearML does not list it.")

    async def _registrations(self, worker_id: str) -> frozenset[datetime | None]:
        """Since when the server knows a worker: a killed one is listed for ten more minutes."""
        return frozenset(item.registered for item in await self._clearml.workers() if item.id == worker_id)

    async def _is_listed(self, worker: WantedWorker, *, besides: frozenset[datetime | None]) -> bool:
        """Whether the server lists it on its queues, registered otherwise than at the times `besides`."""
        return any(
            set(worker.plan.queue_ids) <= set(item.queue_ids)
            for item in await self._clearml.workers()
            if item.id == worker.id and item.registered not in besides
        )

    async def ended(self, worker: WantedWorker, *, hold_all: bool) -> bool:
        """One step of draining a worker; whether its agent has ended. Its record stays for `forget`.

        With `hold_all` nothing is taken from its queues meanwhile; else only from those on which no other worker
        listens, until it is seen idle. Hence call it again, at least `HOLD_TAKES_EFFECT` later.
        """
        process = (await self.processes()).get(worker.id)
        if process is None:
            return True
        worker = await self.current(worker)
        workers = await self._clearml.workers()
        others = {id_ for item in workers if item.id != worker.id for id_ in item.queue_ids}
        (view,) = (item for item in views_of(workers, [WorkerView(worker.id, worker)]) if item.wanted)
        idle = not await self._is_busy(view) and not await self._agents.is_executing(process)
        queues = [id_ for id_ in worker.plan.queue_ids if hold_all or idle or id_ not in others]
        since = worker.held_since
        worker = await self.holds.hold(worker, queues)
        if not idle or since is None or worker.held_since != since or self._clock() - since < HOLD_TAKES_EFFECT:
            return False
        await self._agents.stop(process, host=self._host)
        return True

    async def _is_busy(self, view: WorkerView) -> bool:
        """Whether the server says so; of a worker in services mode it does so when its runs have ended, too."""
        if not view.experiment_ids or (view.wanted and not view.wanted.plan.services):
            return bool(view.experiment_ids)
        found = await self._clearml.experiments(view.experiment_ids)
        return any(item.status is Status.RUNNING for item in found.values())

    async def end_now(self, worker: WantedWorker) -> None:
        """Ends a worker's agent whatever it does; a run in it is aborted by it. Raises AgentFailedError."""
        process = (await self.processes()).get(worker.id)
        if process is not None:
            await self._agents.stop(process, host=self._host)

    async def forget(self, worker: WantedWorker) -> Experiment | None:
        """Wants a worker no more whose agent has ended, and lets go of its queues.

        Where a run goes on that an agent of it has left behind, that is given, and the worker is drained until
        the run has ended: so the next program knows whose it is, too.
        """
        worker = await self.holds.hold(await self.current(worker), ())
        # One that was killed has not signed off, and would seem to have its cards still.
        if await self._registrations(worker.id):
            await self._clearml.sign_off(worker.id)
        left = await self._orphans.left_by(replace(worker, draining=True))
        async with self._database.writing() as session:
            await StartedWorkerStore(session).remove(worker.id)
            if left:
                await WantedWorkerStore(session).put(replace(worker, draining=True))
            else:
                await WantedWorkerStore(session).remove(worker.id)
        return left

    async def resume(self, worker: WantedWorker) -> WantedWorker:
        """Drains a worker no more."""
        worker = await self.holds.hold(await self.current(worker), ())
        return await self.put(replace(worker, draining=False, successor=None))

    async def current(self, worker: WantedWorker) -> WantedWorker:
        """The worker as it is noted now."""
        return next((item for item in await self.wanted() if item.id == worker.id), worker)

    async def end_unwanted(self, wanted: Collection[str]) -> None:
        """Ends all agents but these: a person has stopped them while the bot died of something."""
        async with self._database.reading() as session:
            started = await StartedWorkerStore(session).list(host=self._host)
        for item in started:
            if item.id not in wanted:
                await self._agents.stop(AgentProcess(item.process_id, item.process_started), host=self._host)
                async with self._database.writing() as session:
                    await StartedWorkerStore(session).remove(item.id)

    async def is_steady(self, worker: WantedWorker) -> bool:
        """Whether its agent has run for so long that its failures are over."""
        async with self._database.reading() as session:
            started = await StartedWorkerStore(session).list(host=self._host)
        return any(item.id == worker.id and self._clock() - item.started > _STEADY_AFTER for item in started)

    async def note_started(self, worker_id: str, process: AgentProcess) -> None:
        """Notes the process of a worker's agent, and that it has begun now."""
        async with self._database.writing() as session:
            await StartedWorkerStore(session).put(
                StartedWorker(worker_id, self._host, process.id, process.started, self._clock())
            )
