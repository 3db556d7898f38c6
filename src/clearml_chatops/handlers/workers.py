"""The /worker commands: list, start, stop, restart and drain the agents that run what is in a queue."""

from clearml_chatops.handlers.arguments import (
    BareLineCount,
    Flag,
    GpuRequestAnswerName,
    Gpus,
    GpusOrNone,
    QueueName,
    QueueNames,
    RunningPolicyName,
    SingleWord,
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
    """Show your workers: queue, GPUs and what each is running.

    Args:
        page: Page number, six workers each.
    """
    return await build_workers_reply(context, await context.services.workers.list_own(), page, command="/worker")


@WORKERS.command("worker list", role=Role.VIEWER, examples=("/worker list",))
async def worker_list(context: Context, *, page: PageNumber = 1) -> Reply:
    """Show all workers: queue, GPUs, image, running experiment and its owner, start time and when last seen.

    Args:
        page: Page number, six workers each.
    """
    return await build_workers_reply(
        context, await context.services.workers.list_all(), page, command="/worker list"
    )


@WORKERS.command(
    "worker start",
    examples=(
        "/worker start gpus=0",
        "/worker start queue=fast,slow gpus=0,1 image=nvcr.io/x:1",
        "/worker start alice_queue 0-3 docker",
    ),
)
async def worker_start(  # noqa: PLR0913  # each is an option of the command
    context: Context,
    *,
    gpus: GpusOrNone | None = None,
    queue: QueueNames = (),
    image: SingleWord | None = None,
    docker: WordFlag = False,
    venv: WordFlag = False,
    services: WordFlag = False,
    name: SingleWord = "",
    host: SingleWord = "",
    share: Flag = False,
    ask: Flag = False,
) -> Reply:
    """Start a worker on the bot's machine and keep it running, even after a crash.

    Args:
        gpus: The GPUs it may use, like 0,1 or 0-3; all (the default) or none.
        queue: The queue to listen on, or several in order of priority, like fast,slow. Default: your own.
        image: Run everything in containers from this Docker image, unless an experiment names its own.
        docker: Run everything in containers; without image=, from the default image of clearml-agent.
        venv: Run everything without containers. The default, unless you give docker or an image.
        services: Run many experiments at once, without GPUs. For those that only wait or control others.
        name: A name to use instead of its queue's, for a second worker with the same GPUs.
        host: The machine. Only the bot's own is possible.
        share: Use GPUs that are already in use.
        ask: If the GPUs are in use, ask their owners first and start the worker when they agree.
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


@WORKERS.command(
    "worker stop", examples=("/worker stop", "/worker stop alice_queue", "/worker stop gpus=0 run=wait")
)
async def worker_stop(
    context: Context,
    worker: WorkerReference = "",
    *,
    queue: QueueName = "",
    gpus: Gpus = "",
    run: RunningPolicyName | None = None,
) -> Reply:
    """Stop workers that the bot started. If one is running an experiment, you choose what happens to it.

    Args:
        worker: The worker's id or a part of it, or its queue. Default: all workers of the queue.
        queue: The queue. Default: your own.
        gpus: The worker with these GPUs, like 0,1.
        run: What happens to its run: wait (until it ends), requeue (abort and enqueue it again) or abort.
    """
    result = await context.services.worker_commands.stop(worker, queue, gpus, running_policy=run)
    line = build_command_line("/worker stop", worker, queue=queue, gpus=gpus)
    return await build_result_reply(context, result, line)


@WORKERS.command(
    "worker restart",
    examples=("/worker restart gpus=0", "/worker restart alice_queue gpus=0,1 image=nvcr.io/x:1"),
)
async def worker_restart(  # noqa: PLR0913  # each is an option of the command
    context: Context,
    worker: WorkerReference = "",
    *,
    queue: QueueName = "",
    gpus: Gpus | None = None,
    image: SingleWord | None = None,
    docker: WordFlag = False,
    venv: WordFlag = False,
    run: RunningPolicyName | None = None,
    share: Flag = False,
    ask: Flag = False,
) -> Reply:
    """Restart a worker, with other GPUs or another image. If it's running an experiment, you choose what happens.

    Args:
        worker: The worker's id or a part of it, or its queue. Default: the worker of the queue.
        queue: The queue. Default: your own.
        gpus: Its new GPUs, like 0,1 or 0-3; all or none. Default: the current ones.
        image: Its new Docker image; image="" for none. Default: the current one.
        docker: From now on, run everything in containers from the default image of clearml-agent.
        venv: From now on, run everything without containers.
        run: What happens to its run: wait (until it ends), requeue (abort and enqueue it again) or abort.
        share: Use GPUs that are already in use.
        ask: If the GPUs are in use, ask their owners first and restart the worker when they agree.
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
    return await build_result_reply(context, result, line.without_words(worker) if result.candidates else line)


@WORKERS.command("worker drain", examples=("/worker drain", "/worker drain alice_queue"))
async def worker_drain(
    context: Context, worker: WorkerReference = "", *, queue: QueueName = "", gpus: Gpus = ""
) -> Reply:
    """Stop workers when their current runs end. They take no new ones.

    Args:
        worker: The worker's id or a part of it, or its queue. Default: all workers of the queue.
        queue: The queue. Default: your own.
        gpus: The worker with these GPUs, like 0,1.
    """
    result = await context.services.worker_commands.stop(worker, queue, gpus, running_policy=RunningPolicy.WAIT)
    line = build_command_line("/worker drain", worker, queue=queue, gpus=gpus)
    return await build_result_reply(context, result, line)


@WORKERS.command("worker consent", examples=("/worker consent", "/worker consent 4f2ab3 share"))
async def worker_consent(
    context: Context, question: SingleWord = "", answer: GpuRequestAnswerName | None = None
) -> Reply:
    """Answer a colleague's request for your GPUs.

    The request that you get has buttons for this.

    Args:
        question: The request's id. Leave it out to see the open requests.
        answer: share (use them together), handover (when your run has ended) or no.
    """
    gpu_requests = context.services.gpu_requests
    if not question or answer is None:
        return build_open_requests_reply(context, await gpu_requests.list_for_person(context.person))
    conversation = context.message.conversation
    return build_answer_reply(
        context, await gpu_requests.answer(question, answer, context.person, conversation), answer
    )


@WORKERS.command("worker log", examples=("/worker log", "/worker log 100", "/worker log alice_queue 100"))
async def worker_log(
    context: Context,
    worker: WorkerReference = "",
    *,
    lines: BareLineCount = 20,
    queue: QueueName = "",
    gpus: Gpus = "",
) -> Reply:
    """Show the last lines of a worker's log.

    Args:
        worker: The worker's id or a part of it, or its queue. Default: the worker of the queue.
        lines: How many lines.
        queue: The queue. Default: your own.
        gpus: The worker with these GPUs, like 0,1.
    """
    blocks: list[Text | Code] = []
    for item in await context.services.workers.find(worker, queue, gpus):
        log_lines = await context.services.workers.read_log(item, lines)
        blocks += [Text(item.id, Tone.HEADING), Code("\n".join(log_lines))]
    return Reply.of(*blocks)


def _offer_no_gpus(error: NoGpuDriverError, line: WorkerCommandLine) -> NoGpuDriverError:
    """Return the error with a button that sends the same command without GPUs."""
    button = Button("Start without GPUs", str(line.with_options(gpus="none")))
    return NoGpuDriverError(reason=error.values["reason"], instead=", or use gpus=none", buttons=[button])
