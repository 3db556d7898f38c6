"""How workers read: what became of an order, what has to be decided first, and the list of all."""

from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.wording import NOTHING, ago, span
from clearml_chatops.models.experiments import Experiment
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Button, Buttons, Fields, Reply, Table, Text, Tone
from clearml_chatops.models.workers import WorkerView
from clearml_chatops.services.card_claims import CardClaim
from clearml_chatops.services.worker_ids import cards_named_in
from clearml_chatops.services.worker_orders import BusyWorker, OrderResult

_MOST_BUTTONS = 5


async def order_reply(context: Context, result: OrderResult, line: str) -> Reply | None:
    """The question that an order leaves open; None where it leaves none. `line` is the order itself."""
    if result.claims:
        return await _claims_reply(context, result.claims, line)
    if result.candidates:
        options = (Button(item.id, f'{line} "{item.id}"') for item in result.candidates)
        return Reply.asking("Several workers listen there. Which one?", *options)
    if result.busy:
        return _busy_reply(context, result, line)
    return None


def started_reply(result: OrderResult) -> Reply:
    """What an order has done."""
    blocks: list[Text | Fields | Buttons] = []
    if result.stopped:
        blocks.append(Text(f"Stopped {' and '.join(item.id for item in result.stopped)}.", Tone.SUCCESS))
    blocks += [Text(f"“{item.name}” was aborted.", Tone.WARNING) for item in result.aborted]
    for worker in result.draining:
        then = f", then {worker.successor.gpus} takes its place" if worker.successor else ""
        blocks.append(
            Text(
                f"{worker.id} ends what it runs and takes nothing more{then}. I tell you when it has.", Tone.PLAIN
            )
        )
    for worker in result.started:
        plan = worker.plan
        image = plan.image or "none: runs without docker"
        blocks += [
            Text(f"The worker {worker.id} listens on {plan.queue_names}.", Tone.SUCCESS),
            Fields((("cards", plan.gpus), ("image", image))),
            Buttons(
                (
                    Button("Stop it", f'/worker stop "{worker.id}"'),
                    Button("Log", f'/worker log worker="{worker.id}"'),
                )
            ),
        ]
    return Reply(tuple(blocks))


async def workers_reply(context: Context, views: tuple[WorkerView, ...], *, whose: str) -> Reply:
    """The list of workers, with what may be done with those that are one's own."""
    if not views:
        return Reply.of(
            Text(f"No worker runs; /worker start makes {whose} one." if whose == "a" else "You have no worker."),
            Buttons((Button("Start one", "/worker start"), Button("All workers", "/worker list"))),
        )
    running = await context.services.workers.running(views)
    rows = tuple(_row(context, view, running.get(view.id)) for view in views)
    own = [view.wanted for view in views if view.wanted and context.services.workers.is_own(view.wanted)]
    buttons = [button for worker in own[:_MOST_BUTTONS] for button in _worker_buttons(worker.id, named=True)]
    columns = ("worker", "queues", "cards", "image", "of", "runs", "since", "seen")
    member = context.person.role >= Role.MEMBER
    return Reply.of(Table(columns, rows), Buttons(tuple(buttons)) if buttons and member else None)


def _worker_buttons(worker_id: str, *, named: bool = False) -> tuple[Button, Button]:
    """What may be done with a worker; the labels name it where there are several."""
    stop, log = (f"Stop {worker_id}", f"Log of {worker_id}") if named else ("Stop it", "Log")
    return Button(stop, f'/worker stop "{worker_id}"'), Button(log, f'/worker log worker="{worker_id}"')


def _row(context: Context, view: WorkerView, experiment: Experiment | None) -> tuple[str, ...]:
    now = context.clock()
    wanted, seen = view.wanted, view.seen
    names = wanted.plan.queue_names if wanted else ", ".join(seen.queue_names) if seen else ""
    return (
        view.id,
        names or NOTHING,
        wanted.plan.gpus if wanted else cards_named_in(view.id) or NOTHING,
        (wanted.plan.image if wanted else "") or NOTHING,
        (wanted.person_name if wanted else seen.user_name if seen else "") or NOTHING,
        _runs(context, view, experiment),
        ago(wanted.since, now) if wanted else NOTHING,
        ago(seen.last_seen, now) if seen and seen.last_seen else NOTHING,
    )


def _runs(context: Context, view: WorkerView, experiment: Experiment | None) -> str:
    if view.runs is False:
        failures = view.wanted.failures if view.wanted else 0
        return f"does not run; started {failures} times" if failures else "does not run"
    draining = "draining: " if view.wanted and view.wanted.draining else ""
    if experiment is None:
        return draining + (view.seen.experiment_name if view.seen and view.seen.experiment_name else "idle")
    time = experiment.running_time(context.clock())
    for_time = f", {span(time)}" if time is not None else ""
    return f"{draining}“{experiment.name}” of {experiment.user_name or 'somebody'}{for_time}"


def _busy_reply(context: Context, result: OrderResult, line: str) -> Reply:
    said = "\n".join(_busy_sentence(context, item) for item in result.busy)
    options = [Button("Wait until it ends", f"{line} run=wait")]
    if all(item.may_abort for item in result.busy):
        options += [
            Button("Abort it and put it back in the queue", f"{line} run=requeue"),
            Button("Abort it", f"{line} run=abort"),
        ]
    return Reply.asking(f"{said}\nWhat shall become of it?", *options)


def _busy_sentence(context: Context, item: BusyWorker) -> str:
    time = item.experiment.running_time(context.clock())
    for_time = f" for {span(time)}" if time is not None else ""
    not_yours = "" if item.may_abort else f" Only {item.owner} or an admin may abort it."
    return f"{item.worker.id} has been running “{item.experiment.name}” of {item.owner}{for_time}.{not_yours}"


async def _claims_reply(context: Context, claims: tuple[CardClaim, ...], line: str) -> Reply:
    free = await context.services.card_claims.free(await context.services.workers.wanted())
    said = "\n".join(_claim_sentence(claim) for claim in claims)
    options = [Button("Take it all the same", f"{line} --share")]
    if free:
        options.append(Button(f"Take {free[0]} instead", f'{line} gpus="{free[0]}"'))
    return Reply.asking(f"{said}\nTake it all the same?", *options)


def _claim_sentence(claim: CardClaim) -> str:
    cards = f"Card {claim.cards}" if "," not in claim.cards and claim.cards != "all" else f"Cards {claim.cards}"
    runs = f", which runs “{claim.experiment_name}”" if claim.experiment_name else ""
    if claim.occupant is None:
        of = f" of {claim.person}" if claim.person else ""
        return f"{cards}: the worker {claim.worker_id}{of}{runs or ', which is idle'}."
    if claim.experiment_name:
        return f"{cards}: “{claim.experiment_name}” of {claim.person or 'somebody'}."
    if claim.worker_id:
        return f"{cards}: the worker {claim.worker_id}."
    occupant = claim.occupant
    return f"{cards}: {occupant.program or 'a process'} of {occupant.account or 'somebody'}, without an agent."
