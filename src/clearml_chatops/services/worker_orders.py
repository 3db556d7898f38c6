"""Starting, stopping, restarting and draining the workers of this host. No run ends by accident."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from clearml_chatops.models.errors import CannotAbortError, CannotRetryError, ChatOpsError, WorkerExistsError
from clearml_chatops.models.experiments import Experiment
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.people import Person, QueueBinding
from clearml_chatops.models.workers import NO_GPUS, MidRun, WantedWorker, WorkerPlan, WorkerView
from clearml_chatops.services.agents import LocalAgents
from clearml_chatops.services.card_claims import CardClaim, CardClaims
from clearml_chatops.services.ownership import Ownership
from clearml_chatops.services.queue_holds import HOLD_TAKES_EFFECT
from clearml_chatops.services.queues import QueueService
from clearml_chatops.services.reconciling import Reconciler
from clearml_chatops.services.runs import RunService
from clearml_chatops.services.worker_ids import worker_id_for
from clearml_chatops.services.workers import WorkerService

_LOOKS_FOR_THE_END = 20


@dataclass(frozen=True, slots=True)
class WorkerOrder:
    """What a person asks for. What is None stays as it is."""

    queue_names: tuple[str, ...] = ()
    gpus: str | None = None
    image: str | None = None
    services: bool = False
    name: str = ""
    share: bool = False


@dataclass(frozen=True, slots=True)
class BusyWorker:
    """A worker in mid-run. `may_abort` is whether the person may end this run."""

    worker: WantedWorker
    experiment: Experiment
    owner: str
    may_abort: bool


@dataclass(frozen=True, slots=True)
class OrderResult:
    """What became of an order.

    Where there are `claims`, `busy` ones or several `candidates`, a person has to decide first: nothing was done
    to these.
    """

    started: tuple[WantedWorker, ...] = ()
    stopped: tuple[WantedWorker, ...] = ()
    draining: tuple[WantedWorker, ...] = ()
    aborted: tuple[Experiment, ...] = ()
    claims: tuple[CardClaim, ...] = ()
    busy: tuple[BusyWorker, ...] = ()
    candidates: tuple[WantedWorker, ...] = ()


class WorkerOrders:
    """Carries out what one person orders, one order at a time on this host."""

    def __init__(
        self,
        *,
        workers: WorkerService,
        queues: QueueService,
        runs: RunService,
        ownership: Ownership,
        agents: LocalAgents,
        claims: CardClaims,
        reconciler: Reconciler,
        place: "OrderingPlace",
    ) -> None:
        self._workers = workers
        self._queues = queues
        self._runs = runs
        self._ownership = ownership
        self._agents = agents
        self._claims = claims
        self._reconciler = reconciler
        self._place = place

    async def start(self, order: WorkerOrder) -> OrderResult:
        """Starts a worker for the named queues, or the person's own, and keeps it running.

        Raises:
            QueueNotFoundError, NoPersonalQueueError, NoGpuDriverError, InvalidValueError, AgentMissingError,
            DockerMissingError, WorkerExistsError, AgentFailedError: nothing was changed.
        """
        # The server first: of one that is down an agent tells only after 15 s.
        queues = tuple([await self._queue(name) for name in order.queue_names or ("",)])
        gpus = await self._claims.chosen(NO_GPUS if order.services else order.gpus or "all")
        plan = WorkerPlan(queues, gpus, order.image or "", order.services, order.name)
        self._agents.require_programs(plan, host=self._place.host)
        worker_id = worker_id_for(self._place.host, plan)
        async with self._reconciler.lock.held():
            wanted = {item.id: item for item in await self._reconciler.wanted()}
            known = wanted.get(worker_id)
            if known is not None and not await self._goes_on(known, plan):
                raise WorkerExistsError(worker=worker_id, owner=known.person_name)
            if known is None and not order.share:
                claims = await self._claims.of(plan, wanted.values())
                if claims:
                    return OrderResult(claims=claims)
            worker = await self._put(_fresh(known) if known else self._place.worker(worker_id, plan))
            if known is None:
                await self._bring_up_or_forget(worker)
            else:
                await self._reconciler.bring_up(worker)
        return OrderResult(started=(worker,))

    async def stop(self, reference: str, queue_name: str, *, mid_run: MidRun | None) -> OrderResult:
        """Stops workers. What is in mid-run is left as it is until `mid_run` says what becomes of the run.

        Raises:
            WorkerNotFoundError, NoWorkerError, WorkerNotYoursError, NotYoursError, AgentFailedError.
        """
        targets = await self._targets(reference, queue_name)
        result = OrderResult()
        async with self._reconciler.lock.held():
            busy = await self._busy(targets, mid_run)
            if busy and mid_run is None:
                return OrderResult(busy=tuple(busy.values()))
            for worker in targets:
                found = busy.get(worker.id)
                if found and mid_run is MidRun.WAIT:
                    result = replace(result, draining=(*result.draining, await self._drain(worker, None)))
                elif await self._end(worker, found, mid_run):
                    await self._reconciler.forget(worker)
                    await self._put_back(found, mid_run)
                    aborted = (found.experiment,) if found else ()
                    result = replace(
                        result, stopped=(*result.stopped, worker), aborted=(*result.aborted, *aborted)
                    )
                elif mid_run is MidRun.WAIT:
                    result = replace(result, draining=(*result.draining, await self._drain(worker, None)))
                else:
                    again = await self._busy([worker], None)
                    result = replace(result, busy=(*result.busy, *again.values()))
        return result

    async def restart(self, reference: str, order: WorkerOrder, *, mid_run: MidRun | None) -> OrderResult:
        """Puts a worker with other cards or another image in the place of one. All is checked before.

        Raises:
            As `start` and `stop` do.
        """
        targets = await self._targets(reference, order.queue_names[0] if order.queue_names else "")
        if len(targets) > 1:
            return OrderResult(candidates=tuple(targets))
        (old,) = targets
        gpus = old.plan.gpus if order.gpus is None else await self._claims.chosen(order.gpus)
        image = old.plan.image if order.image is None else order.image
        plan = replace(old.plan, gpus=gpus, image=image)
        self._agents.require_programs(plan, host=self._place.host)
        new_id = worker_id_for(self._place.host, plan)
        async with self._reconciler.lock.held():
            wanted = await self._reconciler.wanted()
            if new_id != old.id and (taken := next((item for item in wanted if item.id == new_id), None)):
                raise WorkerExistsError(worker=new_id, owner=taken.person_name)
            if not order.share and (claims := await self._claims.of(plan, wanted, besides={old.id})):
                return OrderResult(claims=claims)
            busy = (await self._busy([old], mid_run)).get(old.id)
            if busy and mid_run is None:
                return OrderResult(busy=(busy,))
            if busy and mid_run is MidRun.WAIT:
                return OrderResult(draining=(await self._drain(old, plan),))
            if not await self._end(old, busy, mid_run):
                return OrderResult(busy=tuple((await self._busy([old], None)).values()))
            await self._reconciler.forget(old)
            await self._put_back(busy, mid_run)
            new = await self._put(replace(_fresh(old), id=new_id, plan=plan, since=self._place.clock()))
            try:
                await self._bring_up_or_forget(new)
            except ChatOpsError:
                # What ran before is better than nothing; it is started by the next cycle.
                await self._put(_fresh(old))
                raise
        return OrderResult(started=(new,), stopped=(old,), aborted=(busy.experiment,) if busy and mid_run else ())

    async def _queue(self, name: str) -> QueueBinding:
        queue = await self._queues.mine(name)
        return QueueBinding(queue.id, queue.name)

    async def _put(self, worker: WantedWorker) -> WantedWorker:
        return await self._reconciler.put(worker)

    async def _goes_on(self, known: WantedWorker, plan: WorkerPlan) -> bool:
        """Whether starting it once more only means that it shall go on: it was to be drained, or has crashed."""
        if known.plan != plan or not self._workers.is_own(known):
            return False
        if known.draining:
            await self._reconciler.resume(known)
            return True
        return known.id not in await self._reconciler.processes()

    async def _bring_up_or_forget(self, worker: WantedWorker) -> None:
        try:
            await self._reconciler.bring_up(worker)
        except ChatOpsError:
            await self._reconciler.end_now(worker)
            await self._reconciler.forget(worker)
            raise

    async def _targets(self, reference: str, queue_name: str) -> list[WantedWorker]:
        targets = await self._workers.find(reference, queue_name)
        for worker in targets:
            self._workers.require_own(worker)
        return targets

    async def _busy(self, targets: list[WantedWorker], mid_run: MidRun | None) -> dict[str, BusyWorker]:
        """Those in mid-run, by id. Raises NotYoursError where a run would be aborted that the person may not."""
        ids = {worker.id for worker in targets}
        views: tuple[WorkerView, ...] = tuple(view for view in await self._workers.all() if view.id in ids)
        running = await self._workers.running(tuple(view for view in views if view.runs))
        found = {}
        for worker in targets:
            if worker.id in running:
                experiment = running[worker.id]
                if mid_run in {MidRun.ABORT, MidRun.REQUEUE}:
                    await self._ownership.require_own(experiment)
                owner = await self._ownership.owner_name(experiment)
                may_abort = await self._ownership.is_own(experiment)
                found[worker.id] = BusyWorker(worker, experiment, owner, may_abort)
        return found

    async def _drain(self, worker: WantedWorker, successor: WorkerPlan | None) -> WantedWorker:
        drained = await self._put(replace(worker, draining=True, successor=successor))
        await self._reconciler.ended(drained, hold_all=False)
        return drained

    async def _end(self, worker: WantedWorker, busy: BusyWorker | None, mid_run: MidRun | None) -> bool:
        """Ends a worker's agent once it is idle, its run being aborted first. False where it took another one.

        Nothing is taken from its queues meanwhile.
        """
        await self._put(replace(worker, draining=True))
        try:
            await self._reconciler.ended(worker, hold_all=True)
            if busy:
                with contextlib.suppress(CannotAbortError):  # it has just ended by itself
                    await self._runs.abort(busy.experiment)
            for _ in range(_LOOKS_FOR_THE_END):
                if await self._reconciler.ended(worker, hold_all=True):
                    return True
                if not busy and worker.id in await self._busy([worker], None):
                    await self._reconciler.resume(worker)
                    return False
                await asyncio.sleep(HOLD_TAKES_EFFECT.total_seconds())
            if busy and mid_run is not MidRun.WAIT:
                await self._reconciler.end_now(worker)
                return True
        except ChatOpsError:
            await self._give_up(worker)
            raise
        await self._reconciler.resume(worker)
        return False

    async def _give_up(self, worker: WantedWorker) -> None:
        """Leaves a worker as it was; what is held is let go of by the reconciler, once ClearML answers."""
        current = next((item for item in await self._reconciler.wanted() if item.id == worker.id), worker)
        await self._put(replace(current, draining=False))

    async def _put_back(self, busy: BusyWorker | None, mid_run: MidRun | None) -> None:
        if busy and mid_run is MidRun.REQUEUE:
            with contextlib.suppress(CannotRetryError):  # it has ended well by itself
                await self._runs.retry(busy.experiment.id, queue_name="", front=True)


@dataclass(frozen=True, slots=True)
class OrderingPlace:
    """Who orders, where, for which host."""

    person: Person
    conversation: Conversation
    host: str
    clock: Callable[[], datetime]

    def worker(self, worker_id: str, plan: WorkerPlan) -> WantedWorker:
        """A worker that the person wants from now on."""
        return WantedWorker(
            id=worker_id,
            host=self.host,
            plan=plan,
            person_id=self.person.id,
            conversation=self.conversation,
            since=self.clock(),
            person_name=self.person.name,
        )


def _fresh(worker: WantedWorker) -> WantedWorker:
    """The same worker as it was when it was wanted first."""
    return replace(
        worker, draining=False, held_queues=(), held_since=None, successor=None, failures=0, next_attempt=None
    )
