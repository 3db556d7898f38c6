"""How orders for workers read: what became of one, and what has to be decided first."""

from collections.abc import Iterable

from clearml_chatops.handlers.claims import claims_question
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.wording import count, shortened
from clearml_chatops.handlers.worker_lines import WorkerLine, line_of_plan
from clearml_chatops.handlers.worker_list import cards_of, containers, run_of, worker_buttons
from clearml_chatops.models.replies import Button, Buttons, Choice, Fields, Outcome, Reply, Text, Tone
from clearml_chatops.models.workers import OwnedRun, WantedWorker
from clearml_chatops.services.workers.worker_ending import BusyWorker, DrainedWorker, WaitingBehind
from clearml_chatops.services.workers.worker_orders import OrderResult

_MOST_NAMED = 3


async def order_reply(context: Context, result: OrderResult, line: WorkerLine) -> Reply:
    """What an order has done, and the question that it leaves open. `line` is the order itself."""
    done = tuple(_done(context, result))
    question = await _question(context, result, line)
    return Reply((*done, question), Outcome.ASKED) if question else Reply(done)


async def _question(context: Context, result: OrderResult, line: WorkerLine) -> Choice | None:
    if result.claims:
        return await claims_question(context, result.claims, line)
    if result.candidates:
        options = (Button(item.id, str(line.with_words(item.id))) for item in result.candidates)
        return Choice("Several workers listen there. Which one?", tuple(options))
    return _busy_question(context, result.busy, line) if result.busy else None


def _done(context: Context, result: OrderResult) -> Iterable[Text | Fields | Buttons]:
    if result.stopped:
        yield Text(f"Stopped {' and '.join(item.id for item in result.stopped)}.", Tone.SUCCESS)
    for experiment in result.aborted:
        yield Text(f"“{shortened(experiment.name)}” was aborted.", Tone.WARNING)
    for run in result.orphaned:
        goes_on = f"“{shortened(run.name)}” of {run.user_name} goes on without an agent"
        text = f"{goes_on}: what it prints reaches ClearML no more. I tell you when it has ended."
        yield Text(text, Tone.WARNING)
        yield Buttons((Button("Abort the run", f"/abort {run.id}"),))
    for waiting in result.unattended:
        yield Text(f"{_waiting_sentence(waiting)}.", Tone.WARNING)
    for drained in result.draining:
        yield from _drained(context, drained)
    for worker in result.started:
        yield from _started(worker)


def _drained(context: Context, drained: DrainedWorker) -> Iterable[Text | Buttons]:
    worker = drained.worker
    ends = _runs(context, drained.runs) if drained.runs else "what it runs"
    then = ", then starts anew" if worker.successor == worker.plan else ""
    if worker.successor and not then:
        then = f", then one with {cards_of(worker.successor)} takes its place"
    yield Text(f"{worker.id} ends {ends} and takes nothing more{then}. I tell you when it has.", Tone.SUCCESS)
    if not worker.successor:
        yield from (Text(f"{_waiting_sentence(item)}.", Tone.WARNING) for item in drained.waiting)
    yield Buttons((Button("Let it go on", str(line_of_plan(worker.plan))),))


def _started(worker: WantedWorker) -> Iterable[Text | Fields | Buttons]:
    yield Text(f"The worker {worker.id} listens on {worker.plan.queue_names}.", Tone.SUCCESS)
    yield Fields((("has", cards_of(worker.plan)), ("runs in", containers(worker.plan))))
    yield Buttons(worker_buttons(worker))


def _busy_question(context: Context, busy: tuple[BusyWorker, ...], line: WorkerLine) -> Choice:
    """What is hit is said before it is: the run, whose it is, how long it goes on, and what waits behind it."""
    said = "\n".join(sentence for item in busy for sentence in _busy_sentences(context, item))
    is_one = sum(len(item.runs) for item in busy) == 1
    whose, ends = ("it", "it ends") if is_one else ("them", "they end")
    options = [Button(f"Wait until {ends}", str(line.with_options(run="wait")))]
    if all(item.may_abort for item in busy):
        options += [
            Button(f"Abort {whose} and put {whose} back in the queue", str(line.with_options(run="requeue"))),
            Button(f"Abort {whose}", str(line.with_options(run="abort"))),
        ]
    return Choice(f"{said}\nNothing is stopped yet. What shall become of {whose}?", tuple(options))


def _busy_sentences(context: Context, item: BusyWorker) -> Iterable[str]:
    yield f"{item.worker.id} runs {_runs(context, item.runs)}."
    if not item.may_abort:
        owners = " and ".join(sorted({run.owner for run in item.runs}))
        yield f"Only {owners} or an admin may abort {'it' if len(item.runs) == 1 else 'all of them'}."
    for waiting in item.waiting:
        yield f"{_waiting_sentence(waiting)}."


def _runs(context: Context, runs: tuple[OwnedRun, ...]) -> str:
    shown = " and ".join(run_of(run, context) for run in runs[:_MOST_NAMED])
    return f"{shown} and {len(runs) - _MOST_NAMED} more" if len(runs) > _MOST_NAMED else shown


def _waiting_sentence(waiting: WaitingBehind) -> str:
    """What waits in a queue, of whom, and who else could take it."""
    shown = ", ".join(f"“{shortened(run.experiment.name)}” of {run.owner}" for run in waiting.runs[:_MOST_NAMED])
    more = f" and {len(waiting.runs) - _MOST_NAMED} more" if len(waiting.runs) > _MOST_NAMED else ""
    others = "" if waiting.others_listen else ", and no other worker listens there"
    verb = "waits" if len(waiting.runs) == 1 else "wait"
    return f"In {waiting.queue_name} {count(len(waiting.runs), 'experiment')} {verb} ({shown}{more}){others}"
