"""Running experiments: into the queue and out of it, abort, reset, retry, rerun."""

from datetime import timedelta

from clearml_chatops.handlers.arguments import (
    ExperimentReference,
    Flag,
    FreeText,
    ParameterValues,
    PlainWord,
    QueueName,
    StatusName,
    Timeout,
    WordFlag,
)
from clearml_chatops.handlers.cards import build_card_with_intro, load_card
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.formatting import build_changes_table
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.models.errors import NoPersonalQueueError
from clearml_chatops.models.experiments import Status
from clearml_chatops.models.queues import QueuePosition
from clearml_chatops.models.replies import Button, Buttons, Reply, Text, Tone
from clearml_chatops.services.experiments.runs import EnqueuedExperiment
from clearml_chatops.services.workers.preflight import Severity

RUNS = CommandFamily("Runs")
_LIGHT_TONES = {Severity.ERROR: Tone.FAILURE, Severity.WARNING: Tone.WARNING, Severity.OK: Tone.SUCCESS}


@RUNS.command("enqueue", examples=("/enqueue", "/enqueue 4f2a front", "/enqueue queue=gpu_queue"))
async def enqueue(
    context: Context,
    experiment: ExperimentReference = "",
    *,
    queue: QueueName = "",
    front: WordFlag = False,
    create: Flag = False,
    force: Flag = False,
) -> Reply:
    """Put an experiment into a queue, your own unless you name another.

    Args:
        experiment: Id, beginning of an id, name, web link or "last"; nothing for the current one.
        queue: The queue's name; nothing for your own.
        front: Before all that wait there.
        create: Create your own queue first, if you have none.
        force: Also where it would not run as it should; /check tells why.
    """
    try:
        enqueued = await context.services.runs.enqueue(
            experiment, queue_name=queue, front=front, create_queue=create, force=force
        )
    except NoPersonalQueueError as error:
        return Reply.with_choice(
            str(error), Button("Create my queue and enqueue", f"/enqueue {experiment} --create".replace("  ", " "))
        )
    return await _build_enqueued_reply(context, enqueued)


@RUNS.command("check", examples=("/check", "/check 4f2a queue=gpu_queue"))
async def check(context: Context, experiment: ExperimentReference = "", *, queue: QueueName = "") -> Reply:
    """Say whether an experiment can run: code, container, cards, and a worker that listens.

    Args:
        experiment: Id, beginning of an id, name, web link or "last"; nothing for the current one.
        queue: The queue's name; nothing for the one in which it waits, or your own.
    """
    found, findings = await context.services.runs.check(experiment, queue_name=queue)
    return Reply.of(
        Text(found.name, Tone.HEADING),
        *(Text(item.text, _LIGHT_TONES[item.severity]) for item in findings),
        Buttons(offers) if (offers := tuple(offer for item in findings for offer in item.offers)) else None,
        experiment_id=found.id,
    )


@RUNS.command("dequeue", examples=("/dequeue", "/dequeue 4f2a"))
async def dequeue(context: Context, experiment: ExperimentReference = "") -> Reply:
    """Take a Pending experiment out of its queue; it is what it was before.

    Args:
        experiment: Id, beginning of an id, name, web link or "last"; nothing for the current one.
    """
    dequeued = await context.services.runs.dequeue(experiment)
    return Reply.of(
        Text(f"“{dequeued.name}” is out of its queue.", Tone.SUCCESS),
        Buttons((Button("Enqueue", f"/enqueue {dequeued.id}"),)),
        experiment_id=dequeued.id,
    )


@RUNS.command("abort", examples=("/abort", "/abort 4f2a --yes"))
async def abort(context: Context, experiment: ExperimentReference = "", *, yes: Flag = False) -> Reply:
    """End a run, or what waits to run. Asks first when something runs.

    Args:
        experiment: Id, beginning of an id, name, web link or "last"; nothing for the current one.
        yes: Do not ask.
    """
    found = await context.services.runs.require_abortable(experiment)
    if found.status is Status.RUNNING and not yes:
        return Reply.with_choice(
            f"“{found.name}” of {found.user_name or 'unknown'} is Running. Abort it?",
            Button("Abort it", f"/abort {found.id} --yes"),
            experiment_id=found.id,
        )
    aborted = await context.services.runs.abort(found)
    still_runs = aborted.status is Status.RUNNING
    state = "is being aborted; its worker has not ended it yet." if still_runs else f"is {aborted.status.label}."
    return Reply.of(Text(f"“{found.name}” {state}", Tone.WARNING), experiment_id=found.id)


