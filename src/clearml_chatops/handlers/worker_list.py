"""The list of workers: each with its queue, cards and image, what it runs and for whom, and its buttons."""

from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.lines import Word
from clearml_chatops.handlers.pages import Page
from clearml_chatops.handlers.wording import ago, count, shortened, span
from clearml_chatops.handlers.worker_lines import worker_line
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Button, Buttons, Fields, Reply, Text, Tone
from clearml_chatops.models.workers import NO_GPUS, OwnedRun, WantedWorker, WorkerPlan, WorkerView
from clearml_chatops.services.workers.worker_ids import cards_named_in

_WORKERS_ON_A_PAGE = 6


async def workers_reply(context: Context, views: tuple[WorkerView, ...], page: int, *, command: str) -> Reply:
    """One page of workers, each in a few short lines: a table of all that would be too wide for a phone."""
    first = (page - 1) * _WORKERS_ON_A_PAGE
    shown = views[first : first + _WORKERS_ON_A_PAGE]
    part = Page(page, _WORKERS_ON_A_PAGE, len(shown), first + len(shown) < len(views), len(views))
    words = [Word(word) for word in command.split()]
    if not shown and views:
        return Reply.of(f"There is no page {page}.", part.buttons(words))
    is_all = command == "/worker list"
    if not views:
        nothing = "No worker runs; /worker start makes one." if is_all else "You have no worker."
        return Reply.of(nothing, _further_buttons(context, is_all=is_all))
    running = await context.services.workers.running(shown)
    own = [view.wanted for view in shown if view.wanted and context.services.workers.is_own(view.wanted)]
    member = context.person.role >= Role.MEMBER
    return Reply.of(
        Text(count(len(views), "worker"), Tone.HEADING),
        Fields(tuple((view.id, _lines(context, view, running.get(view.id, ()))) for view in shown)),
        None if part.is_all else Text(part.range, Tone.QUIET),
        *([Buttons(worker_buttons(own[0]))] if len(own) == 1 and member else []),
        *(Buttons(_named_buttons(worker)) for worker in own if len(own) > 1 and member),
        part.buttons(words),
        _further_buttons(context, is_all=is_all),
    )


def worker_buttons(worker: WantedWorker) -> tuple[Button, ...]:
    """What may be done with a worker that is the only one in question."""
    drain = Button("Stop after its run", str(worker_line("/worker drain", worker.id)))
    return (
        Button("Restart", str(worker_line("/worker restart", worker.id))),
        Button("Stop", str(worker_line("/worker stop", worker.id))),
        *(() if worker.draining else (drain,)),
        Button("Log", str(worker_line("/worker log", worker=worker.id))),
    )


def containers(plan: WorkerPlan) -> str:
    """In what a worker runs its experiments, in words."""
    if plan.docker:
        return "docker, the agent's own image"
    return plan.image or "no container"


def cards_of(plan: WorkerPlan) -> str:
    return "no card" if plan.gpus == NO_GPUS else named_cards(plan.gpus)


def named_cards(cards: str) -> str:
    """Cards as a sentence names them: all cards, card 0, cards 0,1."""
    if cards == "all":
        return "all cards"
    return f"cards {cards}" if "," in cards else f"card {cards}"


def _named_buttons(worker: WantedWorker) -> tuple[Button, ...]:
    """The same for one of several; the host, which is the same for all, is left out."""
    name = worker.id.partition(":")[2]
    return (
        Button(f"Stop {name}", str(worker_line("/worker stop", worker.id))),
        Button(f"Log of {name}", str(worker_line("/worker log", worker=worker.id))),
    )


def _further_buttons(context: Context, *, is_all: bool) -> Buttons:
    start = [Button("Start one", "/worker start")] if context.person.role >= Role.MEMBER else []
    other = Button("My workers", "/worker") if is_all else Button("All workers", "/worker list")
    return Buttons((*start, other, Button("Cards", "/gpus")))


def _lines(context: Context, view: WorkerView, runs: tuple[OwnedRun, ...]) -> str:
    now = context.clock()
    wanted, seen = view.wanted, view.seen
    queues = wanted.plan.queue_names if wanted else ", ".join(seen.queue_names) if seen else ""
    named = cards_named_in(view.id)
    cards = cards_of(wanted.plan) if wanted else named_cards(named) if named else ""
    person = wanted.person_name if wanted else seen.user_name if seen else ""
    parts = (
        f"on {queues}" if queues else "on no queue",
        cards,
        containers(wanted.plan) if wanted else "",
        f"of {person}" if person else "",
    )
    times = (
        f"for {span(now - wanted.since)}" if wanted else "not started by me",
        f"seen {ago(seen.last_seen, now)}" if seen and seen.last_seen else "ClearML does not see it",
    )
    return "\n".join((_runs(context, view, runs), ", ".join(filter(None, parts)), ", ".join(times)))


def _runs(context: Context, view: WorkerView, runs: tuple[OwnedRun, ...]) -> str:
    if view.runs is False:
        if view.wanted and view.wanted.draining:
            return "is stopped; what its agent has left behind goes on"
        failures = view.wanted.failures if view.wanted else 0
        return f"does not run; was started {count(failures, 'time')}" if failures else "does not run"
    ends = "stops" if view.wanted is None or view.wanted.successor is None else "gives its place"
    draining = f"{ends} after this: " if view.wanted and view.wanted.draining else ""
    if runs:
        return f"{draining}runs {' and '.join(run_of(run, context) for run in runs)}"
    name = view.seen.experiment_name if view.seen else ""
    return draining + (f"runs “{shortened(name)}”" if name else "idle")


def run_of(run: OwnedRun, context: Context) -> str:
    """A run with its owner and how long it has gone on: “baseline” of Alice (2 h 3 min)."""
    time = run.experiment.running_time(context.clock())
    for_time = f" ({span(time)})" if time is not None else ""
    return f"“{shortened(run.experiment.name)}” of {run.owner}{for_time}"
