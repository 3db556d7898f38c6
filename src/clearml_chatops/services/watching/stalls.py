"""Finds stalls of Pending and Running experiments, and the alarms that are due. Pure.

The clocks of ClearML, the machines and the bot differ. So the timestamp of an activity does not matter, only
whether it changes, and the bot's own clock measures for how long it does not.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from clearml_chatops.models.alarms import AlarmKind, AlarmThresholds, Stall
from clearml_chatops.models.experiments import Status
from clearml_chatops.models.queues import Worker
from clearml_chatops.models.runs import RunActivity

KnownStalls = Mapping[tuple[str, AlarmKind], Stall]

OUTAGE_GRACE = timedelta(minutes=2)
"""How long runs get to show activity after a time without polls; an agent reports twice a minute."""


def discount_outage(
    known: KnownStalls, *, last_poll: datetime | None, thresholds: AlarmThresholds, now: datetime
) -> KnownStalls:
    """Return the known stalls without the time since the last poll, as activity then was not visible.

    That also holds if ClearML was down and no agent could report. If the time of the last poll is unknown,
    as another process made it, at least `OUTAGE_GRACE` is left before an alarm is due.
    """

    def get_adjusted_start(item: Stall) -> datetime:
        if last_poll is not None:
            return item.since + (now - last_poll)
        threshold = thresholds.get(item.kind)
        return max(item.since, now - threshold + min(threshold, OUTAGE_GRACE))

    return {
        key: item if item.is_notified else replace(item, since=get_adjusted_start(item))
        for key, item in known.items()
    }


def find_stalls(
    known: KnownStalls,
    runs: Collection[RunActivity],
    workers: Sequence[Worker],
    *,
    thresholds: AlarmThresholds,
    now: datetime,
) -> list[Stall]:
    """Return the current stalls, each with its start; a run that showed activity starts again from now."""
    stalls = []
    for run in runs:
        for kind, fingerprint in _build_fingerprints(run, workers).items():
            previous = known.get((run.experiment_id, kind))
            if thresholds.get(kind):
                is_unchanged = previous is not None and previous.fingerprint == fingerprint
                stalls.append(
                    previous if previous and is_unchanged else Stall(run.experiment_id, kind, fingerprint, now)
                )
    return stalls


def find_due_alarms(stalls: Collection[Stall], *, thresholds: AlarmThresholds, now: datetime) -> list[Stall]:
    """Return the stalls beyond their threshold that nobody was notified of yet.

    A run that lost its worker is silent too; that is one alarm.
    """
    overdue = [item for item in stalls if now - item.since >= thresholds.get(item.kind) > timedelta(0)]
    lost = {item.experiment_id for item in overdue if item.kind is AlarmKind.WORKER_LOST}
    return [
        item
        for item in overdue
        if not item.is_notified and not (item.kind is AlarmKind.SILENT and item.experiment_id in lost)
    ]


def _build_fingerprints(run: RunActivity, workers: Sequence[Worker]) -> dict[AlarmKind, str]:
    """Return the fingerprint of each kind of activity; an unchanged one means a stall of that kind."""
    match run.status:
        case Status.PENDING:
            is_attended = any(run.queue_id in worker.queue_ids for worker in workers)
            queue_fingerprint = f"{run.queue_id} {run.status_changed.isoformat()}"
            return {} if is_attended or not run.queue_id else {AlarmKind.UNATTENDED: queue_fingerprint}
        case Status.RUNNING:
            activity_fingerprint = (
                f"{run.status_changed.isoformat()} {run.last_iteration} "
                f"{run.last_log_milliseconds} {run.last_gpu_use_milliseconds}"
            )
            report = _find_last_report(run, workers)
            lost = {AlarmKind.WORKER_LOST: report.isoformat()} if report else {}
            return {AlarmKind.SILENT: activity_fingerprint, **lost}
        case _:
            return {}


def _find_last_report(run: RunActivity, workers: Sequence[Worker]) -> datetime | None:
    """Return when an agent last reported on this run, None for a run without an agent.

    A restarted agent reports again, but not on the run that it had. The time stored with the worker is the
    same moment, more exact, but gone after ten minutes; so it counts only until the run has its own.
    """
    report_times = [
        item.last_seen for item in workers if item.experiment_id == run.experiment_id and item.last_seen
    ]
    return run.worker_last_report or max(report_times, default=None)
