"""Workers: agents that run what is in a queue."""

from clearml_chatops.handlers.arguments import (
    Flag,
    GpuRequestAnswerName,
    Gpus,
    LineCount,
    PlainWord,
    QueueName,
    QueueNames,
    RunningPolicyName,
    WordFlag,
    WorkerReference,
)
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.gpu_requests import build_answer_reply, build_open_requests_reply, request_gpus
from clearml_chatops.handlers.pages import PageNumber
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.handlers.worker_command_lines import WorkerCommandLine, build_command_line
from clearml_chatops.handlers.worker_lists import build_workers_reply
from clearml_chatops.handlers.worker_replies import build_result_reply
from clearml_chatops.models.errors import NoGpuDriverError
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Button, Code, Reply, Text, Tone
from clearml_chatops.models.workers import RunningPolicy, WorkerSpec

WORKERS = CommandFamily("Workers")


@WORKERS.command("worker", role=Role.VIEWER, examples=("/worker",))
async def worker(context: Context, *, page: PageNumber = 1) -> Reply:
    """Show your workers: which queue each listens on, with which cards, and what it runs.

    Args:
        page: Which six of them, counted from 1.
    """
    return await build_workers_reply(context, await context.services.workers.list_own(), page, command="/worker")


@WORKERS.command("worker list", role=Role.VIEWER, examples=("/worker list",))
async def worker_list(context: Context, *, page: PageNumber = 1) -> Reply:
    """Show all workers: queue, cards, image, running experiment and its owner, since when, last seen.

    Args:
        page: Which six of them, counted from 1.
    """
    return await build_workers_reply(
        context, await context.services.workers.list_all(), page, command="/worker list"
    )


@WORKERS.command(
    "worker start",
    examples=(
        "/worker start gpus=0",
        "/worker start queue=fast,slow gpus=0,1 image=nvcr.io/x:1",
        "/worker start gpus=all docker",
    ),
)
async def worker_start(  # noqa: PLR0913  # each is an option of the command
    context: Context,
    *,
    queue: QueueNames = (),
    gpus: Gpus | None = None,
    image: PlainWord | None = None,
    docker: WordFlag = False,
    venv: WordFlag = False,
    services: WordFlag = False,
    name: PlainWord = "",
    host: PlainWord = "",
    share: Flag = False,
    ask: Flag = False,
) -> Reply:
    """Start a worker on the bot's machine and keep it running, whatever crashes.

    Args:
        queue: The queue to listen on, or several in the order in which to take from them; nothing for your own.
        gpus: The cards it may use, as 0,1; all (the default) or none.
        image: Run everything in containers of this docker image, unless the experiment names its own.
        docker: Run everything in containers, of the image that clearml-agent is set to where none is named.
        venv: Run everything without containers, which it does where you name neither docker nor an image.
        services: Run many at once, without cards: for what only waits or controls others.
        name: What to call it in place of its queue, for a second one with the same cards.
        host: The machine; only the bot's own is possible.
        share: Take cards that somebody has.
        ask: Ask whoever has the cards, and start it when he agrees.
    """
    spec = WorkerSpec(queue, gpus, image, docker, venv, services, name, host, share)
    line = build_command_line(
        *("/worker start", "docker" * docker, "venv" * venv, "services" * services),
        queue=",".join(queue),
        gpus=gpus,
        image=image,
        name=name,
    )
    try:
        result = await context.services.worker_commands.start(spec)
    except NoGpuDriverError as error:
        raise _offer_no_gpus(error, line) from error
    if ask and result.conflicts:
        return await request_gpus(context, result.conflicts, spec, line)
    return await build_result_reply(context, result, line)


@WORKERS.command("worker stop", examples=("/worker stop", "/worker stop queue=gpu_queue", "/worker stop run=wait"))
async def worker_stop(
    context: Context,
    worker: WorkerReference = "",
    *,
    queue: QueueName = "",
    run: RunningPolicyName | None = None,
) -> Reply:
    """Stop workers that were started here, and no others. Asks first what becomes of what they run.

    Args:
        worker: The worker's id; nothing for all of the queue.
        queue: The queue; nothing for your own.
        run: What becomes of its run: wait until it ends, abort it and requeue it, or abort it.
    """
    result = await context.services.worker_commands.stop(worker, queue, running_policy=run)
    return await build_result_reply(context, result, build_command_line("/worker stop", worker, queue=queue))


