"""The /watch, /unwatch and /watching commands: notifications about experiments, queues and projects."""

from clearml_chatops.handlers.arguments import ExperimentReference, OnOrOff, QueueName, SingleWord, Statuses
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.experiment_lists import ConfirmationToken, ExperimentReferences, SearchText
from clearml_chatops.handlers.pages import PageNumber
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.handlers.several_experiments import choose_experiments
from clearml_chatops.handlers.several_runs import watch_several
from clearml_chatops.handlers.watch_lists import (
    WatchList,
    build_unwatch_line,
    build_watches_reply,
    format_events,
)
from clearml_chatops.models.errors import UsageError
from clearml_chatops.models.notifications import (
    DEFAULT_SUBSCRIPTION_EVENTS,
    EventKind,
    Subscription,
    SubscriptionKind,
)
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Button, Buttons, Reply, Text, Tone

NOTIFICATIONS = CommandFamily("Notifications")
_LIST_BUTTON = Button("Show watch list", "/watching")
_WATCH_USAGE = "/watch [experiment], /watch queue=… [statuses=…], /watch project=… [statuses=…] or /watch mine=off"


@NOTIFICATIONS.command(
    "watch",
    role=Role.VIEWER,
    examples=(
        "/watch",
        "/watch 4f2a",
        "/watch queue=gpu_queue",
        "/watch project=vision statuses=failed,completed",
        "/watch mine=off",
    ),
)
async def watch(  # each is an option of the command
    context: Context,
    experiment: ExperimentReferences = (),
    *,
    queue: QueueName | None = None,
    project: SingleWord | None = None,
    statuses: Statuses | None = None,
    mine: OnOrOff | None = None,
    find: SearchText | None = None,
    confirm: ConfirmationToken | None = None,
) -> Reply:
    """Get notified here when an experiment starts and how it ends; works for whole queues and projects too.

    What you clone, enqueue or rerun with a command is watched automatically. For what you enqueue elsewhere,
    for example in ClearML's web UI, you get notified in your private chat with the bot.

    Args:
        experiment: Id, start of an id, name, web link or "last". Default: the current one. Several: ids or quoted
            names, names separated by commas, or "last 3".
        queue: Everyone's experiments in this queue; "mine" for your own queue.
        project: Everyone's experiments in this project and its subprojects. A part of its name is enough.
        statuses: Only these statuses of a queue or project, like failed,completed. Possible are pending,
            running, completed, failed and aborted; the default is all but pending.
        mine: off to stop notifications for what you enqueue elsewhere, on to turn them back on.
        find: Everything that /find finds with these words, like --find "status=failed mine".
    """
    target = _parse_target(", ".join(experiment) or find or "", queue, project, statuses, mine)
    if mine is not None:
        return await _set_own_watched(context, on=mine)
    if target is not None:
        return _build_subscribed_reply(
            await context.services.subscriptions.subscribe(*target, statuses or DEFAULT_SUBSCRIPTION_EVENTS)
        )
    chosen = await choose_experiments(context, experiment, search=find, token=confirm)
    if chosen.is_several:
        return await watch_several(context, chosen)
    found = await context.services.watches.watch(chosen.reference)
    finished_note = (
        f" It's {found.status.label}. You get notified if it runs again." if found.status.is_finished else ""
    )
    return Reply.of(
        Text(f"Notifications for “{found.name}” are on here.{finished_note}", Tone.SUCCESS),
        Buttons((Button("Unwatch", f"/unwatch {found.id}"), _LIST_BUTTON)),
        experiment_id=found.id,
    )


@NOTIFICATIONS.command(
    "unwatch", role=Role.VIEWER, examples=("/unwatch", "/unwatch 4f2a", "/unwatch project=vision")
)
async def unwatch(
    context: Context,
    experiment: ExperimentReference = "",
    *,
    queue: QueueName | None = None,
    project: SingleWord | None = None,
) -> Reply:
    """Stop notifications about an experiment, queue or project here.

    Args:
        experiment: Id, start of an id, name, web link or "last". Default: the current one.
        queue: The queue; "mine" for your own queue.
        project: The project. A part of its name is enough.
    """
    target = _parse_target(experiment, queue, project)
    if target is not None:
        removed = await context.services.subscriptions.unsubscribe(*target)
        return Reply.of(Text(f"Notifications for the {removed.kind} “{removed.name}” are off here.", Tone.SUCCESS))
    name = await context.services.watches.unwatch(experiment)
    return Reply.of(Text(f"Notifications for “{name}” are off here.", Tone.SUCCESS))


@NOTIFICATIONS.command("watching", role=Role.VIEWER, examples=("/watching",))
async def watching(context: Context, *, page: PageNumber = 1) -> Reply:
    """Show what you get notified about here.

    Args:
        page: Page number, ten entries each.
    """
    services = context.services
    watch_list = WatchList(
        await services.subscriptions.list_for_conversation(), await services.watches.list_watched()
    )
    return build_watches_reply(context, watch_list, page, watches_own=await services.watches.is_watching_own())


def _parse_target(
    experiment: str,
    queue: str | None,
    project: str | None,
    statuses: frozenset[EventKind] | None = None,
    mine: bool | None = None,  # noqa: FBT001  # the value of an option
) -> tuple[SubscriptionKind, str] | None:
    """Return the queue or project to watch, or None for an experiment.

    Raises:
        UsageError: several things are named, or statuses without a queue or project.
    """
    given = (experiment or None, queue, project, mine)
    if sum(value is not None for value in given) > 1:
        raise UsageError(reason="Name one thing at a time.", usage=_WATCH_USAGE)
    if statuses is not None and queue is None and project is None:
        raise UsageError(reason="statuses= only works with queue= or project=.", usage=_WATCH_USAGE)
    if queue is not None:
        return SubscriptionKind.QUEUE, queue
    return (SubscriptionKind.PROJECT, project) if project is not None else None


def _build_subscribed_reply(subscription: Subscription) -> Reply:
    subproject_note = " and its subprojects" if subscription.kind is SubscriptionKind.PROJECT else ""
    return Reply.of(
        Text(
            f"Notifications for the {subscription.kind} “{subscription.name}”{subproject_note} are on here: "
            f"{format_events(subscription)}.",
            Tone.SUCCESS,
        ),
        Text("They cover everyone's experiments.", Tone.SUBTLE),
        Buttons((Button("Unwatch", build_unwatch_line(subscription)), _LIST_BUTTON)),
    )


async def _set_own_watched(context: Context, *, on: bool) -> Reply:
    await context.services.watches.set_watch_own(on=on)
    if not on:
        return Reply.of(
            Text("Notifications for what you enqueue elsewhere, like in ClearML's web UI, are off.", Tone.SUCCESS),
            Text("What you enqueue with a command is still watched.", Tone.SUBTLE),
        )
    if not context.person.clearml_user_id:
        return Reply.of(
            Text("The bot doesn't know your ClearML user. Ask an admin to set it as clearml_user.", Tone.WARNING)
        )
    return Reply.of(
        Text(
            "Notifications for what you enqueue elsewhere, like in ClearML's web UI, are on. They arrive in your "
            "private chat with the bot.",
            Tone.SUCCESS,
        )
    )
