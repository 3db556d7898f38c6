"""The list of workers: each with its queue, cards and image, what it runs and for whom, and its buttons."""

from clearml_chatops.handlers.command_line import Word
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.formatting import format_count, format_duration, format_time_ago, shortened
from clearml_chatops.handlers.pages import Page
from clearml_chatops.handlers.worker_command_lines import build_command_line
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Button, Buttons, Fields, Reply, Text, Tone
from clearml_chatops.models.workers import NO_GPUS, DesiredWorker, OwnedRun, WorkerPlan, WorkerView
from clearml_chatops.services.workers.worker_ids import parse_worker_gpus

_PAGE_SIZE = 6


async def build_workers_reply(
    context: Context, views: tuple[WorkerView, ...], page: int, *, command: str
) -> Reply:
    """One page of workers, each in a few short lines: a table of all that would be too wide for a phone."""
    first = (page - 1) * _PAGE_SIZE
    page_items = views[first : first + _PAGE_SIZE]
    current_page = Page(page, _PAGE_SIZE, len(page_items), first + len(page_items) < len(views), len(views))
    words = [Word(word) for word in command.split()]
    if not page_items and views:
        return Reply.of(f"There is no page {page}.", current_page.build_buttons(words))
    is_all = command == "/worker list"
    if not views:
        empty_text = "No worker runs; /worker start makes one." if is_all else "You have no worker."
        return Reply.of(empty_text, _build_navigation_buttons(context, is_all=is_all))
    running = await context.services.workers.find_runs(page_items)
    own_workers = [
        view.desired for view in page_items if view.desired and context.services.workers.is_own(view.desired)
    ]
    is_member = context.person.role >= Role.MEMBER
    return Reply.of(
        Text(format_count(len(views), "worker"), Tone.HEADING),
        Fields(tuple((view.id, _format_worker(context, view, running.get(view.id, ()))) for view in page_items)),
        None if current_page.is_only_page else Text(current_page.range_text, Tone.SUBTLE),
        *([Buttons(build_worker_buttons(own_workers[0]))] if len(own_workers) == 1 and is_member else []),
        *(Buttons(_build_named_buttons(worker)) for worker in own_workers if len(own_workers) > 1 and is_member),
        current_page.build_buttons(words),
        _build_navigation_buttons(context, is_all=is_all),
    )


def build_worker_buttons(worker: DesiredWorker) -> tuple[Button, ...]:
    """What may be done with a worker that is the only one in question."""
    drain = Button("Stop after its run", str(build_command_line("/worker drain", worker.id)))
    return (
        Button("Restart", str(build_command_line("/worker restart", worker.id))),
        Button("Stop", str(build_command_line("/worker stop", worker.id))),
        *(() if worker.draining else (drain,)),
        Button("Log", str(build_command_line("/worker log", worker=worker.id))),
    )


def format_container(plan: WorkerPlan) -> str:
    """In what a worker runs its experiments, in words."""
    if plan.docker:
        return "docker, the agent's own image"
    return plan.image or "no container"


def format_plan_gpus(plan: WorkerPlan) -> str:
    return "no card" if plan.gpus == NO_GPUS else format_gpus(plan.gpus)


def format_gpus(gpus: str) -> str:
    """Cards as a sentence names them: all cards, card 0, cards 0,1."""
    if gpus == "all":
        return "all cards"
    return f"cards {gpus}" if "," in gpus else f"card {gpus}"


def _build_named_buttons(worker: DesiredWorker) -> tuple[Button, ...]:
    """The same for one of several; the host, which is the same for all, is left out."""
    name = worker.id.partition(":")[2]
    return (
        Button(f"Stop {name}", str(build_command_line("/worker stop", worker.id))),
        Button(f"Log of {name}", str(build_command_line("/worker log", worker=worker.id))),
    )


def _build_navigation_buttons(context: Context, *, is_all: bool) -> Buttons:
    start = [Button("Start one", "/worker start")] if context.person.role >= Role.MEMBER else []
    other = Button("My workers", "/worker") if is_all else Button("All workers", "/worker list")
    return Buttons((*start, other, Button("Cards", "/gpus")))


def _format_worker(context: Context, view: WorkerView, runs: tuple[OwnedRun, ...]) -> str:
    now = context.clock()
    desired, seen = view.desired, view.observed
    queues = desired.plan.queue_names if desired else ", ".join(seen.queue_names) if seen else ""
    gpus_in_id = parse_worker_gpus(view.id)
    gpus = format_plan_gpus(desired.plan) if desired else format_gpus(gpus_in_id) if gpus_in_id else ""
    person = desired.person_name if desired else seen.user_name if seen else ""
    parts = (
        f"on {queues}" if queues else "on no queue",
        gpus,
        format_container(desired.plan) if desired else "",
        f"of {person}" if person else "",
    )
    times = (
        f"for {format_duration(now - desired.created)}" if desired else "not started by me",
        f"seen {format_time_ago(seen.last_seen, now)}" if seen and seen.last_seen else "ClearML does not see it",
    )
    return "\n".join((_format_activity(context, view, runs), ", ".join(filter(None, parts)), ", ".join(times)))


def _format_activity(context: Context, view: WorkerView, runs: tuple[OwnedRun, ...]) -> str:
    if view.is_running is False:
        if view.desired and view.desired.draining:
            return "is stopped; what its agent has left behind goes on"
        failures = view.desired.failures if view.desired else 0
        return f"does not run; was started {format_count(failures, 'time')}" if failures else "does not run"
    ending = "stops" if view.desired is None or view.desired.successor is None else "gives its place"
    draining = f"{ending} after this: " if view.desired and view.desired.draining else ""
    if runs:
        return f"{draining}runs {' and '.join(format_run(run, context) for run in runs)}"
    name = view.observed.experiment_name if view.observed else ""
    return draining + (f"runs “{shortened(name)}”" if name else "idle")


def format_run(run: OwnedRun, context: Context) -> str:
    """A run with its owner and how long it has gone on: “baseline” of Alice (2 h 3 min)."""
    time = run.experiment.compute_running_time(context.clock())
    for_time = f" ({format_duration(time)})" if time is not None else ""
    return f"“{shortened(run.experiment.name)}” of {run.owner_name}{for_time}"
