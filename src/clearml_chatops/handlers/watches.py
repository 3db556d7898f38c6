"""Being told what becomes of experiments."""

from clearml_chatops.handlers.arguments import ExperimentReference
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.lines import Word
from clearml_chatops.handlers.pages import Page, PageNumber
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.handlers.wording import ago, count
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Button, Buttons, Reply, Table, Text, Tone

NOTIFICATIONS = CommandFamily("Notifications")
_WATCHES_ON_A_PAGE = 10


@NOTIFICATIONS.command("watch", role=Role.VIEWER, examples=("/watch", "/watch 4f2a"))
async def watch(context: Context, experiment: ExperimentReference = "") -> Reply:
    """Be told here when an experiment leaves Pending and how it ends. It may be another person's.

    What you clone, enqueue or rerun is watched without asking.

    Args:
        experiment: Id, beginning of an id, name, web link or "last"; nothing for the current one.
    """
    found = await context.services.watches.watch(experiment)
    over = f" It is {found.status.word}: you hear of it if it runs again." if found.status.is_over else ""
    return Reply.of(
        Text(f"“{found.name}” is watched here.{over}", Tone.SUCCESS),
        Buttons((Button("Unwatch", f"/unwatch {found.id}"), Button("Watching", "/watching"))),
        about=found.id,
    )


@NOTIFICATIONS.command("unwatch", role=Role.VIEWER, examples=("/unwatch", "/unwatch 4f2a"))
async def unwatch(context: Context, experiment: ExperimentReference = "") -> Reply:
    """Be told no more of an experiment here.

    Args:
        experiment: Id, beginning of an id, name, web link or "last"; nothing for the current one.
    """
    name = await context.services.watches.unwatch(experiment)
    return Reply.of(Text(f"“{name}” is no longer watched here.", Tone.SUCCESS))


@NOTIFICATIONS.command("watching", role=Role.VIEWER, examples=("/watching",))
async def watching(context: Context, *, page: PageNumber = 1) -> Reply:
    """Show what is watched here.

    Args:
        page: Which ten of them, counted from 1.
    """
    watched = await context.services.watches.watching()
    first = (page - 1) * _WATCHES_ON_A_PAGE
    shown = watched[first : first + _WATCHES_ON_A_PAGE]
    part = Page(page, _WATCHES_ON_A_PAGE, len(shown), first + len(shown) < len(watched), len(watched))
    if not shown:
        nothing = f"There is no page {page}." if watched else "Nothing is watched here; /watch does it."
        return Reply.of(nothing, part.buttons([Word("/watching")]))
    now = context.clock()
    rows = ((item.experiment_id[:8], item.name, item.status.word, ago(item.status_changed, now)) for item in shown)
    return Reply.of(
        Text(f"{count(len(watched), 'experiment')} watched here", Tone.HEADING),
        Table(("id", "name", "status", "changed"), tuple(rows)),
        None if part.is_all else Text(part.range, Tone.QUIET),
        Buttons(tuple(Button(f"Unwatch {item.name}", f"/unwatch {item.experiment_id}") for item in shown)),
        part.buttons([Word("/watching")]),
    )
