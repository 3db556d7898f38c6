"""Whether something is wrong with what waits or runs: from how it stands to alarms. Pure.

ClearML's, the machines' and our clock differ. So what matters is not what time a sign of life bears but that
another one comes, and how long none does is measured by our clock alone.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from clearml_chatops.models.alarms import AlarmKind, AlarmSpans, Standstill
from clearml_chatops.models.experiments import Status
from clearml_chatops.models.queues import Worker
from clearml_chatops.models.runs import RunSigns

Known = Mapping[tuple[str, AlarmKind], Standstill]

SETTLING = timedelta(minutes=2)
"""How long signs of life get to come after a time in which nobody looked; an agent reports twice a minute."""


def after_blindness(known: Known, *, last_look: datetime | None, spans: AlarmSpans, now: datetime) -> Known:
    """What was known, without the time since the last look counted: what has moved then was not to be seen.

    Neither was it where ClearML was down, and no agent could report. Where the last look was another
    process's, so that nobody knows when, there is at least some time left to see it.
    """

    def begun(item: Standstill) -> datetime:
        if last_look is not None:
            return item.since + (now - last_look)
        span = spans.of(item.kind)
        return max(item.since, now - span + min(span, SETTLING))

    return {key: item if item.told else replace(item, since=begun(item)) for key, item in known.items()}


def standstills(
    known: Known, runs: Collection[RunSigns], workers: Sequence[Worker], *, spans: AlarmSpans, now: datetime
) -> list[Standstill]:
    """What stands still now, each since when it does; what has moved begins anew."""
    found = []
    for run in runs:
        for kind, sign in _signs(run, workers).items():
            before = known.get((run.experiment_id, kind))
            if spans.of(kind):
                still = before is not None and before.sign == sign
                found.append(before if before and still else Standstill(run.experiment_id, kind, sign, now))
    return found


def due(standing: Collection[Standstill], *, spans: AlarmSpans, now: datetime) -> list[Standstill]:
    """What has stood still for too long and was not told yet.

    A run whose worker is lost is silent too; that is one alarm.
    """
    long = [item for item in standing if now - item.since >= spans.of(item.kind) > timedelta(0)]
    lost = {item.experiment_id for item in long if item.kind is AlarmKind.WORKER_LOST}
    return [
        item
        for item in long
        if not item.told and not (item.kind is AlarmKind.SILENT and item.experiment_id in lost)
    ]


def _signs(run: RunSigns, workers: Sequence[Worker]) -> dict[AlarmKind, str]:
    """How an experiment stands in each respect in which it can stand still."""
    match run.status:
        case Status.PENDING:
            is_attended = any(run.queue_id in worker.queue_ids for worker in workers)
            waits = f"{run.queue_id} {run.status_changed.isoformat()}"
            return {} if is_attended or not run.queue_id else {AlarmKind.UNATTENDED: waits}
        case Status.RUNNING:
            life = f"{run.status_changed.isoformat()} {run.last_iteration} {run.last_log} {run.gpu_busy}"
            report = _last_report(run, workers)
            lost = {AlarmKind.WORKER_LOST: report.isoformat()} if report else {}
            return {AlarmKind.SILENT: life, **lost}
        case _:
            return {}


def _last_report(run: RunSigns, workers: Sequence[Worker]) -> datetime | None:
    """When an agent last reported of this run. A run without an agent has none, and neither is one missed.

    An agent that was killed and started again reports, but no more of the run that it had. What the server
    notes with the worker is the same moment, more exactly, and gone after ten minutes; so it counts only
    before the first report of a fresh run.
    """
    seen = [item.last_seen for item in workers if item.experiment_id == run.experiment_id and item.last_seen]
    return run.worker_reported or max(seen, default=None)