@RUNS.command("reset", examples=("/reset 4f2a", "/reset 4f2a --yes"))
async def reset(context: Context, experiment: ExperimentReference = "", *, yes: Flag = False) -> Reply:
    """Make a finished experiment a Draft again. Asks first: its log and scalars are deleted.

    Args:
        experiment: Id, beginning of an id, name, web link or "last"; nothing for the current one.
        yes: Do not ask.
    """
    found = await context.services.runs.require_resettable(experiment)
    if not yes:
        return Reply.with_choice(
            f"Resetting “{found.name}” deletes its log and its scalars for good. Reset it?",
            Button("Reset it", f"/reset {found.id} --yes"),
            Button("Clone it instead", f"/clone {found.id}"),
            experiment_id=found.id,
        )
    draft = await context.services.runs.reset(found)
    return build_card_with_intro(
        Text(f"“{draft.name}” is a Draft again.", Tone.SUCCESS), card=await load_card(context, draft)
    )


@RUNS.command("retry", examples=("/retry", "/retry 4f2a queue=gpu_queue"))
async def retry(context: Context, experiment: ExperimentReference = "", *, queue: QueueName = "") -> Reply:
    """Put a Failed or Aborted run back into its queue as it is.

    Args:
        experiment: Id, beginning of an id, name, web link or "last"; nothing for the current one.
        queue: The queue's name; nothing for the former one.
    """
    return await _build_enqueued_reply(context, await context.services.runs.retry(experiment, queue_name=queue))


@RUNS.command("rerun", examples=("/rerun last args.gpus=2,3", "/rerun baseline longer training args.epochs=90"))
async def rerun(
    context: Context,
    experiment: ExperimentReference,
    name: FreeText = "",
    values: ParameterValues = (),
    *,
    image: PlainWord | None = None,
    queue: QueueName = "",
    create: Flag = False,
    force: Flag = False,
) -> Reply:
    """Clone, set and enqueue in one line: the same training on other cards.

    Args:
        experiment: What to run again: id, beginning of an id, name, web link or "last".
        name: The copy's name; nothing for "Clone of …".
        values: What to change, as args.gpus=2,3 args.lr=0.05.
        image: Another docker image.
        queue: The queue's name; nothing for your own.
        create: Create your own queue first, if you have none.
        force: Also where it would not run as it should; /check tells why.
    """
    enqueued = await context.services.runs.rerun(
        experiment,
        name=name,
        assignments=values,
        image=image,
        queue_name=queue,
        create_queue=create,
        force=force,
    )
    return await _build_enqueued_reply(context, enqueued)


@RUNS.command("wait", examples=("/wait", "/wait completed timeout=10m", "/wait 4f2a running"), terminal_only=True)
async def wait(
    context: Context,
    experiment: ExperimentReference = "",
    status: StatusName | None = None,
    *,
    timeout: Timeout = timedelta(seconds=60),  # noqa: ASYNC109  # what people type; the service keeps the time
) -> Reply:
    """Wait until an experiment has left Pending, or has reached a status.

    For scripts: it ends when the status is reached, and fails when it cannot be any more.

    Args:
        experiment: Id, beginning of an id, name, web link or "last"; nothing for the current one.
        status: The status to wait for; nothing for any after Pending.
        timeout: How long at most, as 60s or 10m.
    """
    if status is None and (word := Status.from_text(experiment)):
        experiment, status = "", word
    found = await context.services.run_waiter.wait_until(experiment, status, timeout=timeout)
    return Reply.of(f"“{found.name}” is {found.status.label}.", experiment_id=found.id)


async def _build_enqueued_reply(context: Context, enqueued: EnqueuedExperiment) -> Reply:
    experiment = enqueued.experiment
    no_worker_warning = Text(
        f"No worker listens on {enqueued.queue_name}, so it will wait; /worker start makes one.", Tone.WARNING
    )
    return build_card_with_intro(
        Text(f"“{experiment.name}” is Pending in {enqueued.queue_name}.", Tone.SUCCESS),
        no_worker_warning if enqueued.has_worker is False else None,
        *(Text(item.text, _LIGHT_TONES[item.severity]) for item in enqueued.findings),
        build_changes_table(enqueued.changes, "before", "now") if enqueued.changes else None,
        card=await load_card(context, experiment, QueuePosition(enqueued.queue_name)),
    )
