"""What runs on this machine is made what should run: after a crash, a reboot, or a restart of the bot.

Only agents that this bot started are touched. One that is drained is stopped when it has nothing to do; so that it
takes nothing in that moment, its queues are held.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from clearml_chatops.models.errors import AgentFailedError, ChatOpsError, ClearMLError
from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.replies import Button
from clearml_chatops.models.workers import StartedWorker, WantedWorker, WorkerView
from clearml_chatops.services.bells import Bell
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.workers.agents import AgentProcess, LocalAgents
from clearml_chatops.services.workers.host_lock import HostLock
from clearml_chatops.services.workers.orphaned_runs import OrphanedRuns
from clearml_chatops.services.workers.queue_holds import HOLD_TAKES_EFFECT, QueueHolds
from clearml_chatops.services.workers.worker_ids import worker_id_for
from clearml_chatops.services.workers.worker_notices import WorkerNotices
from clearml_chatops.services.workers.worker_views import views_of
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.workers import StartedWorkerStore, WantedWorkerStore

logger = logging.getLogger(__name__)

FAILURES_TOLD = 3
STEADY_AFTER = timedelta(minutes=5)
_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(minutes=10)
_LOOKS_FOR_A_WORKER = 50
_PAUSE_SECONDS = 0.2


def pause_before(failures: int) -> timedelta:
    """How long to wait before a worker is started once more: not at all the first time, then longer and longer."""
    return min(_FIRST_PAUSE * 2 ** (min(failures, 20) - 2), _LONGEST_PAUSE) if failures > 1 else timedelta(0)


class Reconciler:
    """Makes the workers of one host what they should be. `lock` is held by whoever changes them."""

    def __init__(
        self,
        *,
        clearml: ClearML,
        database: Database,
        agents: LocalAgents,
        host: str,
        lock: HostLock,
        clock: Callable[[], datetime],
        news: Bell,
    ) -> None:
        self._clearml = clearml
        self._database = database
        self._agents = agents
        self._host = host
        self.lock = lock
        self._clock = clock
        self._notices = WorkerNotices(database=database, clock=clock, news=news)
        self._orphans = OrphanedRuns(clearml=clearml, notices=self._notices, clock=clock)
        self._has_looked = False
        self._holds = QueueHolds(clearml=clearml, database=database, clock=clock)

    async def reconcile(self) -> None:
        """One cycle. Asks ClearML only where something is to be done; skipped while a command changes workers.

        Raises:
            ClearMLError: it cannot be asked; nothing is counted as a worker's own failure then.
        """
        if self.lock.is_held_here:
            return
        async with self.lock.held():
            await self._reconcile()

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
        await self._bring_up(worker)

    async def _bring_up(self, worker: WantedWorker) -> None:
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
        await self._record(worker.id, process)
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
        worker = await self._current(worker)
        workers = await self._clearml.workers()
        others = {id_ for item in workers if item.id != worker.id for id_ in item.queue_ids}
        (view,) = (item for item in views_of(workers, [WorkerView(worker.id, worker)]) if item.wanted)
        idle = not await self._is_busy(view) and not await self._agents.is_executing(process)
        queues = [id_ for id_ in worker.plan.queue_ids if hold_all or idle or id_ not in others]
        since = worker.held_since
        worker = await self._holds.hold(worker, queues)
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
        worker = await self._holds.hold(await self._current(worker), ())
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
        worker = await self._holds.hold(await self._current(worker), ())
        return await self.put(replace(worker, draining=False, successor=None))

    async def _current(self, worker: WantedWorker) -> WantedWorker:
        return next((item for item in await self.wanted() if item.id == worker.id), worker)

    async def _reconcile(self) -> None:
        wanted = await self.wanted()
        await self._end_unwanted({worker.id for worker in wanted})
        processes = await self.processes() if wanted else {}
        await self._look_after_runs(wanted, processes)
        wedged: AgentFailedError | None = None
        for worker in wanted:
            try:
                await self._reconcile_worker(worker, is_running=worker.id in processes)
            except AgentFailedError as error:
                wedged = error  # the others need not wait for one that does not end
        if wedged:
            raise wedged

    async def _reconcile_worker(self, worker: WantedWorker, *, is_running: bool) -> None:
        if worker.draining:
            await self._drain(worker)
        elif not is_running:
            await self._start_again(worker)
        elif worker.failures and await self._is_steady(worker):
            await self.put(replace(worker, failures=0, next_attempt=None))
        elif worker.held_queues:
            await self._holds.hold(worker, ())

    async def _look_after_runs(self, wanted: list[WantedWorker], processes: dict[str, AgentProcess]) -> None:
        """Asks where an agent has died, and once for all workers: one may have died before this program began."""
        lost = [
            item for item in wanted if not self._has_looked or (item.id not in processes and self._is_due(item))
        ]
        if lost or self._orphans.followed:
            await self._orphans.look_after(lost, {**processes, **await self._agents.running()})
        self._has_looked = True

    async def _end_unwanted(self, wanted: set[str]) -> None:
        """Ends what a person has stopped while the bot died of something."""
        async with self._database.reading() as session:
            started = await StartedWorkerStore(session).list(host=self._host)
        for item in started:
            if item.id not in wanted:
                await self._agents.stop(AgentProcess(item.process_id, item.process_started), host=self._host)
                async with self._database.writing() as session:
                    await StartedWorkerStore(session).remove(item.id)

    async def _drain(self, worker: WantedWorker) -> None:
        if not await self.ended(worker, hold_all=False):
            return
        if await self._orphans.going_on(worker):
            await self._holds.hold(await self._current(worker), ())
            return
        if await self.forget(worker):
            return
        if worker.successor is None:
            await self._notices.tell(worker, f"The worker {worker.id} had nothing more to do and is stopped.")
            return
        successor = await self.put(
            replace(
                worker,
                id=worker_id_for(self._host, worker.successor),
                plan=worker.successor,
                since=self._clock(),
                draining=False,
                held_queues=(),
                held_since=None,
                successor=None,
                failures=0,
                next_attempt=None,
            )
        )
        if await self._start_again(successor):
            names = successor.plan.queue_names
            anew = "anew" if successor.id == worker.id else f"in place of {worker.id}"
            text = f"The worker {successor.id} listens on {names} {anew}."
            await self._notices.tell(successor, text)

    async def _start_again(self, worker: WantedWorker) -> bool:
        """Starts what should run and does not, unless it failed just now; whether it runs."""
        if not self._is_due(worker):
            return False
        if process := await self._agents.found(worker.id):
            await self._record(worker.id, process)
            return True
        if worker.plan.cards and await self._orphans.going_on(worker):
            return False
        # Its own failure counts, and not one of the server, which this would tell within a moment.
        await self._clearml.workers()
        failures = worker.failures + 1
        next_attempt = self._clock() + pause_before(failures + 1)
        worker = await self.put(replace(worker, failures=failures, next_attempt=next_attempt))
        reason = "It ends by itself; /worker log shows what it writes."
        try:
            await self._bring_up(worker)
        except ClearMLError:
            raise
        except ChatOpsError as error:
            logger.warning("%s: %s", worker.id, error, extra={"action": "worker_not_started"})
            reason = str(error)
        else:
            logger.info("%s was started again", worker.id, extra={"action": "worker_started_again"})
        if failures == FAILURES_TOLD:
            offers = (Button("Workers", "/worker list"), Button("Stop it", f'/worker stop "{worker.id}"'))
            text = f"The worker {worker.id} had to be started {failures} times. {reason} I go on, less often."
            await self._notices.tell(worker, text, is_trouble=True, offers=offers)
        return worker.id in await self.processes()

    def _is_due(self, worker: WantedWorker) -> bool:
        return worker.next_attempt is None or self._clock() >= worker.next_attempt

    async def _is_steady(self, worker: WantedWorker) -> bool:
        async with self._database.reading() as session:
            started = await StartedWorkerStore(session).list(host=self._host)
        return any(item.id == worker.id and self._clock() - item.started > STEADY_AFTER for item in started)

    async def _record(self, worker_id: str, process: AgentProcess) -> None:
        async with self._database.writing() as session:
            await StartedWorkerStore(session).put(
                StartedWorker(worker_id, self._host, process.id, process.started, self._clock())
            )
