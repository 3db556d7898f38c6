"""Being told what becomes of experiments."""

from clearml_chatops.handlers.arguments import ExperimentReference, OnOrOff, PlainWord, QueueName, Statuses
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.pages import PageNumber
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.handlers.watch_lists import (
    WatchList,
    build_unwatch_line,
    build_watches_reply,
    format_events,
    format_title,
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
async def watch(
    context: Context,
    experiment: ExperimentReference = "",
    *,
    queue: QueueName | None = None,
    project: PlainWord | None = None,
    statuses: Statuses | None = None,
    mine: OnOrOff | None = None,
) -> Reply:
    """Be told here when an experiment leaves Pending and how it ends, or all of a queue or project.

    What you clone, enqueue or rerun is watched without asking. What you enqueue elsewhere, as in ClearML's web
    UI, is told where you are alone with the bot.

    Args:
        experiment: Id, beginning of an id, name, web link or "last"; nothing for the current one.
        queue: Everybody's experiments in this queue; "mine" for your own queue.
        project: Everybody's experiments in this project and those below it; a part of its name is enough.
        statuses: Of a queue or project only these, with commas between them, as failed,completed; else
            running, completed, failed and aborted. There is pending too.
        mine: off to be told no more of what you enqueue elsewhere, on to be told again.
    """
    target = _parse_target(experiment, queue, project, statuses, mine)
    if mine is not None:
        return await _set_own_watched(context, on=mine)
    if target is not None:
        return _build_subscribed_reply(
            await context.services.subscriptions.subscribe(*target, statuses or DEFAULT_SUBSCRIPTION_EVENTS)
        )
    found = await context.services.watches.watch(experiment)
    finished_note = (
        f" It is {found.status.label}: you hear of it if it runs again." if found.status.is_finished else ""
    )
    return Reply.of(
        Text(f"“{found.name}” is watched here.{finished_note}", Tone.SUCCESS),
        Buttons((Button("Unwatch", f"/unwatch {found.id}"), Button("Watching", "/watching"))),
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
    project: PlainWord | None = None,
) -> Reply:
    """Be told no more of an experiment here, or of all of a queue or project.

    Args:
        experiment: Id, beginning of an id, name, web link or "last"; nothing for the current one.
        queue: The queue of which you want to hear no more; "mine" for your own.
        project: The project of which you want to hear no more.
    """
    target = _parse_target(experiment, queue, project)
    if target is not None:
        removed = await context.services.subscriptions.unsubscribe(*target)
        return Reply.of(Text(f"The {removed.kind} {removed.name} is no longer watched here.", Tone.SUCCESS))
    name = await context.services.watches.unwatch(experiment)
    return Reply.of(Text(f"“{name}” is no longer watched here.", Tone.SUCCESS))


@NOTIFICATIONS.command("watching", role=Role.VIEWER, examples=("/watching",))
async def watching(context: Context, *, page: PageNumber = 1) -> Reply:
    """Show what is watched here.

    Args:
        page: Which ten of them, counted from 1.
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
    """The queue or project that is meant; None for an experiment. Raises UsageError where there are several."""
    given = (experiment or None, queue, project, mine)
    if sum(value is not None for value in given) > 1:
        raise UsageError(reason="Name one thing at a time.", usage=_WATCH_USAGE)
    if statuses is not None and queue is None and project is None:
        raise UsageError(reason="statuses= goes with queue= or project=.", usage=_WATCH_USAGE)
    if queue is not None:
        return SubscriptionKind.QUEUE, queue
    return (SubscriptionKind.PROJECT, project) if project is not None else None


def _build_subscribed_reply(subscription: Subscription) -> Reply:
    subproject_note = " and those below it" if subscription.kind is SubscriptionKind.PROJECT else ""
    return Reply.of(
        Text(
            f"Everybody's experiments in the {format_title(subscription)}{subproject_note} are watched here: {format_events(subscription)}.",
            Tone.SUCCESS,
        ),
        Buttons((Button("Unwatch", build_unwatch_line(subscription)), Button("Watching", "/watching"))),
    )


async def _set_own_watched(context: Context, *, on: bool) -> Reply:
    await context.services.watches.set_watch_own(on=on)
    if not on:
        return Reply.of(
            Text("You are not told any more of what you enqueue elsewhere, as in ClearML's web UI.", Tone.SUCCESS),
            Text("What you enqueue by a command is watched as before.", Tone.SUBTLE),
        )
    if not context.person.clearml_user_id:
        return Reply.of(
            Text("I do not know which ClearML user you are; an admin sets it as clearml_user.", Tone.WARNING)
        )
    return Reply.of(
        Text("What you enqueue elsewhere, as in ClearML's web UI, is told where we two are alone.", Tone.SUCCESS)
    )
