"""How the report of a day reads."""

from collections import Counter
from datetime import timedelta

from clearml_chatops.handlers.digest_messages import (
    MOST_LINES,
    line_of_a_list,
    lines_below,
    log_buttons,
    one_line,
    quoted,
)
from clearml_chatops.handlers.wording import span
from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.notifications import Notice
from clearml_chatops.models.replies import Button, Text, Tone
from clearml_chatops.models.reports import Report, UseOfMachines
from clearml_chatops.services.notifications.daily_digests import DueDigest
from clearml_chatops.services.notifications.local_time import shown_time

SUBJECT = "digest"
_ENDS = (
    (Status.FAILED, Tone.FAILURE),
    (Status.COMPLETED, Tone.SUCCESS),
    (Status.ABORTED, Tone.WARNING),
)
_COMPLETED = {Status.COMPLETED, Status.PUBLISHED, Status.CLOSED}
_MOST_PEOPLE = 10
_LONGEST_NAME = 60
_LONGEST_REASON = 80


def daily_notice(due: DueDigest) -> Notice | None:
    """What is told of a day; None where there is nothing to tell."""
    if due.report.is_empty:
        return None
    return Notice(
        SUBJECT,
        headline(due.report, due.digest.zone),
        due.moment,
        more=tuple(block.text for block in report_texts(due.report)),
        offers=report_buttons(due.report),
        person_id=due.digest.person_id,
    )


def headline(report: Report, zone: str) -> str:
    """How many of what, since when."""
    counts = Counter(_end(item).word for item in report.ended)
    ends = [f"{counts[status.word]} {status.word}" for status, _ in _ENDS if counts[status.word]]
    counted = ((len(report.running), "Running"), (len(report.waiting), "Pending"))
    now = [f"{number} {word}" for number, word in counted if number]
    said = [", ".join(ends)] if ends else []
    said += [f"now {', '.join(now)}"] if now else []
    since = shown_time(report.since, zone, now=report.now) + ("" if zone else " UTC")
    return f"Since {since}: {'; '.join(said) or 'nothing has run here'}."


def report_texts(report: Report) -> list[Text]:
    """What ended, the failed first, what runs and what waits, and who used how much."""
    groups = [
        (status.word, [_ended_line(item) for item in report.ended if _end(item) is status], tone)
        for status, tone in _ENDS
    ]
    groups += [
        ("Running", [_running_line(item, report) for item in report.running], Tone.PLAIN),
        ("Pending", [_waiting_line(item, report) for item in report.waiting], Tone.PLAIN),
    ]
    texts: list[Text] = []
    room = MOST_LINES
    for title, lines, tone in groups:
        texts += lines_below(title, lines[:room], tone)
        room -= min(len(lines), room)
    more = sum(len(lines) for _, lines, _ in groups) - MOST_LINES
    if more > 0:
        texts.append(Text(f"and {more} more", Tone.QUIET))
    return texts + lines_below("Time run", [_use_line(use) for use in report.use[:_MOST_PEOPLE]])


def report_buttons(report: Report) -> tuple[Button, ...]:
    failed = ((item.id, item.name) for item in report.ended if item.status is Status.FAILED)
    return (*log_buttons(failed), Button("All that is watched", "/watching"))


def _end(experiment: Experiment) -> Status:
    return Status.COMPLETED if experiment.status in _COMPLETED else experiment.status


def _ended_line(experiment: Experiment) -> str:
    ran = experiment.running_time(experiment.status_changed)
    after = f" after {span(ran)}" if ran is not None else ""
    is_bad = experiment.status in {Status.FAILED, Status.ABORTED}
    why = f": {one_line(experiment.status_reason, _LONGEST_REASON)}" if is_bad and experiment.status_reason else ""
    return line_of_a_list(f"{quoted(experiment.name)}{after}{why}")


def _running_line(experiment: Experiment, report: Report) -> str:
    ran = experiment.running_time(report.now)
    parts = (
        f"for {span(ran)}" if ran is not None else "",
        f"iteration {experiment.last_iteration}" if experiment.last_iteration else "",
        f"on {experiment.worker_id}" if experiment.worker_id else "",
    )
    return line_of_a_list(f"{quoted(experiment.name)} {', '.join(part for part in parts if part)}")


def _waiting_line(experiment: Experiment, report: Report) -> str:
    return line_of_a_list(f"{quoted(experiment.name)} for {span(report.now - experiment.status_changed)}")


def _use_line(use: UseOfMachines) -> str:
    hours = use.on_cards / timedelta(hours=1)
    on_cards = f", {hours:.1f} GPU-hours" if use.on_cards else ""
    return f"{one_line(use.person_name, _LONGEST_NAME)}: {span(use.ran)}{on_cards}"
