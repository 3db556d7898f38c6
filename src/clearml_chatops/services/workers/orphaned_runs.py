"""Runs whose agent has died: a killed agent leaves its run behind, and ClearML shows it as Running for hours.

Whoever wanted the worker is told. A run that goes on is let be; it is ended only where a person asks for that in
ClearML, as its agent would have done. One that has ended is noted as Failed, since nobody saw how.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import psutil

from clearml_chatops.models.errors import ClearMLError, RunGoesOnError
from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.replies import Button
from clearml_chatops.models.workers import WantedWorker
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.clearml_gateway.calls import has_code
from clearml_chatops.services.workers.agents import AgentProcess
from clearml_chatops.services.workers.run_processes import RunsHere, end_run, runs_here
from clearml_chatops.services.workers.worker_ids import worker_of
from clearml_chatops.services.workers.worker_notices import WorkerNotices

_LOOKS_WITHOUT_IT = 2
"""An agent that has just taken an experiment has no process for it yet."""

_SURELY_BEFORE = timedelta(minutes=1)
"""By so much the clocks of ClearML and of this machine may differ."""

_TIME_TO_EXIT = timedelta(minutes=1)
"""The code of a run goes on for some seconds after ClearML's SDK has noted its end."""

_INVALID_STATUS = (400, 110)
_WORKERS = Button("Workers", "/worker list")


@dataclass(frozen=True, slots=True)
class _Orphan:
    """A run that is followed. `went_on` is whether it was seen without its agent, `over` since when it is over."""

    worker: WantedWorker
    run: Experiment
    went_on: bool = False
    missed: int = 0
    over: datetime | None = None


