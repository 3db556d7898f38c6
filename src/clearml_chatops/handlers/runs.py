"""Commands that run experiments: enqueue, check, dequeue, abort, reset, retry, rerun, wait."""

from datetime import timedelta

from clearml_chatops.handlers.arguments import (
    ExperimentReference,
    Flag,
    ParameterValues,
    QueueName,
    SingleWord,
    StatusName,
    Timeout,
    WordFlag,
    Words,
)
from clearml_chatops.handlers.assignments import has_section
from clearml_chatops.handlers.cards import build_card_with_intro, load_card
from clearml_chatops.handlers.command_line import Word, join_words
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.corrections import Pairs, build_line, offer_corrections
from clearml_chatops.handlers.experiment_lists import ConfirmationToken, ExperimentReferences, SearchText
from clearml_chatops.handlers.formatting import build_changes_table
from clearml_chatops.handlers.pages import build_option
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.handlers.several_experiments import choose_experiments
from clearml_chatops.handlers.several_runs import (
    abort_several,
    dequeue_several,
    enqueue_several,
    reset_several,
    retry_several,
)
from clearml_chatops.handlers.spaced_values import find_first_pair, read_spaced_pairs
from clearml_chatops.handlers.trailing_queues import offer_trailing_queue
from clearml_chatops.models.errors import ExperimentNotFoundError, NoPersonalQueueError
from clearml_chatops.models.experiments import Status
from clearml_chatops.models.queues import QueuePosition
from clearml_chatops.models.replies import Button, Buttons, Reply, Text, Tone
from clearml_chatops.services.experiments.runs import EnqueuedExperiment
from clearml_chatops.services.workers.preflight import Severity

RUNS = CommandFamily("Runs")
_RERUN_USAGE = "/rerun <experiment> [name…] [section.name=value …]"
_SEVERITY_TONES = {Severity.ERROR: Tone.FAILURE, Severity.WARNING: Tone.WARNING, Severity.OK: Tone.SUCCESS}


@RUNS.command("enqueue", examples=("/enqueue", "/enqueue 4f2a front", "/enqueue --find 'status=draft mine'"))
async def enqueue(
    context: Context,
    experiment: ExperimentReferences = (),
    *,
    queue: QueueName = "",
    front: WordFlag = False,
    create: Flag = False,
    force: Flag = False,
    find: SearchText | None = None,
    confirm: ConfirmationToken | None = None,
) -> Reply:
    """Put an experiment into a queue: your own, unless you name another.

    Args:
        experiment: Id, start of an id, name, web link or "last". Default: the current one. Several: ids or quoted
            names, names separated by commas, or "last 3".
        queue: Queue name. Default: your own queue.
        front: Put it at the front of the queue.
        create: Create your own queue first if you don't have one.
        force: Enqueue even if there's a problem. See problems with /check.
        find: Everything that /find finds with these words, like --find "status=failed mine".
    """
    chosen = await choose_experiments(context, experiment, search=find, token=confirm)
    if chosen.is_several:
        return await enqueue_several(context, chosen, queue=queue, front=front, create=create, force=force)
    try:
        enqueued = await context.services.runs.enqueue(
            chosen.reference, queue_name=queue, front=front, create_queue=create, force=force
        )
    except ExperimentNotFoundError as error:
        error.buttons = tuple(await offer_trailing_queue(context, chosen.reference, front=front, force=force))
        raise
    except NoPersonalQueueError as error:
        # Quoted, because an experiment may be called “front”.
        words = [Word(chosen.reference, quoted=True)] if chosen.reference else []
        words += [Word(word) for word, is_set in (("front", front), ("--force", force)) if is_set]
        line = join_words([Word("/enqueue"), *words, Word("--create")])
        return Reply.with_choice(str(error), Button("Create and enqueue", line))
    return await _build_enqueued_reply(context, enqueued)


@RUNS.command("check", examples=("/check", "/check 4f2a queue=gpu_queue"))
async def check(context: Context, experiment: ExperimentReference = "", *, queue: QueueName = "") -> Reply:
    """Check that an experiment can run: code, container, GPUs, and a worker on its queue.

    Args:
        experiment: Id, start of an id, name, web link or "last". Default: the current one.
        queue: Queue name. Default: the queue it waits in, else your own.
    """
    found, findings = await context.services.runs.check(experiment, queue_name=queue)
    return Reply.of(
        Text(found.name, Tone.HEADING),
        *(Text(item.text, _SEVERITY_TONES[item.severity]) for item in findings),
        Buttons(buttons) if (buttons := tuple(button for item in findings for button in item.buttons)) else None,
        experiment_id=found.id,
    )


