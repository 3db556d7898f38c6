"""Queues: one's own, all there are, and the order of what waits."""

from collections.abc import Mapping

from clearml_chatops.handlers.arguments import ExperimentReference, Flag, FreeText, QueueName, QueuePosition
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.formatting import NO_VALUE, format_count, format_time_ago, format_wait
from clearml_chatops.handlers.registry import CommandFamily
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
    found = await context.services.queues.find_named_or_own(queue)
    return _build_queue_reply(context, found, await context.services.wait_estimator.estimate([found]))


@QUEUES.command("queue list", role=Role.VIEWER, examples=("/queue list",))
async def queue_list(context: Context) -> Reply:
    """Show all queues: how much waits and who works on it."""
    queues = await context.services.queues.list_all()
    binding = await context.services.queues.get_binding()
    rows = tuple(
        (
            item.name + (" (mine)" if binding and item.id == binding.queue_id else ""),
            str(len(item.entries)),
            ", ".join(item.worker_ids) or NO_VALUE,
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
    binding = await context.services.queues.get_binding()
    is_mine = binding is not None and binding.queue_id == created.id
    binding_note = " It is yours: /enqueue takes it." if is_mine else ""
    use_buttons = () if is_mine else (Button("Make it mine", f'/queue use "{created.name}"'),)
    return Reply.of(
        Text(f"The queue {created.name} is there.{binding_note}", Tone.SUCCESS),
        Buttons((Button("Start a worker", f'/worker start queue="{created.name}"'), *use_buttons)),
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
async def queue_move(context: Context, experiment: ExperimentReference, place: QueuePosition) -> Reply:
    """Move what waits to another place in its queue.

    Args:
        experiment: Id, beginning of an id, name, web link or "last".
        place: front, back, or a number counted from 1.
    """
    moved, queue = await context.services.queues.move(experiment, place)
    return Reply.of(
        Text(f"“{moved.name}” is at place {queue.find_position_number(moved.id)} in {queue.name}.", Tone.SUCCESS),
        build_entries_table(context, queue),
        experiment_id=moved.id,
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
        return Reply.with_choice(
            f"Experiments wait in {name}. Delete it all the same? They go back to the status they had before.",
            Button("Delete it", f'/queue delete "{name}" --yes'),
        )
    return Reply.of(Text(f"The queue {deleted.name} is deleted.", Tone.SUCCESS))


def _build_queue_reply(context: Context, queue: Queue, estimates: Mapping[str, WaitEstimate]) -> Reply:
    workers = ", ".join(queue.worker_ids)
    workers_text = f"Workers: {workers}" if workers else "No worker listens on it; /worker start makes one."
    return Reply.of(
        Text(f"{queue.name}: {format_count(len(queue.entries), 'experiment')} waiting", Tone.HEADING),
        build_entries_table(context, queue, estimates if queue.worker_ids else {}),
        Text(workers_text, Tone.SUBTLE if workers else Tone.WARNING),
    )


def build_entries_table(
    context: Context, queue: Queue, estimates: Mapping[str, WaitEstimate] | None = None
) -> Table | None:
    """What waits in a queue, in order, and how much longer where that is asked; None where nothing does."""
    if not queue.entries:
        return None
    now = context.clock()
    rows = (
        (str(place), entry.experiment_id[:8], entry.experiment_name, format_time_ago(entry.added, now))
        for place, entry in enumerate(queue.entries, 1)
    )
    if not estimates:
        return Table(("place", "id", "name", "since"), tuple(rows))
    wait_texts = (format_wait(estimates.get(entry.experiment_id, WaitEstimate())) for entry in queue.entries)
    return Table(
        ("place", "id", "name", "since", "begins in"),
        tuple((*row, length) for row, length in zip(rows, wait_texts, strict=True)),
    )