class OrphanedRuns:
    """Those of this machine's workers. What is followed is found anew by the next program."""

    def __init__(self, *, clearml: ClearML, notices: WorkerNotices, clock: Callable[[], datetime]) -> None:
        self._clearml = clearml
        self._notices = notices
        self._clock = clock
        self._machine = socket.gethostname()
        self._orphans: dict[str, _Orphan] = {}

    @property
    def followed(self) -> frozenset[str]:
        """The ids of the workers some run of which is followed."""
        return frozenset(orphan.worker.id for orphan in self._orphans.values())

    async def left_by(self, worker: WantedWorker) -> Experiment | None:
        """A run that goes on without the worker's dead agent, looked for anew. No request where none can be."""
        if not (await asyncio.to_thread(runs_here)).left:
            return None
        await self.look_after([worker], {})
        return await self.going_on(worker)

    async def going_on(self, worker: WantedWorker) -> Experiment | None:
        """A run that this worker's dead agent began and that has processes left, among what is followed."""
        runs = [orphan.run for orphan in self._orphans.values() if orphan.worker.id == worker.id]
        here = await asyncio.to_thread(runs_here) if runs else None
        return next((run for run in runs if here and run.id in here.left), None)

    async def require_cards(self, worker: WantedWorker) -> None:
        """Raises RunGoesOnError where a run of the worker's dead agent still has its cards."""
        if worker.plan.cards and (run := await self.left_by(worker)):
            raise RunGoesOnError(
                name=run.name,
                owner=run.user_name,
                worker=worker.id,
                offers=[Button("Abort the run", f"/abort {run.id}"), _WORKERS],
            )

    async def look_after(self, workers: Iterable[WantedWorker], agents: Mapping[str, AgentProcess]) -> None:
        """Looks for runs that agents of these workers have left behind, and after all that are followed.

        `agents` are those that run, by the worker's id. One or two requests.
        """
        found = await self._clearml.running_experiments()
        here = await asyncio.to_thread(runs_here)
        runs = {
            run.id: run for run in found if run.agent_host in {"", self._machine} and run.id not in here.attended
        }
        for worker in workers:
            for run in runs.values():
                if worker_of(run.worker_id) == worker.id and _is_orphaned(run, here, agents.get(worker.id)):
                    self._orphans.setdefault(run.id, _Orphan(worker, run))
        gone = [id_ for id_ in self._orphans if id_ not in runs]
        changed = await self._clearml.experiments(gone) if gone else {}
        for id_, orphan in list(self._orphans.items()):
            now, processes = runs.get(id_), here.left.get(id_, [])
            if now and now.worker_id == orphan.run.worker_id:
                await self._look_after_run(replace(orphan, run=now), processes)
            else:
                # Over, taken back, deleted, or begun anew by another agent.
                await self._look_after_end(orphan, changed.get(id_), processes)

    async def _look_after_run(self, orphan: _Orphan, processes: list[psutil.Process]) -> None:
        run = orphan.run
        if run.is_stopping:
            await _end(orphan, processes)
            await _noted(self._clearml.note_stopped(run.id, reason=run.status_reason))
            del self._orphans[run.id]
        elif processes:
            if not orphan.went_on:
                await self._tell_that_it_goes_on(orphan)
            self._orphans[run.id] = replace(orphan, went_on=True, missed=0)
        elif orphan.missed + 1 < _LOOKS_WITHOUT_IT:
            self._orphans[run.id] = replace(orphan, missed=orphan.missed + 1)
        else:
            del self._orphans[run.id]
            if await _noted(self._clearml.note_failed(run.id, reason=_reason(orphan))):
                await self._tell_that_it_has_ended(orphan)

    async def _look_after_end(
        self, orphan: _Orphan, now: Experiment | None, processes: list[psutil.Process]
    ) -> None:
        """Ends what is left of a run that ClearML shows no more: at once where a person wanted it to end."""
        since = orphan.over or self._clock()
        ended_itself = now is not None and now.status.is_over and now.status is not Status.ABORTED
        if processes and ended_itself and self._clock() - since < _TIME_TO_EXIT:
            self._orphans[orphan.run.id] = replace(orphan, over=since)
            return
        await _end(orphan, processes)
        del self._orphans[orphan.run.id]

    async def _tell_that_it_goes_on(self, orphan: _Orphan) -> None:
        worker, run = orphan.worker, orphan.run
        if worker.draining:
            then = "I tell you when it has ended."
        elif worker.plan.cards:
            then = "I start the worker again when the run has ended, so that they share no card."
        else:
            then = "I start the worker again beside it."
        await self._notices.tell(
            worker,
            f"The agent of {worker.id} died while it ran “{run.name}” of {run.user_name}. "
            f"The run goes on by itself, but what it prints reaches ClearML no more. {then}",
            at=run.status_changed,
            is_trouble=True,
            offers=(Button("Abort the run", f"/abort {run.id}"), _WORKERS),
        )

    async def _tell_that_it_has_ended(self, orphan: _Orphan) -> None:
        worker, run = orphan.worker, orphan.run
        text = (
            f"“{run.name}” of {run.user_name}, which ran on without the agent of {worker.id}, has ended. "
            "Nobody saw how, so it is Failed now; look at its curves and models before you put it back."
            if orphan.went_on
            else f"The agent of {worker.id} died, and “{run.name}” of {run.user_name} with it; it is Failed now."
        )
        retry = Button("Put it back in the queue", f"/retry {run.id}")
        offers = (retry, Button("Log", f"/log {run.id}"), _WORKERS)
        await self._notices.tell(worker, text, is_trouble=True, offers=offers)


def _is_orphaned(run: Experiment, here: RunsHere, agent: AgentProcess | None) -> bool:
    """A run is no living agent's where it has processes without one, or began long before the agent did."""
    if agent is None or run.id in here.left:
        return True
    return run.status_changed < agent.started - _SURELY_BEFORE


async def _end(orphan: _Orphan, processes: list[psutil.Process]) -> None:
    if processes:
        in_container = orphan.worker.plan.in_containers
        await end_run(orphan.run.id, processes, in_container=in_container)


async def _noted(writing: Awaitable[None]) -> bool:
    """Whether ClearML took it: it refuses where the run has ended meanwhile."""
    try:
        await writing
    except ClearMLError as error:
        if has_code(error, *_INVALID_STATUS):
            return False
        raise
    return True


def _reason(orphan: _Orphan) -> str:
    """Why it counts as failed, for everybody who watches it."""
    if orphan.went_on:
        return "its agent died, and nobody saw how the run ended"
    return "its agent died, and the run with it"