@WORKERS.command("worker restart", examples=("/worker restart gpus=0", "/worker restart gpus=0 image=nvcr.io/x:1"))
async def worker_restart(  # noqa: PLR0913  # each is an option of the command
    context: Context,
    worker: WorkerReference = "",
    *,
    queue: QueueName = "",
    gpus: Gpus | None = None,
    image: PlainWord | None = None,
    docker: WordFlag = False,
    venv: WordFlag = False,
    run: RunningPolicyName | None = None,
    share: Flag = False,
    ask: Flag = False,
) -> Reply:
    """Start a worker anew, with other cards or another image. Asks first what becomes of what it runs.

    Args:
        worker: The worker's id; nothing for the one of the queue.
        queue: The queue; nothing for your own.
        gpus: Its cards from now on, as 0,1 or all or none; nothing for the same.
        image: Its docker image from now on; nothing for the same, image="" for none.
        docker: Run everything in containers from now on, of the image that clearml-agent is set to.
        venv: Run everything without containers from now on.
        run: What becomes of its run: wait until it ends, abort it and requeue it, or abort it.
        share: Take cards that somebody has.
        ask: Ask whoever has the cards, and restart it when he agrees.
    """
    spec = WorkerSpec((queue,) if queue else (), gpus, image, docker, venv, share=share)
    words = ("docker" * docker, "venv" * venv, "--share" * share)
    line = build_command_line("/worker restart", worker, *words, queue=queue, gpus=gpus)
    line = line if image is None else line.with_options(image=image)
    line = line.with_options(run=run.value) if run else line
    try:
        result = await context.services.worker_commands.restart(worker, spec, running_policy=run)
    except NoGpuDriverError as error:
        raise _offer_no_gpus(error, line) from error
    if ask and result.conflicts:
        return await request_gpus(
            context, result.conflicts, spec, line, worker_to_restart=worker, running_policy=run
        )
    return await build_result_reply(context, result, line)


@WORKERS.command("worker drain", examples=("/worker drain", "/worker drain lab:alice_queue:gpu0"))
async def worker_drain(context: Context, worker: WorkerReference = "", *, queue: QueueName = "") -> Reply:
    """Let workers end what they run, take nothing more, and stop.

    Args:
        worker: The worker's id; nothing for all of the queue.
        queue: The queue; nothing for your own.
    """
    result = await context.services.worker_commands.stop(worker, queue, running_policy=RunningPolicy.WAIT)
    return await build_result_reply(context, result, build_command_line("/worker drain", worker, queue=queue))


@WORKERS.command("worker consent", examples=("/worker consent", "/worker consent 4f2ab3 share"))
async def worker_consent(
    context: Context, question: PlainWord = "", answer: GpuRequestAnswerName | None = None
) -> Reply:
    """Say whether somebody may have the cards of your worker. The question that you get has buttons for it.

    Args:
        question: The question's number; nothing to see which are open.
        answer: share them, handover when your run has ended, or no.
    """
    gpu_requests = context.services.gpu_requests
    if not question or answer is None:
        return build_open_requests_reply(context, await gpu_requests.list_for_person(context.person))
    conversation = context.message.conversation
    return build_answer_reply(
        context, await gpu_requests.answer(question, answer, context.person, conversation), answer
    )


@WORKERS.command("worker log", examples=("/worker log", "/worker log 100 queue=gpu_queue"))
async def worker_log(
    context: Context, lines: LineCount = 20, *, worker: WorkerReference = "", queue: QueueName = ""
) -> Reply:
    """Show the last lines that your worker has written.

    Args:
        lines: How many.
        worker: The worker's id; nothing for the one of the queue.
        queue: The queue; nothing for your own.
    """
    blocks: list[Text | Code] = []
    for item in await context.services.workers.find(worker, queue):
        log_lines = await context.services.workers.read_log(item, lines)
        blocks += [Text(item.id, Tone.HEADING), Code("\n".join(log_lines))]
    return Reply.of(*blocks)


def _offer_no_gpus(error: NoGpuDriverError, line: WorkerCommandLine) -> NoGpuDriverError:
    """The error with a way out: the same order without cards."""
    button = Button("Start it without cards", str(line.with_options(gpus="none")))
    return NoGpuDriverError(reason=error.values["reason"], instead=", or use gpus=none", buttons=[button])
