"""The text and buttons of a daily digest."""

from collections import Counter
from datetime import timedelta

from clearml_chatops.handlers.formatting import format_duration
from clearml_chatops.handlers.message_lines import (
    MAX_LINES,
    MAX_NAME_LENGTH,
    build_list_texts,
    build_log_buttons,
    quote_name,
    to_list_line,
    to_single_line,
)
from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.notifications import Notice
from clearml_chatops.models.replies import Button, Text, Tone
from clearml_chatops.models.reports import MachineUsage, Report
from clearml_chatops.services.notifications.daily_digests import DueDigest
from clearml_chatops.services.notifications.local_time import format_local_time

SUBJECT = "digest"
_FINAL_STATUSES = (
    (Status.FAILED, Tone.FAILURE),
    (Status.COMPLETED, Tone.SUCCESS),
    (Status.ABORTED, Tone.WARNING),
)
_COMPLETED_STATUSES = {Status.COMPLETED, Status.PUBLISHED, Status.CLOSED}
_MAX_PEOPLE = 10
_MAX_REASON_LENGTH = 80


def build_daily_notice(due: DueDigest) -> Notice | None:
    """Return the notification of a daily digest, or None if nothing happened."""
    if due.report.is_empty:
        return None
    return Notice(
        SUBJECT,
        format_headline(due.report, due.digest.zone),
        due.due_at,
        extra_texts=tuple(block.text for block in build_report_texts(due.report)),
        buttons=build_report_buttons(due.report),
        person_id=due.digest.person_id,
    )


def format_headline(report: Report, zone: str) -> str:
    """Return the counts by status, like: Since Mon 09:00: 1 Failed, 2 Completed; now 1 Running."""
    counts = Counter(_get_final_status(item).label for item in report.finished)
    finished = [f"{counts[status.label]} {status.label}" for status, _ in _FINAL_STATUSES if counts[status.label]]
    active_counts = ((len(report.running), "Running"), (len(report.waiting), "Pending"))
    active = [f"{number} {word}" for number, word in active_counts if number]
    parts = [", ".join(finished)] if finished else []
    parts += [f"now {', '.join(active)}"] if active else []
    since = format_local_time(report.since, zone, now=report.now) + ("" if zone else " UTC")
    return f"Since {since}: {'; '.join(parts) or 'no runs'}."


def build_report_texts(report: Report) -> list[Text]:
    """Return the finished experiments, failed ones first, then the active ones and each person's run time."""
    groups = [
        (
            status.label,
            [_format_finished(item) for item in report.finished if _get_final_status(item) is status],
            tone,
        )
        for status, tone in _FINAL_STATUSES
    ]
    groups += [
        ("Running", [_format_running(item, report) for item in report.running], Tone.PLAIN),
        ("Pending", [_format_pending(item, report) for item in report.waiting], Tone.PLAIN),
    ]
    texts: list[Text] = []
    remaining = MAX_LINES
    for title, lines, tone in groups:
        texts += build_list_texts(title, lines[:remaining], tone)
        remaining -= min(len(lines), remaining)
    more = sum(len(lines) for _, lines, _ in groups) - MAX_LINES
    if more > 0:
        texts.append(Text(f"and {more} more", Tone.SUBTLE))
    return texts + build_list_texts("Run time", [_format_usage(use) for use in report.usages[:_MAX_PEOPLE]])


def build_report_buttons(report: Report) -> tuple[Button, ...]:
    failed = ((item.id, item.name) for item in report.finished if item.status is Status.FAILED)
    return (*build_log_buttons(failed), Button("Show watch list", "/watching"))


def _get_final_status(experiment: Experiment) -> Status:
    return Status.COMPLETED if experiment.status in _COMPLETED_STATUSES else experiment.status


def _format_finished(experiment: Experiment) -> str:
    running_time = experiment.compute_running_time(experiment.status_changed)
    after = f" after {format_duration(running_time)}" if running_time is not None else ""
    is_unsuccessful = experiment.status in {Status.FAILED, Status.ABORTED}
    reason = (
        f": {to_single_line(experiment.status_reason, _MAX_REASON_LENGTH)}"
        if is_unsuccessful and experiment.status_reason
        else ""
    )
    return to_list_line(f"{quote_name(experiment.name)}{after}{reason}")


def _format_running(experiment: Experiment, report: Report) -> str:
    running_time = experiment.compute_running_time(report.now)
    parts = (
        f"for {format_duration(running_time)}" if running_time is not None else "",
        f"iteration {experiment.last_iteration}" if experiment.last_iteration else "",
        f"on {experiment.worker_id}" if experiment.worker_id else "",
    )
    return to_list_line(f"{quote_name(experiment.name)} {', '.join(part for part in parts if part)}")


def _format_pending(experiment: Experiment, report: Report) -> str:
    return to_list_line(
        f"{quote_name(experiment.name)} for {format_duration(report.now - experiment.status_changed)}"
    )


def _format_usage(usage: MachineUsage) -> str:
    hours = usage.gpu_time / timedelta(hours=1)
    gpu_hours = f", {hours:.1f} GPU-hours" if usage.gpu_time else ""
    return (
        f"{to_single_line(usage.person_name, MAX_NAME_LENGTH)}: {format_duration(usage.running_time)}{gpu_hours}"
    )
