"""Queues: one's own, all there are, and the order of what waits."""

from collections.abc import Mapping

from clearml_chatops.handlers.arguments import ExperimentReference, Flag, FreeText, QueueName, QueuePlace
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.handlers.wording import NOTHING, ago, count, shown_wait
from clearml_chatops.models.people import Role
from clearml_chatops.models.queues import Queue, WaitEstimate
from clearml_chatops.models.replies import Button, Buttons, Reply, Table, Text, Tone

QUEUES = CommandFamily("Queues")


@QUEUES.command("queue", role=Role.VIEWER, examples=("/queue", "/queue queue=gpu_queue"))
async def queue(context: Context, *, queue: QueueName = "") -> Reply:
    """Show your queue: what waits in which order, for about how long, and who works on it.

    Args:
        queue: Another queue.
    """
    shown = await context.services.queues.mine(queue)
    return _queue_reply(context, shown, await context.services.waits.of([shown]))


@QUEUES.command("queue list", role=Role.VIEWER, examples=("/queue list",))
async def queue_list(context: Context) -> Reply:
    """Show all queues: how much waits and who works on it."""
    queues = await context.services.queues.all()
    mine = await context.services.queues.binding()
    rows = tuple(
        (
            item.name + (" (mine)" if mine and item.id == mine.queue_id else ""),
            str(len(item.entries)),
            ", ".join(item.worker_ids) or NOTHING,
        )
        for item in queues
    )
    return Reply.of(
        Table(("queue", "waiting", "workers"), rows)
        if rows
        else "There are no queues yet; /queue create makes one."
    )


@QUEUES.command("queue create", examples=("/queue create", "/queue create gpu_queue"))
async def queue_create(context: Context, name: FreeText = "") -> Reply:
    """Create a queue; without a name your own, which /enqueue then takes.

    Args:
        name: The queue's name; nothing for your own.
    """
    created = await context.services.queues.create(name)
    mine = await context.services.queues.binding()
    is_mine = mine is not None and mine.queue_id == created.id
    own = " It is yours: /enqueue takes it." if is_mine else ""
    use = () if is_mine else (Button("Make it mine", f'/queue use "{created.name}"'),)
    return Reply.of(
        Text(f"The queue {created.name} is there.{own}", Tone.SUCCESS),
        Buttons((Button("Start a worker", f'/worker start queue="{created.name}"'), *use)),
    )


@QUEUES.command("queue use", examples=("/queue use gpu_queue",))
async def queue_use(context: Context, name: QueueName) -> Reply:
    """Take a queue as your own.

    Args:
        name: The queue's name.
    """
    taken = await context.services.queues.use(name)
    return Reply.of(Text(f"{taken.name} is your queue now; /enqueue takes it.", Tone.SUCCESS))


@QUEUES.command("queue move", examples=("/queue move 4f2a front", "/queue move baseline 2"))
async def queue_move(context: Context, experiment: ExperimentReference, place: QueuePlace) -> Reply:
    """Move what waits to another place in its queue.

    Args:
        experiment: Id, beginning of an id, name, web link or "last".
        place: front, back, or a number counted from 1.
    """
    moved, queue = await context.services.queues.move(experiment, place)
    return Reply.of(
        Text(f"“{moved.name}” is at place {queue.position_of(moved.id)} in {queue.name}.", Tone.SUCCESS),
        entries_table(context, queue),
        about=moved.id,
    )


@QUEUES.command("queue rename", examples=("/queue rename gpu_queue big_gpus",))
async def queue_rename(context: Context, name: QueueName, new_name: FreeText) -> Reply:
    """Give a queue another name.

    Args:
        name: The queue's name.
        new_name: Its new name.
    """
    renamed = await context.services.queues.rename(name, new_name)
    return Reply.of(Text(f"{name} is called {renamed.name} now.", Tone.SUCCESS))


@QUEUES.command("queue delete", role=Role.ADMIN, examples=("/queue delete old_queue",))
async def queue_delete(context: Context, name: QueueName, *, yes: Flag = False) -> Reply:
    """Delete a queue. Asks first when experiments wait in it.

    Args:
        name: The queue's name.
        yes: Do not ask; what waits goes back to the status it had before.
    """
    deleted = await context.services.queues.delete(name, force=yes)
    if deleted is None:
        return Reply.asking(
            f"Experiments wait in {name}. Delete it all the same? They go back to the status they had before.",
            Button("Delete it", f'/queue delete "{name}" --yes'),
        )
    return Reply.of(Text(f"The queue {deleted.name} is deleted.", Tone.SUCCESS))


def _queue_reply(context: Context, queue: Queue, waits: Mapping[str, WaitEstimate]) -> Reply:
    workers = ", ".join(queue.worker_ids)
    listening = f"Workers: {workers}" if workers else "No worker listens on it; /worker start makes one."
    return Reply.of(
        Text(f"{queue.name}: {count(len(queue.entries), 'experiment')} waiting", Tone.HEADING),
        entries_table(context, queue, waits if queue.worker_ids else {}),
        Text(listening, Tone.QUIET if workers else Tone.WARNING),
    )


def entries_table(context: Context, queue: Queue, waits: Mapping[str, WaitEstimate] | None = None) -> Table | None:
    """What waits in a queue, in order, and how much longer where that is asked; None where nothing does."""
    if not queue.entries:
        return None
    now = context.clock()
    rows = (
        (str(place), entry.experiment_id[:8], entry.experiment_name, ago(entry.added, now))
        for place, entry in enumerate(queue.entries, 1)
    )
    if not waits:
        return Table(("place", "id", "name", "since"), tuple(rows))
    lengths = (shown_wait(waits.get(entry.experiment_id, WaitEstimate())) for entry in queue.entries)
    return Table(
        ("place", "id", "name", "since", "begins in"),
        tuple((*row, length) for row, length in zip(rows, lengths, strict=True)),
    )
