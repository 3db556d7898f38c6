"""How orders for workers read: what became of one, and what has to be decided first."""

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
    """What an order has done, and the question that it leaves open. `line` is the order itself."""
    blocks = tuple(_build_result_blocks(context, result))
    question = await _build_question(context, result, line)
    return Reply((*blocks, question), Outcome.ASKED) if question else Reply(blocks)


async def _build_question(context: Context, result: WorkerCommandResult, line: WorkerCommandLine) -> Choice | None:
    if result.conflicts:
        return await build_conflict_question(context, result.conflicts, line)
    if result.candidates:
        options = (Button(item.id, str(line.with_words(item.id))) for item in result.candidates)
        return Choice("Several workers listen there. Which one?", tuple(options))
    return _build_busy_question(context, result.busy_workers, line) if result.busy_workers else None


def _build_result_blocks(context: Context, result: WorkerCommandResult) -> Iterable[Text | Fields | Buttons]:
    if result.stopped:
        yield Text(f"Stopped {' and '.join(item.id for item in result.stopped)}.", Tone.SUCCESS)
    for experiment in result.aborted:
        yield Text(f"“{shortened(experiment.name)}” was aborted.", Tone.WARNING)
    for run in result.orphaned:
        continues = f"“{shortened(run.name)}” of {run.user_name} goes on without an agent"
        text = f"{continues}: what it prints reaches ClearML no more. I tell you when it has ended."
        yield Text(text, Tone.WARNING)
        yield Buttons((Button("Abort the run", f"/abort {run.id}"),))
    for waiting in result.unattended:
        yield Text(f"{_format_waiting(waiting)}.", Tone.WARNING)
    for drained in result.draining:
        yield from _build_drained_blocks(context, drained)
    for worker in result.started:
        yield from _build_started_blocks(worker)


def _build_drained_blocks(context: Context, drained: DrainingWorker) -> Iterable[Text | Buttons]:
    worker = drained.worker
    runs = _format_runs(context, drained.runs) if drained.runs else "what it runs"
    next_step = ", then starts anew" if worker.successor == worker.plan else ""
    if worker.successor and not next_step:
        next_step = f", then one with {format_plan_gpus(worker.successor)} takes its place"
    yield Text(f"{worker.id} ends {runs} and takes nothing more{next_step}. I tell you when it has.", Tone.SUCCESS)
    if not worker.successor:
        yield from (Text(f"{_format_waiting(item)}.", Tone.WARNING) for item in drained.backlogs)
    yield Buttons((Button("Let it go on", str(build_start_line(worker.plan))),))


def _build_started_blocks(worker: DesiredWorker) -> Iterable[Text | Fields | Buttons]:
    yield Text(f"The worker {worker.id} listens on {worker.plan.queue_names}.", Tone.SUCCESS)
    yield Fields((("has", format_plan_gpus(worker.plan)), ("runs in", format_container(worker.plan))))
    yield Buttons(build_worker_buttons(worker))


def _build_busy_question(context: Context, busy: tuple[BusyWorker, ...], line: WorkerCommandLine) -> Choice:
    """What is hit is said before it is: the run, whose it is, how long it goes on, and what waits behind it."""
    sentences = "\n".join(sentence for item in busy for sentence in _list_busy_sentences(context, item))
    is_one = sum(len(item.runs) for item in busy) == 1
    pronoun, condition = ("it", "it ends") if is_one else ("them", "they end")
    options = [Button(f"Wait until {condition}", str(line.with_options(run="wait")))]
    if all(item.can_abort for item in busy):
        options += [
            Button(f"Abort {pronoun} and put {pronoun} back in the queue", str(line.with_options(run="requeue"))),
            Button(f"Abort {pronoun}", str(line.with_options(run="abort"))),
        ]
    return Choice(f"{sentences}\nNothing is stopped yet. What shall become of {pronoun}?", tuple(options))


def _list_busy_sentences(context: Context, item: BusyWorker) -> Iterable[str]:
    yield f"{item.worker.id} runs {_format_runs(context, item.runs)}."
    if not item.can_abort:
        owners = " and ".join(sorted({run.owner_name for run in item.runs}))
        yield f"Only {owners} or an admin may abort {'it' if len(item.runs) == 1 else 'all of them'}."
    for waiting in item.backlogs:
        yield f"{_format_waiting(waiting)}."


def _format_runs(context: Context, runs: tuple[OwnedRun, ...]) -> str:
    names = " and ".join(format_run(run, context) for run in runs[:_MAX_NAMES])
    return f"{names} and {len(runs) - _MAX_NAMES} more" if len(runs) > _MAX_NAMES else names


def _format_waiting(waiting: QueueBacklog) -> str:
    """What waits in a queue, of whom, and who else could take it."""
    names = ", ".join(
        f"“{shortened(run.experiment.name)}” of {run.owner_name}" for run in waiting.runs[:_MAX_NAMES]
    )
    more = f" and {len(waiting.runs) - _MAX_NAMES} more" if len(waiting.runs) > _MAX_NAMES else ""
    others = "" if waiting.has_other_workers else ", and no other worker listens there"
    verb = "waits" if len(waiting.runs) == 1 else "wait"
    return (
        f"In {waiting.queue_name} {format_count(len(waiting.runs), 'experiment')} {verb} ({names}{more}){others}"
    )
