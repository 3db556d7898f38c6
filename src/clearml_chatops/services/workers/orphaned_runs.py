"""Runs that continue after their agent was killed; ClearML shows them as Running for hours.

The owner of the worker gets notified. The bot stops such a run only when a person aborts it in ClearML, as its
agent would have done. A run that has ended is marked Failed, because how it ended is unknown.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import psutil

from clearml_chatops.models.errors import ClearMLError, OrphanedRunError
from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.replies import Button
from clearml_chatops.models.workers import DesiredWorker
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.clearml_gateway.api_client import has_code
from clearml_chatops.services.workers.agents import AgentProcess
from clearml_chatops.services.workers.run_processes import LocalRuns, scan_local_runs, stop_run
from clearml_chatops.services.workers.worker_ids import remove_service_suffix
from clearml_chatops.services.workers.worker_notices import WorkerNotices

_MAX_MISSED_POLLS = 2
"""An agent that has taken an experiment needs some time to start a process for it."""

_CLOCK_TOLERANCE = timedelta(minutes=1)
"""Allowed difference between the clocks of ClearML and of this machine."""

_EXIT_TIMEOUT = timedelta(minutes=1)
"""The code of a run continues for some seconds after ClearML's SDK has reported its end."""

_INVALID_STATUS = (400, 110)
_WORKERS_BUTTON = Button("Show workers", "/worker list")


@dataclass(frozen=True, slots=True)
class _OrphanedRun:
    """A followed run.

    `was_seen_running` is whether it was seen running without its agent, `ended_at` when it was first seen ended.
    """

    worker: DesiredWorker
    run: Experiment
    was_seen_running: bool = False
    missed_polls: int = 0
    ended_at: datetime | None = None


