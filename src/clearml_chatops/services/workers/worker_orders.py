"""Starting, stopping, restarting and draining the workers of this host. No run ends by accident."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from clearml_chatops.models.errors import ChatOpsError, WorkerExistsError
from clearml_chatops.models.experiments import Experiment
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.people import Person
from clearml_chatops.models.replies import Button
from clearml_chatops.models.workers import MidRun, WantedWorker, WorkerOrder, WorkerPlan
from clearml_chatops.services.workers.card_claims import CardClaim, CardClaims
from clearml_chatops.services.workers.host_workers import HostWorkers
from clearml_chatops.services.workers.worker_ending import BusyWorker, DrainedWorker, WaitingBehind, WorkerEnding
from clearml_chatops.services.workers.worker_ids import worker_id_for
from clearml_chatops.services.workers.worker_plans import WorkerPlans
from clearml_chatops.services.workers.workers import WorkerService


@dataclass(frozen=True, slots=True)
class OrderResult:
    """What became of an order.

    Where there are `claims`, `busy` ones or several `candidates`, a person has to decide first: nothing was done
    to these. `unattended` is what waits where no worker listens any more, `orphaned` what goes on without the
    agent of a stopped worker.
    """

    started: tuple[WantedWorker, ...] = ()
    stopped: tuple[WantedWorker, ...] = ()
    draining: tuple[DrainedWorker, ...] = ()
    aborted: tuple[Experiment, ...] = ()
    claims: tuple[CardClaim, ...] = ()
    busy: tuple[BusyWorker, ...] = ()
    candidates: tuple[WantedWorker, ...] = ()
    unattended: tuple[WaitingBehind, ...] = ()
    orphaned: tuple[Experiment, ...] = ()


class WorkerOrders:
    """Carries out what one person orders, one order at a time on this host."""

    def __init__(
        self,
        *,
        workers: WorkerService,
        plans: WorkerPlans,
        claims: CardClaims,
        ending: WorkerEnding,
        host_workers: HostWorkers,
        place: "OrderingPlace",
    ) -> None:
        self._workers = workers
        self._plans = plans
        self._claims = claims
        self._ending = ending
        self._host_workers = host_workers
        self._place = place

    async def start(self, order: WorkerOrder) -> OrderResult:
        """Starts a worker for the named queues, or the person's own, and keeps it running.

        Raises:
            WorkerExistsError, AgentFailedError, and what `WorkerPlans.first` raises: nothing was changed.
        """
        plan = await self._plans.first(order)
        worker_id = worker_id_for(self._place.host, plan)
        async with self._host_workers.lock.held():
            wanted = {item.id: item for item in await self._host_workers.wanted()}
            known = wanted.get(worker_id)
            if known is not None and not await self._goes_on(known, plan):
                raise self._exists(known)
            if known is None and not order.share:
                claims = await self._claims.of(plan, wanted.values(), besides=order.consents)
                if claims:
                    return OrderResult(claims=claims)
            worker = await self._host_workers.put(_fresh(known) if known else self._place.worker(worker_id, plan))
            if known is None:
                await self._bring_up_or_forget(worker)
            else:
                await self._bring_up_or_leave(worker, known)
        return OrderResult(started=(worker,))

    async def stop(self, reference: str, queue_name: str, *, mid_run: MidRun | None) -> OrderResult:
        """Stops workers. What is in mid-run is left as it is until `mid_run` says what becomes of the run.

        Raises:
            WorkerNotFoundError, NoWorkerError, WorkerNotYoursError, NotYoursError, AgentFailedError.
        """
        targets = await self._targets(reference, queue_name)
        result = OrderResult()
        async with self._host_workers.lock.held():
            busy = await self._ending.busy(targets, mid_run)
            if busy and mid_run is None:
                return OrderResult(busy=tuple(busy.values()))
            for worker in targets:
                result = await self._stop_one(worker, busy.get(worker.id), mid_run, result)
        return replace(result, unattended=await self._ending.left_behind(result.stopped))

    async def restart(self, reference: str, order: WorkerOrder, *, mid_run: MidRun | None) -> OrderResult:
        """Puts a worker with other cards or another image in the place of one. All is checked before.

        Raises:
            As `start` and `stop` do.
        """
        targets = await self._targets(reference, order.queue_names[0] if order.queue_names else "")
        if len(targets) > 1:
            return OrderResult(candidates=tuple(targets))
        (old,) = targets
        plan = await self._plans.changed(old.plan, order)
        new_id = worker_id_for(self._place.host, plan)
        async with self._host_workers.lock.held():
            wanted = await self._host_workers.wanted()
            if new_id != old.id and (taken := next((item for item in wanted if item.id == new_id), None)):
                raise self._exists(taken)
            besides = {old.id, *order.consents}
            if not order.share and (claims := await self._claims.of(plan, wanted, besides=besides)):
                return OrderResult(claims=claims)
            busy = (await self._ending.busy([old], mid_run)).get(old.id)
            if busy and mid_run is None:
                return OrderResult(busy=(busy,))
            if busy and mid_run is MidRun.WAIT:
                return OrderResult(draining=(await self._ending.drain(old, plan, busy),))
            if not await self._ending.end(old, busy, mid_run):
                return await self._still_busy(old, plan, OrderResult())
            left = await self._host_workers.forget(old)
            await self._ending.put_back(busy, mid_run)
            new = replace(_fresh(old), id=new_id, plan=plan, since=self._place.clock())
            await self._host_workers.put(new)
            try:
                await self._bring_up_or_forget(new)
            except ChatOpsError:
                # What ran before is better than nothing; it is started by the next cycle.
                await self._host_workers.put(_fresh(old))
                raise
        return OrderResult(
            started=(new,),
            stopped=(old,),
            aborted=tuple(run.experiment for run in busy.runs) if busy else (),
            orphaned=(left,) if left else (),
        )

    async def _stop_one(
        self, worker: WantedWorker, busy: BusyWorker | None, mid_run: MidRun | None, result: OrderResult
    ) -> OrderResult:
        """Stops one of several workers; gives the result with what became of it."""
        waits = mid_run is MidRun.WAIT
        if not (busy and waits) and await self._ending.end(worker, busy, mid_run):
            left = await self._host_workers.forget(worker)
            await self._ending.put_back(busy, mid_run)
            return replace(
                result,
                stopped=(*result.stopped, worker),
                aborted=(*result.aborted, *(run.experiment for run in (busy.runs if busy else ()))),
                orphaned=(*result.orphaned, *([left] if left else [])),
            )
        if waits:
            busy = busy or (await self._ending.busy([worker], mid_run)).get(worker.id)
            drained = await self._ending.drain(worker, None, busy)
            return replace(result, draining=(*result.draining, drained))
        return await self._still_busy(worker, None, result)

    async def _still_busy(
        self, worker: WantedWorker, successor: WorkerPlan | None, result: OrderResult
    ) -> OrderResult:
        """The result with a worker that took something before it could be stopped, so that a person has to decide.

        What it executes may be such that ClearML does not show it as Running; that is waited for.
        """
        again = await self._ending.busy([worker], None)
        if again:
            return replace(result, busy=(*result.busy, *again.values()))
        drained = await self._ending.drain(worker, successor, None)
        return replace(result, draining=(*result.draining, drained))

    async def _goes_on(self, known: WantedWorker, plan: WorkerPlan) -> bool:
        """Whether starting it once more only means that it shall go on: it was to be drained, or has crashed."""
        if known.plan != plan or not self._workers.is_own(known):
            return False
        if known.draining:
            await self._host_workers.resume(known)
            return True
        return known.id not in await self._host_workers.processes()

    def _exists(self, known: WantedWorker) -> WorkerExistsError:
        restart = [Button("Restart it", f'/worker restart "{known.id}"')] if self._workers.is_own(known) else []
        offers = [*restart, Button("Workers", "/worker list")]
        return WorkerExistsError(worker=known.id, owner=known.person_name, offers=offers)

    async def _bring_up_or_forget(self, worker: WantedWorker) -> None:
        try:
            await self._host_workers.bring_up(worker)
        except ChatOpsError:
            await self._host_workers.end_now(worker)
            await self._host_workers.forget(worker)
            raise

    async def _bring_up_or_leave(self, worker: WantedWorker, known: WantedWorker) -> None:
        """Brings up what was wanted already; one that was to be stopped stays so where that fails."""
        try:
            await self._host_workers.bring_up(worker)
        except ChatOpsError:
            if known.draining:
                await self._host_workers.put(known)
            raise

    async def _targets(self, reference: str, queue_name: str) -> list[WantedWorker]:
        targets = await self._workers.find(reference, queue_name)
        for worker in targets:
            self._workers.require_own(worker)
        return targets


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
