"""The /alert commands: get notified once when a run reports a value or logs a line."""

from clearml_chatops.handlers.arguments import ExperimentReference, Flag, NumberInList, SingleWord, Words
from clearml_chatops.handlers.command_line import Word, join_words
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.formatting import format_count, format_time_ago, shortened
from clearml_chatops.handlers.pages import Page, PageNumber
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.models.alerts import LogCondition
from clearml_chatops.models.errors import MetricNotFoundError
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Button, Buttons, Reply, Table, Text, Tone
from clearml_chatops.services.watching.alerts import AlertResult

ALERTS = CommandFamily("Alerts")
_PAGE_SIZE = 10


@ALERTS.command("alert", role=Role.VIEWER, examples=("/alert",))
async def alert(context: Context, *, page: PageNumber = 1) -> Reply:
    """Show the alerts set here, with buttons to remove them.

    Args:
        page: Page number, ten alerts each.
    """
    alerts = await context.services.alerts.list_for_conversation()
    first = (page - 1) * _PAGE_SIZE
    page_items = alerts[first : first + _PAGE_SIZE]
    current_page = Page(page, _PAGE_SIZE, len(page_items), first + len(page_items) < len(alerts), len(alerts))
    if not page_items:
        empty_text = 'There are no alerts here. Set one with /alert metric val/acc>0.9 or /alert log "is nan".'
        return Reply.of(
            f"There's no page {page}." if alerts else empty_text, current_page.build_buttons([Word("/alert")])
        )
    now = context.clock()
    rows = (
        (
            str(item.number),
            item.experiment_name,
            shortened(str(item.condition)),
            format_time_ago(item.created, now),
        )
        for item in page_items
    )
    return Reply.of(
        Text(f"{format_count(len(alerts), 'alert')} here", Tone.HEADING),
        Table(("alert", "experiment", "condition", "set"), tuple(rows)),
        None if current_page.is_only_page else Text(current_page.range_text, Tone.SUBTLE),
        Buttons(tuple(Button(f"Remove alert {item.number}", f"/alert off {item.number}") for item in page_items)),
        current_page.build_buttons([Word("/alert")]),
    )


@ALERTS.command(
    "alert metric",
    role=Role.VIEWER,
    examples=("/alert metric val/acc>0.9", "/alert metric loss/train<=1e-3 4f2a"),
    usage="/alert metric <condition> [experiment] [--new]",
)
async def alert_metric(context: Context, condition: Words, *, new: Flag = False) -> Reply:
    """Get notified once when a metric crosses a threshold, even briefly.

    Args:
        condition: A metric, one of > >= < <=, and a number. Add the experiment if it isn't the current one.
        new: Set the alert even if the run hasn't reported this metric yet.
    """
    try:
        return _build_alert_reply(await context.services.alerts.add_metric_alert(condition, is_new=new))
    except MetricNotFoundError as error:
        words = [Word(str(error.values["condition"]), quoted=True), Word(str(error.values["experiment_id"]))]
        wait_button = Button("Set alert anyway", f"/alert metric {join_words(words)} --new")
        raise MetricNotFoundError(**error.values, buttons=[wait_button]) from error


@ALERTS.command(
    "alert log",
    role=Role.VIEWER,
    examples=('/alert log "CUDA out of memory"', '/alert log "epoch 1\\d:" 4f2a'),
)
async def alert_log(context: Context, pattern: SingleWord, experiment: ExperimentReference = "") -> Reply:
    """Get notified once when a run logs a line that matches a regular expression.

    Args:
        pattern: The regular expression, in quotes. Start it with (?i) to ignore case.
        experiment: Id, start of an id, name, web link or "last". Default: the current one.
    """
    return _build_alert_reply(await context.services.alerts.add_log_alert(pattern, experiment))


@ALERTS.command("alert off", role=Role.VIEWER, examples=("/alert off 3", "/alert off all"))
async def alert_off(context: Context, number: NumberInList) -> Reply:
    """Remove an alert, or all of them here.

    Args:
        number: Its number, as /alert shows it, or all.
    """
    removed = await context.services.alerts.remove(number)
    if not removed:
        return Reply.of("There are no alerts here.")
    names = "; ".join(f"{shortened(str(item.condition))} for “{item.experiment_name}”" for item in removed[:5])
    more = f" and {len(removed) - 5} more" if len(removed) > 5 else ""  # noqa: PLR2004  # as many as are listed
    return Reply.of(Text(f"Removed: {names}{more}.", Tone.SUCCESS), Buttons((Button("Show alerts", "/alert"),)))


def _build_alert_reply(result: AlertResult) -> Reply:
    """Return the new alert with a button to remove it, or why none was set."""
    name, about = result.experiment.name, result.experiment.id
    if result.alert is None:
        now = result.fulfilled_by
        already_true = f"That's already true: {now.name} of “{name}” is {now.value:.6g}. " if now else ""
        return Reply.of(Text(f"{already_true}No alert was set."), experiment_id=about)
    status, condition = result.experiment.status.label, shortened(str(result.condition))
    trigger = "a new line matches" if isinstance(result.condition, LogCondition) else "it's true"
    return Reply.of(
        Text(f"Set alert {result.alert.number} for “{name}” ({status}): {condition}.", Tone.SUCCESS),
        Text(f"You get notified here once, as soon as {trigger}.", Tone.SUBTLE),
        Text("The run hasn't reported this metric yet.", Tone.SUBTLE) if result.is_new_metric else None,
        Buttons((Button("Remove alert", f"/alert off {result.alert.number}"), Button("Show alerts", "/alert"))),
        experiment_id=about,
    )
