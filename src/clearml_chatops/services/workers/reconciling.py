"""What runs on this machine is made what should run: after a crash, a reboot, or a restart of the bot."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from clearml_chatops.models.errors import AgentFailedError, ChatOpsError, ClearMLError
from clearml_chatops.models.replies import Button
from clearml_chatops.models.workers import WantedWorker
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.workers.agents import AgentProcess, LocalAgents
from clearml_chatops.services.workers.host_workers import HostWorkers
from clearml_chatops.services.workers.orphaned_runs import OrphanedRuns
from clearml_chatops.services.workers.worker_ids import worker_id_for
from clearml_chatops.services.workers.worker_notices import WorkerNotices

logger = logging.getLogger(__name__)

FAILURES_TOLD = 3
_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(minutes=10)


def pause_before(failures: int) -> timedelta:
    """How long to wait before a worker is started once more: not at all the first time, then longer and longer."""
    return min(_FIRST_PAUSE * 2 ** (min(failures, 20) - 2), _LONGEST_PAUSE) if failures > 1 else timedelta(0)


class Reconciler:
    """Makes the workers of one host what they should be."""

    def __init__(
        self,
        *,
        clearml: ClearML,
        workers: HostWorkers,
        agents: LocalAgents,
        orphans: OrphanedRuns,
        notices: WorkerNotices,
        host: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._clearml = clearml
        self._workers = workers
        self._agents = agents
        self._orphans = orphans
        self._notices = notices
        self._host = host
        self._clock = clock
        self._has_looked = False

    async def reconcile(self) -> None:
        """One cycle. Asks ClearML only where something is to be done; skipped while a command changes workers.

        Raises:
            ClearMLError: it cannot be asked; nothing is counted as a worker's own failure then.
        """
        if self._workers.lock.is_held_here:
            return
        async with self._workers.lock.held():
            await self._reconcile()

    async def _reconcile(self) -> None:
        wanted = await self._workers.wanted()
        await self._workers.end_unwanted({worker.id for worker in wanted})
        processes = await self._workers.processes() if wanted else {}
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
        elif worker.failures and await self._workers.is_steady(worker):
            await self._workers.put(replace(worker, failures=0, next_attempt=None))
        elif worker.held_queues:
            await self._workers.holds.hold(worker, ())

    async def _look_after_runs(self, wanted: list[WantedWorker], processes: dict[str, AgentProcess]) -> None:
        """Asks where an agent has died, and once for all workers: one may have died before this program began."""
        lost = [
            item for item in wanted if not self._has_looked or (item.id not in processes and self._is_due(item))
        ]
        if lost or self._orphans.followed:
            await self._orphans.look_after(lost, {**processes, **await self._agents.running()})
        self._has_looked = True

    async def _drain(self, worker: WantedWorker) -> None:
        if not await self._workers.ended(worker, hold_all=False):
            return
        if await self._orphans.going_on(worker):
            await self._workers.holds.hold(await self._workers.current(worker), ())
            return
        if await self._workers.forget(worker):
            return
        if worker.successor is None:
            await self._notices.tell(worker, f"The worker {worker.id} had nothing more to do and is stopped.")
            return
        successor = await self._workers.put(
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
            await self._workers.note_started(worker.id, process)
            return True
        if worker.plan.cards and await self._orphans.going_on(worker):
            return False
        # Its own failure counts, and not one of the server, which this would tell within a moment.
        await self._clearml.workers()
        failures = worker.failures + 1
        next_attempt = self._clock() + pause_before(failures + 1)
        worker = await self._workers.put(replace(worker, failures=failures, next_attempt=next_attempt))
        reason = "It ends by itself; /worker log shows what it writes."
        try:
            await self._workers.start(worker)
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
        return worker.id in await self._workers.processes()

    def _is_due(self, worker: WantedWorker) -> bool:
        return worker.next_attempt is None or self._clock() >= worker.next_attempt
