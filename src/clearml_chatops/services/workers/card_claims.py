"""Who has the cards that somebody is about to take: workers of ours, others' agents, processes of no agent."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from clearml_chatops.models.errors import NoGpuDriverError
from clearml_chatops.models.gpus import GpuUse, Occupant
from clearml_chatops.models.queues import Worker
from clearml_chatops.models.workers import ALL_GPUS, NO_GPUS, OwnedRun, WantedWorker, WorkerPlan
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.experiments.ownership import Ownership
from clearml_chatops.services.workers.chosen_gpus import chosen_gpus
from clearml_chatops.services.workers.gpus import GpuService
from clearml_chatops.services.workers.worker_ids import cards_named_in


@dataclass(frozen=True, slots=True)
class CardClaim:
    """One that has some of the cards: a worker, with what it runs, or a process on them.

    `person` is whose the worker is, by `person_id` where the bot has started it for him.
    """

    cards: str
    worker_id: str = ""
    person: str = ""
    person_id: int | None = None
    run: OwnedRun | None = None
    occupant: Occupant | None = None


class CardClaims:
    """Looks at the cards of this host for somebody who wants them."""

    def __init__(self, *, clearml: ClearML, gpus: GpuService, ownership: Ownership, host: str) -> None:
        self._clearml = clearml
        self._ownership = ownership
        self._gpus = gpus
        self._host = host

    async def chosen(self, text: str) -> str:
        """The cards that a person means, as an agent takes them and in one and the same order.

        "all" stays what it is where every card can be used whole, so that a card more needs no other worker.

        Raises:
            NoGpuDriverError: without a driver no card can be checked.
            InvalidValueError: there is no such card.
        """
        if text == NO_GPUS:
            return NO_GPUS
        cards = await self._gpus.cards()
        chosen = chosen_gpus(text, cards)
        whole = not any(card.lost or card.instances for card in cards)
        return ALL_GPUS if text == ALL_GPUS and whole else ",".join(chosen)

    async def of(
        self, plan: WorkerPlan, wanted: Iterable[WantedWorker], *, besides: Collection[str] = ()
    ) -> tuple[CardClaim, ...]:
        """Who has some of a plan's cards, each once; `besides` are workers that do not count."""
        if not plan.cards:
            return ()
        workers = {worker.id: worker for worker in await self._clearml.workers()}
        claims = [
            CardClaim(
                ",".join(sorted(item.plan.cards & plan.cards or plan.cards)),
                worker_id=item.id,
                person=item.person_name,
                person_id=item.person_id,
            )
            for item in wanted
            if item.id not in besides and _overlap(item.plan.cards, plan.cards)
        ]
        known = {*besides, *(claim.worker_id for claim in claims)}
        for worker in workers.values():
            named = cards_named_in(worker.id) if worker.id.startswith(f"{self._host}:") else ""
            if named and worker.id not in known and _overlap(frozenset(named.split(",")), plan.cards):
                claims.append(CardClaim(named, worker_id=worker.id, person=worker.user_name))
                known.add(worker.id)
        return await self._with_runs([*claims, *await self._processes(plan, known)], workers)

    async def free(self, wanted: Iterable[WantedWorker]) -> list[str]:
        """The whole cards that nobody has."""
        uses = await self._uses()
        taken = frozenset(card for item in wanted for card in item.plan.cards)
        if ALL_GPUS in taken:
            return []
        return [
            str(use.gpu.index)
            for use in uses
            if not (use.gpu.lost or use.gpu.instances or use.occupants) and str(use.gpu.index) not in taken
        ]

    async def _processes(self, plan: WorkerPlan, known: Collection[str]) -> list[CardClaim]:
        """Those that belong to none of the `known` workers; of one run's or program's only one on each card."""
        found: dict[tuple[str, ...], CardClaim] = {}
        for use in await self._uses():
            if not _overlap(_names(use), plan.cards):
                continue
            for item in _on(use, plan):
                card = str(use.gpu.index)
                same = (card, item.worker_id, item.experiment_id, item.account, item.program)
                if item.worker_id not in known:
                    found.setdefault(same, CardClaim(card, item.worker_id, item.person, occupant=item))
        return list(found.values())

    async def _with_runs(self, claims: list[CardClaim], workers: Mapping[str, Worker]) -> tuple[CardClaim, ...]:
        """The claims with what each one runs. One request, none where they run nothing."""
        ids = [_experiment_id(claim, workers) for claim in claims]
        found = await self._clearml.experiments(sorted(set(filter(None, ids)))) if any(ids) else {}
        runs = {id_: OwnedRun(item, await self._ownership.owner_name(item)) for id_, item in found.items()}
        return tuple(replace(claim, run=runs.get(id_)) for claim, id_ in zip(claims, ids, strict=True))

    async def _uses(self) -> tuple[GpuUse, ...]:
        try:
            return (await self._gpus.overview()).uses
        except NoGpuDriverError:
            return ()


def _experiment_id(claim: CardClaim, workers: Mapping[str, Worker]) -> str:
    if claim.occupant and claim.occupant.experiment_id:
        return claim.occupant.experiment_id
    worker = workers.get(claim.worker_id)
    return worker.experiment_id if worker else ""


def _overlap(some: frozenset[str], others: frozenset[str]) -> bool:
    return bool(some and others) and (ALL_GPUS in some | others or bool(some & others))


def _names(use: GpuUse) -> frozenset[str]:
    return frozenset({str(use.gpu.index), *(part.uuid for part in use.gpu.instances)})


def _on(use: GpuUse, plan: WorkerPlan) -> list[Occupant]:
    """Who is on the card, or on those of its parts that the plan names."""
    if ALL_GPUS in plan.cards or str(use.gpu.index) in plan.cards:
        return list(use.occupants)
    ids = {item.id for part in use.gpu.instances if part.uuid in plan.cards for item in part.processes}
    return [item for item in use.occupants if item.process.id in ids]