@RUNS.command("dequeue", examples=("/dequeue", "/dequeue 4f2a", "/dequeue last 3"))
async def dequeue(
    context: Context,
    experiment: ExperimentReferences = (),
    *,
    find: SearchText | None = None,
    confirm: ConfirmationToken | None = None,
) -> Reply:
    """Take a Pending experiment out of its queue.

    Args:
        experiment: Id, start of an id, name, web link or "last". Default: the current one. Several: ids or quoted
            names, names separated by commas, or "last 3".
        find: Everything that /find finds with these words, like --find "status=failed mine".
    """
    chosen = await choose_experiments(context, experiment, search=find, token=confirm)
    if chosen.is_several:
        return await dequeue_several(context, chosen)
    dequeued = await context.services.runs.dequeue(chosen.reference)
    return Reply.of(
        Text(f"Took “{dequeued.name}” out of its queue. It's {dequeued.status.label} again.", Tone.SUCCESS),
        Buttons((Button("Enqueue", f"/enqueue {dequeued.id}"),)),
        experiment_id=dequeued.id,
    )


@RUNS.command("abort", examples=("/abort", "/abort 4f2a --yes", "/abort first run, second run"))
async def abort(
    context: Context,
    experiment: ExperimentReferences = (),
    *,
    yes: Flag = False,
    find: SearchText | None = None,
    confirm: ConfirmationToken | None = None,
) -> Reply:
    """Abort a Running or Pending experiment. Asks first if it's Running.

    Args:
        experiment: Id, start of an id, name, web link or "last". Default: the current one. Several: ids or quoted
            names, names separated by commas, or "last 3".
        yes: Don't ask first, unless there are several.
        find: Everything that /find finds with these words, like --find "status=failed mine".
    """
    chosen = await choose_experiments(context, experiment, search=find, token=confirm)
    if chosen.is_several:
        return await abort_several(context, chosen)
    found = await context.services.runs.require_abortable(chosen.reference)
    if found.status is Status.RUNNING and not yes:
        return Reply.with_choice(
            f"Abort “{found.name}” ({found.user_name or 'owner unknown'})? It's Running.",
            Button("Abort", f"/abort {found.id} --yes"),
            experiment_id=found.id,
        )
    aborted = await context.services.runs.abort(found)
    still_runs = aborted.status is Status.RUNNING
    text = (
        f"Aborting “{found.name}”. Its worker hasn't stopped it yet."
        if still_runs
        else f"“{found.name}” is {aborted.status.label}."
    )
    return Reply.of(Text(text, Tone.WARNING), experiment_id=found.id)


@RUNS.command("reset", examples=("/reset 4f2a", "/reset 4f2a --yes"))
async def reset(
    context: Context,
    experiment: ExperimentReferences = (),
    *,
    yes: Flag = False,
    find: SearchText | None = None,
    confirm: ConfirmationToken | None = None,
) -> Reply:
    """Turn a finished experiment back into a Draft. Asks first, because its log and metrics are deleted.

    Args:
        experiment: Id, start of an id, name, web link or "last". Default: the current one. Several: ids or quoted
            names, names separated by commas, or "last 3".
        yes: Don't ask first, unless there are several.
        find: Everything that /find finds with these words, like --find "status=failed mine".
    """
    chosen = await choose_experiments(context, experiment, search=find, token=confirm)
    if chosen.is_several:
        return await reset_several(context, chosen)
    found = await context.services.runs.require_resettable(chosen.reference)
    if not yes:
        return Reply.with_choice(
            f"Reset “{found.name}”? Its log and metrics are deleted for good.",
            Button("Reset", f"/reset {found.id} --yes"),
            Button("Clone instead", f"/clone {found.id}"),
            experiment_id=found.id,
        )
    draft = await context.services.runs.reset(found)
    return build_card_with_intro(
        Text(f"“{draft.name}” is a Draft again.", Tone.SUCCESS), card=await load_card(context, draft)
    )


