"""The list of workers: queue, GPUs, image, runs with their owners, and buttons."""

from clearml_chatops.handlers.command_line import Word
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.formatting import format_count, format_duration, format_time_ago, shortened
from clearml_chatops.handlers.pages import Page
from clearml_chatops.handlers.worker_command_lines import build_command_line
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Button, Buttons, Fields, Reply, Text, Tone
from clearml_chatops.models.workers import ALL_GPUS, NO_GPUS, DesiredWorker, OwnedRun, WorkerPlan, WorkerView
from clearml_chatops.services.workers.worker_ids import parse_worker_gpus

_PAGE_SIZE = 6


async def build_workers_reply(
    context: Context, views: tuple[WorkerView, ...], page: int, *, command: str
) -> Reply:
    """Return one page of workers, each in a few short lines. A table would be too wide for a phone."""
    first = (page - 1) * _PAGE_SIZE
    page_items = views[first : first + _PAGE_SIZE]
    current_page = Page(page, _PAGE_SIZE, len(page_items), first + len(page_items) < len(views), len(views))
    words = [Word(word) for word in command.split()]
    if not page_items and views:
        return Reply.of(f"There's no page {page}.", current_page.build_buttons(words))
    is_all = command == "/worker list"
    if not views:
        empty_text = "No workers are running. Start one with /worker start." if is_all else "You have no workers."
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
    """Return the buttons for a worker that is the only one in the message."""
    drain = Button("Stop after its run", str(build_command_line("/worker drain", worker.id)))
    return (
        Button("Restart", str(build_command_line("/worker restart", worker.id))),
        Button("Stop", str(build_command_line("/worker stop", worker.id))),
        *(() if worker.draining else (drain,)),
        Button("Show log", str(build_command_line("/worker log", worker=worker.id))),
    )


def format_container(plan: WorkerPlan) -> str:
    """Return the image that a worker uses, or that it uses none."""
    if plan.docker:
        return "default Docker image"
    return plan.image or "no container"


def format_plan_gpus(plan: WorkerPlan) -> str:
    return "no GPU" if plan.gpus == NO_GPUS else format_gpus(plan.gpus)


def format_gpus(gpus: str) -> str:
    """Return a list of GPUs in words: all GPUs, GPU 0, GPUs 0 and 1."""
    *others, last = gpus.split(",")
    if ALL_GPUS in {*others, last}:
        return "all GPUs"
    return f"GPUs {', '.join(others)} and {last}" if others else f"GPU {last}"


def _build_named_buttons(worker: DesiredWorker) -> tuple[Button, ...]:
    """Return the buttons for one of several workers. The host, which they all share, is left out."""
    name = worker.id.partition(":")[2]
    return (
        Button(f"Stop {name}", str(build_command_line("/worker stop", worker.id))),
        Button(f"Show log of {name}", str(build_command_line("/worker log", worker=worker.id))),
    )


def _build_navigation_buttons(context: Context, *, is_all: bool) -> Buttons:
    start = [Button("Start worker", "/worker start")] if context.person.role >= Role.MEMBER else []
    other = Button("Show my workers", "/worker") if is_all else Button("Show all workers", "/worker list")
    return Buttons((*start, other, Button("Show GPUs", "/gpus")))


def _format_worker(context: Context, view: WorkerView, runs: tuple[OwnedRun, ...]) -> str:
    now = context.clock()
    desired, observed = view.desired, view.observed
    queues = desired.plan.queue_names if desired else ", ".join(observed.queue_names) if observed else ""
    gpus_in_id = parse_worker_gpus(view.id)
    gpus = format_plan_gpus(desired.plan) if desired else format_gpus(gpus_in_id) if gpus_in_id else ""
    person = desired.person_name if desired else observed.user_name if observed else ""
    parts = (
        f"On {queues}" if queues else "On no queue",
        gpus,
        format_container(desired.plan) if desired else "",
        f"owned by {person}" if person else "",
    )
    times = (
        f"Started {format_time_ago(desired.created, now)}" if desired else "Not started by the bot",
        f"last seen {format_time_ago(observed.last_seen, now)}"
        if observed and observed.last_seen
        else "not seen by ClearML",
    )
    return "\n".join((_format_activity(context, view, runs), ", ".join(filter(None, parts)), ", ".join(times)))


def _format_activity(context: Context, view: WorkerView, runs: tuple[OwnedRun, ...]) -> str:
    if view.is_running is False:
        if view.desired and view.desired.draining:
            return "Stopped, but what its agent started continues"
        failures = view.desired.failures if view.desired else 0
        return f"Not running, failed {format_count(failures, 'time')} in a row" if failures else "Not running"
    name = view.observed.experiment_name if view.observed else ""
    if runs:
        activity = f"Running {' and '.join(format_run(run, context) for run in runs)}"
    else:
        activity = f"Running “{shortened(name)}”" if name else "Idle"
    if view.desired is None or not view.desired.draining:
        return activity
    return f"{activity}, then {'is replaced' if view.desired.successor else 'stops'}"


def format_run(run: OwnedRun, context: Context) -> str:
    """Return a run with its owner and running time: “baseline” (Alice, 2 h 3 min)."""
    running_time = run.experiment.compute_running_time(context.clock())
    duration = f", {format_duration(running_time)}" if running_time is not None else ""
    return f"“{shortened(run.experiment.name)}” ({run.owner_name}{duration})"
