"""Workers: agents that run what is in a queue."""

from clearml_chatops.handlers.arguments import Gpus, PlainWord, QueueName
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.handlers.wording import NOTHING, ago
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Button, Buttons, Fields, Reply, Table, Text, Tone

WORKERS = CommandFamily("Workers")


@WORKERS.command("worker", role=Role.VIEWER, examples=("/worker",))
async def worker(context: Context) -> Reply:
    """Show the workers: which queue each listens on and what it runs."""
    workers = await context.services.workers.all()
    if not workers:
        return Reply.of("No worker runs; /worker start makes one for your queue.")
    now = context.clock()
    rows = tuple(
        (
            item.id,
            ", ".join(item.queue_names) or NOTHING,
            item.experiment_name or "idle",
            ago(item.last_seen, now) if item.last_seen else NOTHING,
        )
        for item in workers
    )
    return Reply.of(Table(("worker", "queues", "runs", "seen"), rows))


@WORKERS.command("worker start", examples=("/worker start gpus=0", "/worker start gpus=0,1 image=nvcr.io/x:1"))
async def worker_start(
    context: Context, *, queue: QueueName = "", gpus: Gpus = "all", image: PlainWord = ""
) -> Reply:
    """Start a worker on the bot's machine. It outlives the bot.

    Args:
        queue: The queue to listen on; nothing for your own.
        gpus: The cards it may use, as 0,1; all (the default) or none.
        image: Run everything in containers of this docker image, unless the experiment names its own.
    """
    started = await context.services.workers.start(queue_name=queue, gpus=gpus, image=image)
    return Reply.of(
        Text(f"The worker {started.id} listens on {started.queue_name}.", Tone.SUCCESS),
        Fields((("cards", started.gpus), ("image", started.image or "none: runs without docker"))),
        Buttons((Button("Stop it", f'/worker stop queue="{started.queue_name}"'),)),
    )


@WORKERS.command("worker stop", examples=("/worker stop", "/worker stop queue=gpu_queue"))
async def worker_stop(context: Context, *, queue: QueueName = "") -> Reply:
    """Stop the workers that were started here for a queue, and no others. What they run is aborted.

    Args:
        queue: The queue; nothing for your own.
    """
    stopped = await context.services.workers.stop(queue_name=queue)
    names = " and ".join(item.id for item in stopped)
    return Reply.of(Text(f"Stopped {names}.", Tone.SUCCESS))