class OrphanedRuns:
    """The orphaned runs of this machine's workers. After a restart of the bot, they are found again."""

    def __init__(self, *, clearml: ClearML, notices: WorkerNotices, clock: Callable[[], datetime]) -> None:
        self._clearml = clearml
        self._notices = notices
        self._clock = clock
        self._host_name = socket.gethostname()
        self._orphans: dict[str, _OrphanedRun] = {}

    @property
    def followed_worker_ids(self) -> frozenset[str]:
        """The ids of workers with a followed run."""
        return frozenset(orphan.worker.id for orphan in self._orphans.values())

    async def detect_active_run(self, worker: DesiredWorker) -> Experiment | None:
        """Search for a run that continues without the worker's agent. No request if no process can be one."""
        if not (await asyncio.to_thread(scan_local_runs)).orphaned:
            return None
        await self.poll([worker], {})
        return await self.find_active_run(worker)

    async def find_active_run(self, worker: DesiredWorker) -> Experiment | None:
        """Return a followed run of this worker that still has processes."""
        runs = [orphan.run for orphan in self._orphans.values() if orphan.worker.id == worker.id]
        local_runs = await asyncio.to_thread(scan_local_runs) if runs else None
        return next((run for run in runs if local_runs and run.id in local_runs.orphaned), None)

    async def require_gpus_released(self, worker: DesiredWorker) -> None:
        """Raise OrphanedRunError if a run of the worker's dead agent still uses its GPUs."""
        if worker.plan.gpu_ids and (run := await self.detect_active_run(worker)):
            raise OrphanedRunError(
                name=run.name,
                owner=run.user_name,
                worker=worker.id,
                buttons=[Button("Abort run", f"/abort {run.id}"), _WORKERS_BUTTON],
            )

    async def poll(self, workers: Iterable[DesiredWorker], agents: Mapping[str, AgentProcess]) -> None:
        """Find new orphaned runs of these workers, and update all followed runs.

        `agents` has the running agents by worker id. One or two requests.
        """
        running = await self._clearml.list_running_experiments()
        local_runs = await asyncio.to_thread(scan_local_runs)
        runs = {
            run.id: run
            for run in running
            if run.agent_host in {"", self._host_name} and run.id not in local_runs.attended
        }
        for worker in workers:
            for run in runs.values():
                if remove_service_suffix(run.worker_id) == worker.id and _is_orphaned(
                    run, local_runs, agents.get(worker.id)
                ):
                    self._orphans.setdefault(run.id, _OrphanedRun(worker, run))
        ended_ids = [id_ for id_ in self._orphans if id_ not in runs]
        ended_experiments = await self._clearml.get_experiments(ended_ids) if ended_ids else {}
        for id_, orphan in list(self._orphans.items()):
            current, processes = runs.get(id_), local_runs.orphaned.get(id_, [])
            if current and current.worker_id == orphan.run.worker_id:
                await self._check_running(replace(orphan, run=current), processes)
            else:
                # Ended, dequeued, deleted, or started again by another agent.
                await self._check_ended(orphan, ended_experiments.get(id_), processes)

    async def _check_running(self, orphan: _OrphanedRun, processes: list[psutil.Process]) -> None:
        run = orphan.run
        if run.is_stopping:
            await _stop_processes(orphan, processes)
            await _try_update(self._clearml.mark_stopped(run.id, reason=run.status_reason))
            del self._orphans[run.id]
        elif processes:
            if not orphan.was_seen_running:
                await self._notify_still_running(orphan)
            self._orphans[run.id] = replace(orphan, was_seen_running=True, missed_polls=0)
        elif orphan.missed_polls + 1 < _MAX_MISSED_POLLS:
            self._orphans[run.id] = replace(orphan, missed_polls=orphan.missed_polls + 1)
        else:
            del self._orphans[run.id]
            if await _try_update(self._clearml.mark_failed(run.id, reason=_describe_failure(orphan))):
                await self._notify_ended(orphan)

    async def _check_ended(
        self, orphan: _OrphanedRun, current: Experiment | None, processes: list[psutil.Process]
    ) -> None:
        """Stop the processes of a run that is no longer Running. If it ended by itself, they get time to exit."""
        ended_at = orphan.ended_at or self._clock()
        has_ended_itself = (
            current is not None and current.status.is_finished and current.status is not Status.ABORTED
        )
        if processes and has_ended_itself and self._clock() - ended_at < _EXIT_TIMEOUT:
            self._orphans[orphan.run.id] = replace(orphan, ended_at=ended_at)
            return
        await _stop_processes(orphan, processes)
        del self._orphans[orphan.run.id]

    async def _notify_still_running(self, orphan: _OrphanedRun) -> None:
        worker, run = orphan.worker, orphan.run
        if worker.draining:
            next_step = "You get notified when it ends."
        elif worker.plan.gpu_ids:
            next_step = "The worker restarts when the run ends, to avoid sharing a GPU."
        else:
            next_step = "The worker restarts alongside it."
        await self._notices.send(
            worker,
            f"The agent of {worker.id} died while running “{run.name}” ({run.user_name}). "
            f"The run continues, but its log no longer reaches ClearML. {next_step}",
            occurred_at=run.status_changed,
            is_warning=True,
            buttons=(Button("Abort run", f"/abort {run.id}"), _WORKERS_BUTTON),
        )

    async def _notify_ended(self, orphan: _OrphanedRun) -> None:
        worker, run = orphan.worker, orphan.run
        text = (
            f"“{run.name}” ({run.user_name}) ended after the agent of {worker.id} had died. "
            "How it ended is unknown, so it's marked Failed. Check its metrics and models before you retry it."
            if orphan.was_seen_running
            else f"The agent of {worker.id} died, and its run “{run.name}” ({run.user_name}) with it. "
            "The run is marked Failed."
        )
        buttons = (Button("Retry", f"/retry {run.id}"), Button("Show log", f"/log {run.id}"), _WORKERS_BUTTON)
        await self._notices.send(worker, text, is_warning=True, buttons=buttons)


def _is_orphaned(run: Experiment, local_runs: LocalRuns, agent: AgentProcess | None) -> bool:
    """Return whether no living agent has the run: it has processes without one, or is older than the agent."""
    if agent is None or run.id in local_runs.orphaned:
        return True
    return run.status_changed < agent.started - _CLOCK_TOLERANCE


async def _stop_processes(orphan: _OrphanedRun, processes: list[psutil.Process]) -> None:
    if processes:
        in_container = orphan.worker.plan.uses_containers
        await stop_run(orphan.run.id, processes, in_container=in_container)


async def _try_update(update: Awaitable[None]) -> bool:
    """Return whether ClearML accepted the update; it refuses if the run has ended."""
    try:
        await update
    except ClearMLError as error:
        if has_code(error, *_INVALID_STATUS):
            return False
        raise
    return True


def _describe_failure(orphan: _OrphanedRun) -> str:
    """Return the failure reason, which ClearML and all subscribers show."""
    if orphan.was_seen_running:
        return "its agent died, and how the run ended is unknown"
    return "its agent died, and the run with it"