@RUNS.command(
    "retry", examples=("/retry", "/retry 4f2a queue=gpu_queue", "/retry --find 'status=failed since=1d mine'")
)
async def retry(
    context: Context,
    experiment: ExperimentReferences = (),
    *,
    queue: QueueName = "",
    find: SearchText | None = None,
    confirm: ConfirmationToken | None = None,
) -> Reply:
    """Put a Failed or Aborted experiment back into its queue, unchanged.

    Args:
        experiment: Id, start of an id, name, web link or "last". Default: the current one. Several: ids or quoted
            names, names separated by commas, or "last 3".
        queue: Queue name. Default: the queue it ran in.
        find: Everything that /find finds with these words, like --find "status=failed mine".
    """
    chosen = await choose_experiments(context, experiment, search=find, token=confirm)
    if chosen.is_several:
        return await retry_several(context, chosen, queue=queue)
    enqueued = await context.services.runs.retry(chosen.reference, queue_name=queue)
    return await _build_enqueued_reply(context, enqueued)


@RUNS.command("rerun", examples=("/rerun last args.gpus=2,3", "/rerun baseline longer training args.epochs=90"))
async def rerun(
    context: Context,
    experiment: ExperimentReference,
    name: Words = (),
    values: ParameterValues = (),
    *,
    image: SingleWord | None = None,
    queue: QueueName = "",
    create: Flag = False,
    force: Flag = False,
) -> Reply:
    """Clone, change and enqueue an experiment in one step, for example to train on other GPUs.

    Args:
        experiment: What to run again: id, start of an id, name, web link or "last".
        name: Name of the clone. Default: "Clone of …".
        values: Parameters to change, like args.gpus=2,3 args.lr=0.05 or args.gpus 2,3.
        image: Another Docker image.
        queue: Queue name. Default: your own queue.
        create: Create your own queue first if you don't have one.
        force: Enqueue even if there's a problem. See problems with /check.
    """
    name_words = name

    def build_rerun_line(experiment_id: str, pairs: Pairs) -> str:
        words = [
            Word("/rerun"),
            Word(experiment_id),
            *([Word(" ".join(name_words), quoted=True)] if name_words else []),
        ]
        words += [] if image is None else [build_option("image", image)]
        words += [build_option("queue", queue)] if queue else []
        words += [Word(flag) for flag, is_set in (("--create", create), ("--force", force)) if is_set]
        return build_line(words, pairs)

    if any(map(has_section, name)):
        source = await context.services.experiments.get(experiment)
        start = find_first_pair(source, name)
        name_words, rest = name[:start], name[start:]
        values = read_spaced_pairs(source, rest, values, build_rerun_line, usage=_RERUN_USAGE) if rest else values
    with offer_corrections(values, build_rerun_line):
        enqueued = await context.services.runs.rerun(
            experiment,
            name=" ".join(name_words),
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
    timeout: Timeout = timedelta(seconds=60),  # noqa: ASYNC109  # an argument of the command; the service applies it
) -> Reply:
    """Wait until an experiment leaves Pending, or reaches a status.

    For scripts: it succeeds once the status is reached, and fails once it can't be reached any more.

    Args:
        experiment: Id, start of an id, name, web link or "last". Default: the current one.
        status: Status to wait for. Default: any status after Pending.
        timeout: How long to wait at most, like 10m. Default: 60s.
    """
    if status is None and (word := Status.from_text(experiment)):
        experiment, status = "", word
    found = await context.services.run_waiter.wait_until(experiment, status, timeout=timeout)
    return Reply.of(f"“{found.name}” is {found.status.label}.", experiment_id=found.id)


async def _build_enqueued_reply(context: Context, enqueued: EnqueuedExperiment) -> Reply:
    experiment = enqueued.experiment
    no_worker_warning = Text(
        f"No worker listens on {enqueued.queue_name} yet. Start one with /worker start.", Tone.WARNING
    )
    return build_card_with_intro(
        Text(f"“{experiment.name}” is Pending in {enqueued.queue_name}.", Tone.SUCCESS),
        no_worker_warning if enqueued.has_worker is False else None,
        *(Text(item.text, _SEVERITY_TONES[item.severity]) for item in enqueued.findings),
        build_changes_table(enqueued.changes, "before", "now") if enqueued.changes else None,
        card=await load_card(context, experiment, QueuePosition(enqueued.queue_name)),
    )
