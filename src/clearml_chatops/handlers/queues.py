"""Commands for queues: your own, all of them, and the order in which experiments wait."""

from collections.abc import Mapping

from clearml_chatops.handlers.arguments import ExperimentReference, Flag, FreeText, PositionInQueue, QueueName
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.formatting import NO_VALUE, format_count, format_time_ago, format_wait
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.models.people import Role
from clearml_chatops.models.queues import Queue, WaitEstimate
from clearml_chatops.models.replies import Button, Buttons, Reply, Table, Text, Tone

QUEUES = CommandFamily("Queues")


@QUEUES.command("queue", role=Role.VIEWER, examples=("/queue", "/queue queue=gpu_queue"))
async def queue(context: Context, *, queue: QueueName = "") -> Reply:
    """Show your queue: what's waiting, in which order, for about how long, and its workers.

    Args:
        queue: Queue name. Default: your own queue.
    """
    found = await context.services.queues.find_named_or_own(queue)
    return _build_queue_reply(context, found, await context.services.wait_estimator.estimate([found]))


@QUEUES.command("queue list", role=Role.VIEWER, examples=("/queue list",))
async def queue_list(context: Context) -> Reply:
    """Show all queues: how many experiments wait, and the workers."""
    queues = await context.services.queues.list_all()
    binding = await context.services.queues.get_binding()
    rows = tuple(
        (
            item.name + (" (yours)" if binding and item.id == binding.queue_id else ""),
            str(len(item.entries)),
            ", ".join(item.worker_ids) or NO_VALUE,
        )
        for item in queues
    )
    return Reply.of(
        Table(("queue", "waiting", "workers"), rows)
        if rows
        else "There are no queues yet. Create one with /queue create."
    )


@QUEUES.command("queue create", examples=("/queue create", "/queue create gpu_queue"))
async def queue_create(context: Context, name: FreeText = "") -> Reply:
    """Create a queue. Your first one, or one without a name, becomes your own, which /enqueue uses.

    Args:
        name: Queue name. Default: one made from your name, for your own queue.
    """
    created = await context.services.queues.create(name)
    binding = await context.services.queues.get_binding()
    is_mine = binding is not None and binding.queue_id == created.id
    binding_note = " It's yours: /enqueue uses it." if is_mine else ""
    use_buttons = () if is_mine else (Button("Use as my queue", f'/queue use "{created.name}"'),)
    return Reply.of(
        Text(f"Created queue {created.name}.{binding_note}", Tone.SUCCESS),
        Buttons((Button("Start worker", f'/worker start queue="{created.name}"'), *use_buttons)),
    )


@QUEUES.command("queue use", examples=("/queue use gpu_queue",))
async def queue_use(context: Context, name: QueueName) -> Reply:
    """Use a queue as your own.

    Args:
        name: Queue name.
    """
    taken = await context.services.queues.use(name)
    return Reply.of(Text(f"{taken.name} is now your queue: /enqueue uses it.", Tone.SUCCESS))


@QUEUES.command("queue move", examples=("/queue move 4f2a front", "/queue move baseline 2"))
async def queue_move(context: Context, experiment: ExperimentReference, position: PositionInQueue) -> Reply:
    """Move a Pending experiment to another position in its queue.

    Args:
        experiment: Id, start of an id, name, web link or "last".
        position: front, back, or a number counted from 1.
    """
    moved, queue = await context.services.queues.move(experiment, position)
    return Reply.of(
        Text(
            f"“{moved.name}” is now at position {queue.find_position_number(moved.id)} in {queue.name}.",
            Tone.SUCCESS,
        ),
        build_entries_table(context, queue),
        experiment_id=moved.id,
    )


@QUEUES.command("queue rename", examples=("/queue rename gpu_queue big_gpus",))
async def queue_rename(context: Context, name: QueueName, new_name: FreeText) -> Reply:
    """Rename a queue.

    Args:
        name: Queue name.
        new_name: New name.
    """
    renamed = await context.services.queues.rename(name, new_name)
    return Reply.of(Text(f"Renamed {name} to {renamed.name}.", Tone.SUCCESS))


@QUEUES.command("queue delete", role=Role.ADMIN, examples=("/queue delete old_queue",))
async def queue_delete(context: Context, name: QueueName, *, yes: Flag = False) -> Reply:
    """Delete a queue. Asks first if experiments are waiting in it.

    Args:
        name: Queue name.
        yes: Don't ask first; waiting experiments go back to their previous status.
    """
    deleted = await context.services.queues.delete(name, force=yes)
    if deleted is None:
        return Reply.with_choice(
            f"Delete {name}? Experiments are waiting in it, and they go back to their previous status.",
            Button("Delete", f'/queue delete "{name}" --yes'),
        )
    return Reply.of(Text(f"Deleted queue {deleted.name}.", Tone.SUCCESS))


def _build_queue_reply(context: Context, queue: Queue, estimates: Mapping[str, WaitEstimate]) -> Reply:
    workers = ", ".join(queue.worker_ids)
    workers_text = f"Workers: {workers}" if workers else "No worker listens on it. Start one with /worker start."
    return Reply.of(
        Text(f"{queue.name}: {format_count(len(queue.entries), 'experiment')} waiting", Tone.HEADING),
        build_entries_table(context, queue, estimates if queue.worker_ids else {}),
        Text(workers_text, Tone.SUBTLE if workers else Tone.WARNING),
    )


def build_entries_table(
    context: Context, queue: Queue, estimates: Mapping[str, WaitEstimate] | None = None
) -> Table | None:
    """Return what waits in a queue, in order, with `estimates` of how much longer; None if nothing does."""
    if not queue.entries:
        return None
    now = context.clock()
    rows = (
        (str(position), entry.experiment_id[:8], entry.experiment_name, format_time_ago(entry.added, now))
        for position, entry in enumerate(queue.entries, 1)
    )
    if not estimates:
        return Table(("position", "id", "name", "added"), tuple(rows))
    wait_texts = (
        format_wait(estimates.get(entry.experiment_id, WaitEstimate())).removeprefix("starts ")
        for entry in queue.entries
    )
    return Table(
        ("position", "id", "name", "added", "starts"),
        tuple((*row, wait) for row, wait in zip(rows, wait_texts, strict=True)),
    )
