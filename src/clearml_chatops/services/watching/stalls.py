"""Whether something is wrong with what waits or runs: from how it stands to alarms. Pure.

ClearML's, the machines' and our clock differ. So what matters is not what time a sign of life bears but that
another one comes, and how long none does is measured by our clock alone.
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
"""How long signs of life get to come after a time in which nobody looked; an agent reports twice a minute."""


def discount_outage(
    known: KnownStalls, *, last_poll: datetime | None, thresholds: AlarmThresholds, now: datetime
) -> KnownStalls:
    """What was known, without the time since the last look counted: what has moved then was not to be seen.

    Neither was it where ClearML was down, and no agent could report. Where the last look was another
    process's, so that nobody knows when, there is at least some time left to see it.
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
    """What stands still now, each since when it does; what has moved begins anew."""
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
    """What has stood still for too long and was not told yet.

    A run whose worker is lost is silent too; that is one alarm.
    """
    overdue = [item for item in stalls if now - item.since >= thresholds.get(item.kind) > timedelta(0)]
    lost = {item.experiment_id for item in overdue if item.kind is AlarmKind.WORKER_LOST}
    return [
        item
        for item in overdue
        if not item.is_notified and not (item.kind is AlarmKind.SILENT and item.experiment_id in lost)
    ]


def _build_fingerprints(run: RunActivity, workers: Sequence[Worker]) -> dict[AlarmKind, str]:
    """How an experiment stands in each respect in which it can stand still."""
    match run.status:
        case Status.PENDING:
            is_attended = any(run.queue_id in worker.queue_ids for worker in workers)
            queue_fingerprint = f"{run.queue_id} {run.status_changed.isoformat()}"
            return {} if is_attended or not run.queue_id else {AlarmKind.UNATTENDED: queue_fingerprint}
        case Status.RUNNING:
            activity_fingerprint = f"{run.status_changed.isoformat()} {run.last_iteration} {run.last_log_milliseconds} {run.last_gpu_use_milliseconds}"
            report = _find_last_report(run, workers)
            lost = {AlarmKind.WORKER_LOST: report.isoformat()} if report else {}
            return {AlarmKind.SILENT: activity_fingerprint, **lost}
        case _:
            return {}


def _find_last_report(run: RunActivity, workers: Sequence[Worker]) -> datetime | None:
    """When an agent last reported of this run. A run without an agent has none, and neither is one missed.

    An agent that was killed and started again reports, but no more of the run that it had. What the server
    notes with the worker is the same moment, more exactly, and gone after ten minutes; so it counts only
    before the first report of a fresh run.
    """
    report_times = [
        item.last_seen for item in workers if item.experiment_id == run.experiment_id and item.last_seen
    ]
    return run.worker_last_report or max(report_times, default=None)
