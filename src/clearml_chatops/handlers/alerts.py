"""Being told once of what a run reports or logs."""

from clearml_chatops.handlers.arguments import ExperimentReference, Flag, NumberInList, PlainWord, Words
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.lines import Word, join_words
from clearml_chatops.handlers.pages import Page, PageNumber
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.handlers.wording import ago, count, shortened
from clearml_chatops.models.alerts import LogCondition
from clearml_chatops.models.errors import MetricNotFoundError
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Button, Buttons, Reply, Table, Text, Tone
from clearml_chatops.services.watching.alerts import AlertAnswer

ALERTS = CommandFamily("Alerts")
_ALERTS_ON_A_PAGE = 10


@ALERTS.command("alert", role=Role.VIEWER, examples=("/alert",))
async def alert(context: Context, *, page: PageNumber = 1) -> Reply:
    """Show what you are told of here as soon as it happens, and take it back.

    Args:
        page: Which ten of them, counted from 1.
    """
    alerts = await context.services.alerts.here()
    first = (page - 1) * _ALERTS_ON_A_PAGE
    shown = alerts[first : first + _ALERTS_ON_A_PAGE]
    part = Page(page, _ALERTS_ON_A_PAGE, len(shown), first + len(shown) < len(alerts), len(alerts))
    if not shown:
        nothing = 'There are no alerts here; /alert metric val/acc>0.9 or /alert log "loss is nan" sets one.'
        return Reply.of(f"There is no page {page}." if alerts else nothing, part.buttons([Word("/alert")]))
    now = context.clock()
    rows = (
        (str(item.number), item.experiment_name, shortened(str(item.condition)), ago(item.since, now))
        for item in shown
    )
    return Reply.of(
        Text(f"{count(len(alerts), 'alert')} here", Tone.HEADING),
        Table(("number", "experiment", "alert", "set"), tuple(rows)),
        None if part.is_all else Text(part.range, Tone.QUIET),
        Buttons(tuple(Button(f"Remove {item.number}", f"/alert off {item.number}") for item in shown)),
        part.buttons([Word("/alert")]),
    )


@ALERTS.command(
    "alert metric",
    role=Role.VIEWER,
    examples=("/alert metric val/acc>0.9", "/alert metric loss/train<=1e-3 4f2a"),
    usage="/alert metric <condition> [experiment] [--new]",
)
async def alert_metric(context: Context, condition: Words, *, new: Flag = False) -> Reply:
    """Be told here, once, when a value that a run reports goes beyond a number, also for a moment.

    Args:
        condition: A scalar, one of > >= < <=, a number; then the experiment, nothing for the current one.
        new: Take a name of which the run has reported nothing so far.
    """
    try:
        return _answer(await context.services.alerts.on_metric(condition, new=new))
    except MetricNotFoundError as error:
        words = [Word(str(error.values["condition"]), quoted=True), Word(str(error.values["experiment_id"]))]
        wait = Button("Wait for it all the same", f"/alert metric {join_words(words)} --new")
        raise MetricNotFoundError(**error.values, offers=[wait]) from error


@ALERTS.command(
    "alert log",
    role=Role.VIEWER,
    examples=('/alert log "CUDA out of memory"', '/alert log "epoch 1\\d:" 4f2a'),
)
async def alert_log(context: Context, pattern: PlainWord, experiment: ExperimentReference = "") -> Reply:
    r"""Be told here, once, when a run logs a line that holds a regular expression.

    Args:
        pattern: The regular expression, in quotes; (?i) before it makes big and small letters alike.
        experiment: Id, beginning of an id, name, web link or "last"; nothing for the current one.
    """
    return _answer(await context.services.alerts.on_log(pattern, experiment))


@ALERTS.command("alert off", role=Role.VIEWER, examples=("/alert off 3", "/alert off all"))
async def alert_off(context: Context, number: NumberInList) -> Reply:
    """Take an alert back, or all of them here.

    Args:
        number: Its number, as /alert shows it, or all.
    """
    removed = await context.services.alerts.remove(number)
    if not removed:
        return Reply.of("There are no alerts here.")
    names = "; ".join(f"{shortened(str(item.condition))} of “{item.experiment_name}”" for item in removed[:5])
    more = f" and {len(removed) - 5} more" if len(removed) > 5 else ""  # noqa: PLR2004  # as many as are named
    return Reply.of(Text(f"Removed: {names}{more}.", Tone.SUCCESS), Buttons((Button("Alerts", "/alert"),)))


def _answer(answer: AlertAnswer) -> Reply:
    """What is waited for, and how to take it back."""
    name, about = answer.experiment.name, answer.experiment.id
    if answer.alert is None:
        now = answer.already
        told = f"It is so already: {now.name} of “{name}” is {now.value:.6g}." if now else ""
        return Reply.of(Text(f"{told} No alert is set."), about=about)
    status, condition = answer.experiment.status.word, shortened(str(answer.condition))
    what = "a new line fits" if isinstance(answer.condition, LogCondition) else "a value is so"
    return Reply.of(
        Text(f"Alert {answer.alert.number} for “{name}” ({status}): {condition}.", Tone.SUCCESS),
        Text(f"You are told here once, as soon as {what}.", Tone.QUIET),
        Text("It has reported nothing of this name so far.", Tone.QUIET) if answer.is_new_name else None,
        Buttons((Button("Remove", f"/alert off {answer.alert.number}"), Button("Alerts", "/alert"))),
        about=about,
    )
