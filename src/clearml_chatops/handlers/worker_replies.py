"""Replies to worker commands: what was done, and what the person has to decide first."""

from collections.abc import Iterable

from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.formatting import format_count, shortened
from clearml_chatops.handlers.gpu_conflicts import build_conflict_question
from clearml_chatops.handlers.worker_command_lines import WorkerCommandLine, build_start_line
from clearml_chatops.handlers.worker_lists import (
    build_worker_buttons,
    format_container,
    format_plan_gpus,
    format_run,
)
from clearml_chatops.models.replies import Button, Buttons, Choice, Fields, Outcome, Reply, Text, Tone
from clearml_chatops.models.workers import DesiredWorker, OwnedRun
from clearml_chatops.services.workers.worker_commands import WorkerCommandResult
from clearml_chatops.services.workers.worker_shutdown import BusyWorker, DrainingWorker, QueueBacklog

_MAX_NAMES = 3


async def build_result_reply(context: Context, result: WorkerCommandResult, line: WorkerCommandLine) -> Reply:
    """Return what a command did and the question that it leaves open. `line` is the command itself."""
    blocks = tuple(_build_result_blocks(context, result))
    question = await _build_question(context, result, line)
    return Reply((*blocks, question), Outcome.ASKED) if question else Reply(blocks)


async def _build_question(context: Context, result: WorkerCommandResult, line: WorkerCommandLine) -> Choice | None:
    if result.conflicts:
        return await build_conflict_question(context, result.conflicts, line)
    if result.candidates:
        options = (Button(item.id, str(line.with_words(item.id))) for item in result.candidates)
        return Choice(f"{len(result.candidates)} workers match. Which one?", tuple(options))
    return _build_busy_question(context, result.busy_workers, line) if result.busy_workers else None


def _build_result_blocks(context: Context, result: WorkerCommandResult) -> Iterable[Text | Fields | Buttons]:
    if result.stopped:
        yield Text(f"Stopped {' and '.join(item.id for item in result.stopped)}.", Tone.SUCCESS)
    for experiment in result.aborted:
        yield Text(f"“{shortened(experiment.name)}” was aborted.", Tone.WARNING)
    for run in result.orphaned:
        name = f"“{shortened(run.name)}” ({run.user_name})"
        yield Text(
            f"{name} is still running, but without an agent: its output no longer reaches ClearML. "
            "You get notified when it ends.",
            Tone.WARNING,
        )
        yield Buttons((Button("Abort run", f"/abort {run.id}"),))
    for backlog in result.unattended:
        yield Text(f"{_format_backlog(backlog)}.", Tone.WARNING)
    for drained in result.draining:
        yield from _build_drained_blocks(context, drained)
    for worker in result.started:
        yield from _build_started_blocks(worker)


def _build_drained_blocks(context: Context, drained: DrainingWorker) -> Iterable[Text | Buttons]:
    worker = drained.worker
    if worker.successor is None:
        change = "stops"
    elif worker.successor == worker.plan:
        change = "restarts"
    else:
        change = f"is replaced by one with {format_plan_gpus(worker.successor)}"
    runs = _format_runs(context, drained.runs) if drained.runs else "its run"
    yield Text(
        f"{worker.id} {change} after {runs} and takes nothing new until then. You get notified when it's done.",
        Tone.SUCCESS,
    )
    if worker.successor is None:
        yield from (Text(f"{_format_backlog(backlog)}.", Tone.WARNING) for backlog in drained.backlogs)
    yield Buttons((Button("Keep it running", str(build_start_line(worker.plan))),))


def _build_started_blocks(worker: DesiredWorker) -> Iterable[Text | Fields | Buttons]:
    yield Text(f"Worker {worker.id} listens on {worker.plan.queue_names}.", Tone.SUCCESS)
    container = format_container(worker.plan) if worker.plan.uses_containers else "none"
    yield Fields((("uses", format_plan_gpus(worker.plan)), ("container", container)))
    yield Buttons(build_worker_buttons(worker))


def _build_busy_question(context: Context, busy: tuple[BusyWorker, ...], line: WorkerCommandLine) -> Choice:
    """Return the question what happens to the runs, with their owners, running times and backlogs."""
    verb = "Restart" if line.command == "/worker restart" else "Stop"
    sentences = "\n".join(sentence for item in busy for sentence in _list_busy_sentences(context, item, verb))
    is_single_run = sum(len(item.runs) for item in busy) == 1
    options = [
        Button(
            "Wait until it ends" if is_single_run else "Wait until they end", str(line.with_options(run="wait"))
        )
    ]
    if all(item.can_abort for item in busy):
        options += [
            Button("Abort and requeue", str(line.with_options(run="requeue"))),
            Button("Abort run" if is_single_run else "Abort runs", str(line.with_options(run="abort"))),
        ]
    return Choice(sentences, tuple(options))


def _list_busy_sentences(context: Context, item: BusyWorker, verb: str) -> Iterable[str]:
    yield f"{verb} worker {item.worker.id}? It's running {_format_runs(context, item.runs)}."
    if not item.can_abort:
        owners = " and ".join(sorted({run.owner_name for run in item.runs}))
        yield f"Only {owners} or an admin can abort {'it' if len(item.runs) == 1 else 'all of them'}."
    for backlog in item.backlogs:
        yield f"{_format_backlog(backlog)}."


def _format_runs(context: Context, runs: tuple[OwnedRun, ...]) -> str:
    names = " and ".join(format_run(run, context) for run in runs[:_MAX_NAMES])
    return f"{names} and {len(runs) - _MAX_NAMES} more" if len(runs) > _MAX_NAMES else names


def _format_backlog(backlog: QueueBacklog) -> str:
    """Return what waits in a queue, with owners, and whether no other worker can take it."""
    runs = backlog.runs
    names = ", ".join(f"“{shortened(run.experiment.name)}” ({run.owner_name})" for run in runs[:_MAX_NAMES])
    more = f" and {len(runs) - _MAX_NAMES} more" if len(runs) > _MAX_NAMES else ""
    verb = "is" if len(runs) == 1 else "are"
    others = "" if backlog.has_other_workers else ", and no other worker listens there"
    return f"{format_count(len(runs), 'experiment')} {verb} waiting in {backlog.queue_name}{others}: {names}{more}"
