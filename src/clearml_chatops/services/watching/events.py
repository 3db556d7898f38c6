"""From what was remembered of an experiment and what it is now to what has happened. Pure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from clearml_chatops.models.experiments import Status
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, ExperimentState

_END_EVENTS = {
    Status.COMPLETED: EventKind.COMPLETED,
    Status.PUBLISHING: EventKind.COMPLETED,
    Status.PUBLISHED: EventKind.COMPLETED,
    Status.FAILED: EventKind.FAILED,
    Status.ABORTED: EventKind.ABORTED,
}
_STATUSES_BEFORE_RUN = {Status.DRAFT, Status.PENDING, Status.FAILED, Status.ABORTED}


_NEVER = datetime.min.replace(tzinfo=UTC)
"""When the status of a Draft last changed that nobody has touched."""

_RESET_REASON = "reset"
"""The status reason that ClearML notes of a reset."""


def derive_events(previous: ExperimentState | None, current: ExperimentState) -> tuple[ExperimentEvent, ...]:
    """What happened since `before`, in order; nothing where the experiment was never seen.

    A run that began and ended between two looks gives both its events: ClearML keeps its start time.
    """
    if previous is None or (previous.status, previous.status_changed) == (current.status, current.status_changed):
        return ()
    events = []
    action = _find_action(previous, current)
    if action:
        events.append(_build_event(action, current, at=current.status_changed, actor_id=current.changed_by))
    start = _find_run_start(previous, current)
    if start is not None:
        events.append(
            _build_event(
                EventKind.STARTED, current, at=start, waiting_time=_get_wait_duration(previous, current, start)
            )
        )
    end_kind = _END_EVENTS.get(current.status)
    if end_kind and (start is not None or not _is_known_end(previous, current)):
        running_time = (
            (current.completed or current.status_changed) - current.started
            if current.started is not None
            else None
        )
        actor_id = (previous.stop_requested_by or current.changed_by) if end_kind is EventKind.ABORTED else ""
        events.append(
            _build_event(
                end_kind, current, at=current.status_changed, running_time=running_time, actor_id=actor_id
            )
        )
    return tuple(events)


def derive_first_events(current: ExperimentState, *, since: datetime) -> tuple[ExperimentEvent, ...]:
    """What happened after `since` to an experiment that is seen for the first time, in order.

    What was started by hand has never waited in a queue, and so has not left it.
    """
    unseen = ExperimentState(current.experiment_id, current.name, Status.DRAFT, _NEVER)
    return tuple(
        event
        for event in derive_events(unseen, current)
        if _get_event_time(event, current) > since and (event.kind is not EventKind.STARTED or current.queue_id)
    )


def merge_state(previous: ExperimentState | None, current: ExperimentState) -> ExperimentState:
    """What to remember of `now`.

    Since when it waits is known only from the first time it was seen waiting, and who asked for its end only
    until its agent sets the status again.
    """
    if previous is None or previous.status is not current.status:
        return current
    if current.status is Status.PENDING:
        return replace(current, pending_since=previous.pending_since or current.pending_since)
    if current.status is Status.RUNNING:
        return replace(current, stop_requested_by=current.stop_requested_by or previous.stop_requested_by)
    return current


def _get_event_time(event: ExperimentEvent, current: ExperimentState) -> datetime:
    """When it happened. That an old end is published, or comes back from a queue, changes the status later."""
    is_end = event.kind in _END_EVENTS.values()
    return current.completed if is_end and current.completed is not None else event.at


def _find_action(previous: ExperimentState, current: ExperimentState) -> EventKind | None:
    """What somebody did that is neither the beginning nor the end of a run; None where nobody is known."""
    if not current.changed_by or previous.status is current.status:
        return None
    if current.status is Status.PENDING:
        return EventKind.ENQUEUED
    if current.status is Status.DRAFT and (
        current.reason == _RESET_REASON or previous.status is not Status.PENDING
    ):
        return EventKind.BACK_TO_DRAFT
    is_back = current.status is Status.DRAFT or (
        current.status is Status.FAILED and _is_known_end(previous, current)
    )
    return EventKind.DEQUEUED if previous.status is Status.PENDING and is_back else None


def _find_run_start(previous: ExperimentState, current: ExperimentState) -> datetime | None:
    """When a run began after `before`; None where none did.

    Running is set several times in one run, and a run that is retried without a reset keeps the time of its
    first start: there only the statuses tell, and the end's time, which a run that was merely taken out
    of its queue keeps too.
    """
    if current.status in {Status.DRAFT, Status.PENDING}:
        return None
    # A fresh run can be seen a moment before the server has written its start.
    is_known_run = previous.status is Status.RUNNING and previous.started is None
    if current.started is not None and current.started != previous.started and not is_known_run:
        return current.started
    if current.status is Status.RUNNING and previous.status in _STATUSES_BEFORE_RUN:
        return current.status_changed
    if (
        previous.status is Status.PENDING
        and current.started
        and current.completed not in {None, previous.completed}
    ):
        return current.status_changed
    return None


def _get_wait_duration(previous: ExperimentState, current: ExperimentState, start: datetime) -> timedelta | None:
    """How long it waited, where it was seen waiting and the time of the start is known."""
    if previous.pending_since is None or (start != current.started and current.status is not Status.RUNNING):
        return None
    return start - previous.pending_since


def _is_known_end(previous: ExperimentState, current: ExperimentState) -> bool:
    """Whether this is an end that was there before, given that no run began since.

    Then it was published, its status was set once more, or it is back from a queue with its former status.
    """
    if current.status in {Status.PUBLISHING, Status.PUBLISHED}:
        return previous.status.is_finished or previous.status is Status.PUBLISHING
    if previous.status is Status.PENDING and current.status is Status.FAILED:
        return current.completed is not None and current.completed == previous.completed
    return current.status is previous.status


def _build_event(
    kind: EventKind,
    current: ExperimentState,
    *,
    at: datetime,
    waiting_time: timedelta | None = None,
    running_time: timedelta | None = None,
    actor_id: str = "",
) -> ExperimentEvent:
    return ExperimentEvent(
        kind=kind,
        experiment_id=current.experiment_id,
        experiment_name=current.name,
        at=at,
        worker_id=current.worker_id,
        waiting_time=waiting_time,
        running_time=running_time,
        actor_id=actor_id,
        reason=current.reason if kind is EventKind.FAILED else "",
    )
