"""Restarting and draining workers until what runs on this host matches what should run, even after a reboot."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from clearml_chatops.models.errors import AgentFailedError, ChatOpsError, ClearMLError
from clearml_chatops.models.replies import Button
from clearml_chatops.models.workers import DesiredWorker
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.workers.agents import AgentProcess, LocalAgents
from clearml_chatops.services.workers.host_workers import HostWorkers
from clearml_chatops.services.workers.orphaned_runs import OrphanedRuns
from clearml_chatops.services.workers.worker_ids import build_worker_id
from clearml_chatops.services.workers.worker_notices import WorkerNotices

logger = logging.getLogger(__name__)

FAILURES_BEFORE_NOTICE = 3
_INITIAL_BACKOFF = timedelta(seconds=5)
_MAX_BACKOFF = timedelta(minutes=10)


def compute_backoff(failures: int) -> timedelta:
    """Return the wait before the next start of a worker: none for the first failure, then 5 s up to 10 min."""
    return min(_INITIAL_BACKOFF * 2 ** (min(failures, 20) - 2), _MAX_BACKOFF) if failures > 1 else timedelta(0)


class Reconciler:
    """A loop step that starts, drains and stops the agents of one host to match its desired workers."""

    def __init__(
        self,
        *,
        clearml: ClearML,
        host_workers: HostWorkers,
        agents: LocalAgents,
        orphaned_runs: OrphanedRuns,
        notices: WorkerNotices,
        host: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._clearml = clearml
        self._host_workers = host_workers
        self._agents = agents
        self._orphaned_runs = orphaned_runs
        self._notices = notices
        self._host = host
        self._clock = clock
        self._has_checked_runs = False

    async def reconcile(self) -> None:
        """Run one cycle, unless a command is changing workers. Sends requests only if there is work to do.

        Raises:
            ClearMLError: ClearML failed; that doesn't count as a failure of a worker.
        """
        if self._host_workers.lock.is_locked_by_this_process:
            return
        async with self._host_workers.lock.acquire():
            await self._reconcile()

    async def _reconcile(self) -> None:
        desired_workers = await self._host_workers.list_desired()
        await self._host_workers.stop_undesired({worker.id for worker in desired_workers})
        processes = await self._host_workers.list_processes() if desired_workers else {}
        await self._check_orphaned_runs(desired_workers, processes)
        agent_error: AgentFailedError | None = None
        for worker in desired_workers:
            try:
                await self._reconcile_worker(worker, is_running=worker.id in processes)
            except AgentFailedError as error:
                agent_error = error  # an agent that hangs doesn't block the others
        if agent_error:
            raise agent_error

    async def _reconcile_worker(self, worker: DesiredWorker, *, is_running: bool) -> None:
        if worker.draining:
            await self._advance_draining(worker)
        elif not is_running:
            await self._restart(worker)
        elif worker.failures and await self._host_workers.is_stable(worker):
            await self._host_workers.put(replace(worker, failures=0, next_attempt=None))
        elif worker.paused_queue_ids:
            await self._host_workers.queue_pauses.set_paused_queues(worker, ())

    async def _check_orphaned_runs(
        self, desired_workers: list[DesiredWorker], processes: dict[str, AgentProcess]
    ) -> None:
        """Check workers without a running agent; on the first cycle, all: an agent may have died earlier."""
        workers_without_agent = [
            item
            for item in desired_workers
            if not self._has_checked_runs or (item.id not in processes and self._is_attempt_due(item))
        ]
        if workers_without_agent or self._orphaned_runs.followed_worker_ids:
            await self._orphaned_runs.poll(
                workers_without_agent, {**processes, **await self._agents.list_running()}
            )
        self._has_checked_runs = True

    async def _advance_draining(self, worker: DesiredWorker) -> None:
        if not await self._host_workers.advance_draining(worker, pause_all=False):
            return
        if await self._orphaned_runs.find_active_run(worker):
            await self._host_workers.queue_pauses.set_paused_queues(await self._host_workers.reload(worker), ())
            return
        if await self._host_workers.forget(worker):
            return
        if worker.successor is None:
            await self._notices.send(worker, f"Worker {worker.id} finished its work and stopped.")
            return
        successor = await self._host_workers.put(
            replace(
                worker,
                id=build_worker_id(self._host, worker.successor),
                plan=worker.successor,
                created=self._clock(),
                draining=False,
                paused_queue_ids=(),
                paused_since=None,
                successor=None,
                failures=0,
                next_attempt=None,
            )
        )
        if await self._restart(successor):
            event = "restarted" if successor.id == worker.id else f"replaced {worker.id}"
            text = f"Worker {successor.id} {event} and listens on {successor.plan.queue_names}."
            await self._notices.send(successor, text)

    async def _restart(self, worker: DesiredWorker) -> bool:
        """Start a worker that should run, unless its backoff is still on; return whether it runs."""
        if not self._is_attempt_due(worker):
            return False
        if process := await self._agents.find_running(worker.id):
            await self._host_workers.record_started(worker.id, process)
            return True
        if worker.plan.gpu_ids and await self._orphaned_runs.find_active_run(worker):
            return False
        # Fail here if the server is down: only failures of the worker itself count.
        await self._clearml.list_workers()
        failures = worker.failures + 1
        next_attempt = self._clock() + compute_backoff(failures + 1)
        worker = await self._host_workers.put(replace(worker, failures=failures, next_attempt=next_attempt))
        reason = "Its agent keeps exiting. See why with /worker log."
        try:
            await self._host_workers.start_or_adopt(worker)
        except ClearMLError:
            raise
        except ChatOpsError as error:
            logger.warning("Worker %s didn't start: %s", worker.id, error, extra={"action": "worker_not_started"})
            reason = str(error)
        else:
            logger.info("Restarted worker %s", worker.id, extra={"action": "worker_restarted"})
        if failures == FAILURES_BEFORE_NOTICE:
            buttons = (
                Button("Show workers", "/worker list"),
                Button("Stop worker", f'/worker stop "{worker.id}"'),
            )
            text = (
                f"Worker {worker.id} failed {failures} times in a row. {reason} The bot keeps trying, less often."
            )
            await self._notices.send(worker, text, is_warning=True, buttons=buttons)
        return worker.id in await self._host_workers.list_processes()

    def _is_attempt_due(self, worker: DesiredWorker) -> bool:
        return worker.next_attempt is None or self._clock() >= worker.next_attempt
