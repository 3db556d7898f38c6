"""From what was remembered of an experiment and what it is now to what has happened. Pure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from clearml_chatops.models.experiments import Status
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, ExperimentState

_ENDINGS = {
    Status.COMPLETED: EventKind.COMPLETED,
    Status.PUBLISHING: EventKind.COMPLETED,
    Status.PUBLISHED: EventKind.COMPLETED,
    Status.FAILED: EventKind.FAILED,
    Status.ABORTED: EventKind.ABORTED,
}
_BEFORE_A_RUN = {Status.DRAFT, Status.PENDING, Status.FAILED, Status.ABORTED}


_NEVER = datetime.min.replace(tzinfo=UTC)
"""When the status of a Draft last changed that nobody has touched."""

_RESET = "reset"
"""The status reason that ClearML notes of a reset."""


def events_between(before: ExperimentState | None, now: ExperimentState) -> tuple[ExperimentEvent, ...]:
    """What happened since `before`, in order; nothing where the experiment was never seen.

    A run that began and ended between two looks gives both its events: ClearML keeps its start time.
    """
    if before is None or (before.status, before.status_changed) == (now.status, now.status_changed):
        return ()
    events = []
    act = _act(before, now)
    if act:
        events.append(_event(act, now, at=now.status_changed, by=now.changed_by))
    start = _start(before, now)
    if start is not None:
        events.append(_event(EventKind.LEFT_PENDING, now, at=start, waited=_waited(before, now, start)))
    ending = _ENDINGS.get(now.status)
    if ending and (start is not None or not _is_known_end(before, now)):
        ran = (now.completed or now.status_changed) - now.started if now.started is not None else None
        by = (before.stopping_by or now.changed_by) if ending is EventKind.ABORTED else ""
        events.append(_event(ending, now, at=now.status_changed, ran=ran, by=by))
    return tuple(events)


def first_events(now: ExperimentState, *, since: datetime) -> tuple[ExperimentEvent, ...]:
    """What happened after `since` to an experiment that is seen for the first time, in order.

    What was started by hand has never waited in a queue, and so has not left it.
    """
    unseen = ExperimentState(now.experiment_id, now.name, Status.DRAFT, _NEVER)
    return tuple(
        event
        for event in events_between(unseen, now)
        if _moment(event, now) > since and (event.kind is not EventKind.LEFT_PENDING or now.queue_id)
    )


def remembered(before: ExperimentState | None, now: ExperimentState) -> ExperimentState:
    """What to remember of `now`.

    Since when it waits is known only from the first time it was seen waiting, and who asked for its end only
    until its agent sets the status again.
    """
    if before is None or before.status is not now.status:
        return now
    if now.status is Status.PENDING:
        return replace(now, pending_since=before.pending_since or now.pending_since)
    if now.status is Status.RUNNING:
        return replace(now, stopping_by=now.stopping_by or before.stopping_by)
    return now


def _moment(event: ExperimentEvent, now: ExperimentState) -> datetime:
    """When it happened. That an old end is published, or comes back from a queue, changes the status later."""
    is_end = event.kind in _ENDINGS.values()
    return now.completed if is_end and now.completed is not None else event.at


def _act(before: ExperimentState, now: ExperimentState) -> EventKind | None:
    """What somebody did that is neither the beginning nor the end of a run; None where nobody is known."""
    if not now.changed_by or before.status is now.status:
        return None
    if now.status is Status.PENDING:
        return EventKind.ENQUEUED
    if now.status is Status.DRAFT and (now.reason == _RESET or before.status is not Status.PENDING):
        return EventKind.BACK_TO_DRAFT
    is_back = now.status is Status.DRAFT or (now.status is Status.FAILED and _is_known_end(before, now))
    return EventKind.DEQUEUED if before.status is Status.PENDING and is_back else None


def _start(before: ExperimentState, now: ExperimentState) -> datetime | None:
    """When a run began after `before`; None where none did.

    Running is set several times in one run, and a run that is retried without a reset keeps the time of its
    first start: there only the statuses tell, and the end's time, which a run that was merely taken out
    of its queue keeps too.
    """
    if now.status in {Status.DRAFT, Status.PENDING}:
        return None
    # A fresh run can be seen a moment before the server has written its start.
    known_run = before.status is Status.RUNNING and before.started is None
    if now.started is not None and now.started != before.started and not known_run:
        return now.started
    if now.status is Status.RUNNING and before.status in _BEFORE_A_RUN:
        return now.status_changed
    if before.status is Status.PENDING and now.started and now.completed not in {None, before.completed}:
        return now.status_changed
    return None


def _waited(before: ExperimentState, now: ExperimentState, start: datetime) -> timedelta | None:
    """How long it waited, where it was seen waiting and the time of the start is known."""
    if before.pending_since is None or (start != now.started and now.status is not Status.RUNNING):
        return None
    return start - before.pending_since


def _is_known_end(before: ExperimentState, now: ExperimentState) -> bool:
    """Whether this is an end that was there before, given that no run began since.

    Then it was published, its status was set once more, or it is back from a queue with its former status.
    """
    if now.status in {Status.PUBLISHING, Status.PUBLISHED}:
        return before.status.is_over or before.status is Status.PUBLISHING
    if before.status is Status.PENDING and now.status is Status.FAILED:
        return now.completed is not None and now.completed == before.completed
    return now.status is before.status


def _event(
    kind: EventKind,
    now: ExperimentState,
    *,
    at: datetime,
    waited: timedelta | None = None,
    ran: timedelta | None = None,
    by: str = "",
) -> ExperimentEvent:
    return ExperimentEvent(
        kind=kind,
        experiment_id=now.experiment_id,
        experiment_name=now.name,
        at=at,
        worker_id=now.worker_id,
        waited=waited,
        ran=ran,
        by=by,
        reason=now.reason if kind is EventKind.FAILED else "",
    )
