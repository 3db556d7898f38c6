"""Derives events from the previous and the current state of an experiment. Pure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from clearml_chatops.models.experiments import REMOVED_FROM_QUEUE_REASON, Status
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
"""The last status change of an untouched Draft."""

_RESET_REASON = "reset"
"""ClearML's status reason after a reset."""


def derive_events(previous: ExperimentState | None, current: ExperimentState) -> tuple[ExperimentEvent, ...]:
    """Return what happened since the previous state, in order; nothing if the experiment was never seen.

    A run that started and ended between two polls gives both events, as ClearML keeps its start time.
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
    """Return what happened after `since` to an experiment seen for the first time, in order.

    A run started by hand was never in a queue, so it gives no `STARTED` event.
    """
    unseen = ExperimentState(current.experiment_id, current.name, Status.DRAFT, _NEVER)
    return tuple(
        event
        for event in derive_events(unseen, current)
        if _get_event_time(event, current) > since and (event.kind is not EventKind.STARTED or current.queue_id)
    )


def merge_state(previous: ExperimentState | None, current: ExperimentState) -> ExperimentState:
    """Return the state to store.

    It keeps what ClearML forgets: when a Pending experiment was first seen so (moving it in its queue changes
    the status time), and who asked for the end of a run (its agent sets the status again).
    """
    if previous is None or previous.status is not current.status:
        return current
    if current.status is Status.PENDING:
        return replace(current, pending_since=previous.pending_since or current.pending_since)
    if current.status is Status.RUNNING:
        return replace(current, stop_requested_by=current.stop_requested_by or previous.stop_requested_by)
    return current


def _get_event_time(event: ExperimentEvent, current: ExperimentState) -> datetime:
    """Return when an event happened: for an end its completion, as publishing it changes the status time."""
    is_end = event.kind in _END_EVENTS.values()
    return current.completed if is_end and current.completed is not None else event.at


def _find_action(previous: ExperimentState, current: ExperimentState) -> EventKind | None:
    """Return what a person did other than start or end a run; None if no person changed the status."""
    if not current.changed_by or previous.status is current.status:
        return None
    if current.status is Status.PENDING:
        return EventKind.ENQUEUED
    if current.status is Status.DRAFT and (
        current.reason == _RESET_REASON or previous.status is not Status.PENDING
    ):
        return EventKind.BACK_TO_DRAFT
    is_back = current.status is Status.DRAFT or (
        current.status in {Status.FAILED, Status.ABORTED} and _is_known_end(previous, current)
    )
    return EventKind.DEQUEUED if previous.status is Status.PENDING and is_back else None


def _find_run_start(previous: ExperimentState, current: ExperimentState) -> datetime | None:
    """Return when a run started after the previous state, None if none did.

    Running is set several times in one run, and a run retried without a reset keeps its first start time.
    Then only the statuses show a new start, and the completion time, which a mere dequeue does not change.
    """
    if current.status in {Status.DRAFT, Status.PENDING}:
        return None
    # A fresh run can be seen shortly before the server has written its start time.
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
    """Return how long it was Pending, None unless it was seen so and the start time is known."""
    if previous.pending_since is None or (start != current.started and current.status is not Status.RUNNING):
        return None
    return start - previous.pending_since


def _is_known_end(previous: ExperimentState, current: ExperimentState) -> bool:
    """Return whether this end was seen before, given that no run started since.

    Then the experiment was published, its status was set again, or it was dequeued and is Failed or Aborted as
    before. Servers before API 2.34 store no completion time of a failure, so the reason counts first.
    """
    if current.status in {Status.PUBLISHING, Status.PUBLISHED}:
        return previous.status.is_finished or previous.status is Status.PUBLISHING
    if previous.status is Status.PENDING and current.reason.startswith(REMOVED_FROM_QUEUE_REASON):
        return True
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
