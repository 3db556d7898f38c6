"""Events derived from two states of an experiment.

Times are minutes: `_build_time(3)` is three minutes after the experiment was created.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from clearml_chatops.models.experiments import REMOVED_FROM_QUEUE_REASON, Status
from clearml_chatops.models.notifications import OWN_ACTION_KINDS, EventKind, ExperimentEvent, ExperimentState
from clearml_chatops.services.watching.events import derive_events, derive_first_events, merge_state

STARTED, COMPLETED, FAILED, ABORTED = (
    EventKind.STARTED,
    EventKind.COMPLETED,
    EventKind.FAILED,
    EventKind.ABORTED,
)


def _build_time(minute: float) -> datetime:
    return datetime(2026, 11, 22, 12, tzinfo=UTC) + timedelta(minutes=minute)


def _build_state(
    status: Status, changed: float, *, started: float | None = None, completed: float | None = None
) -> ExperimentState:
    return ExperimentState(
        experiment_id="4f2a",
        name="baseline",
        status=status,
        status_changed=_build_time(changed),
        started=_build_time(started) if started is not None else None,
        completed=_build_time(completed) if completed is not None else None,
        worker_id="lab:q:gpu0" if status is Status.RUNNING else "",
        pending_since=_build_time(changed) if status is Status.PENDING else None,
    )


DRAFT = _build_state(Status.DRAFT, 0)
QUEUED = _build_state(Status.PENDING, 1)
RUNNING = _build_state(Status.RUNNING, 3, started=3)
FAILED_RUN = _build_state(Status.FAILED, 5, started=3, completed=5)
ABORTED_RUN = _build_state(Status.ABORTED, 5, started=3, completed=5)
COMPLETED_RUN = _build_state(Status.COMPLETED, 5, started=3, completed=5)
PUBLISHED = _build_state(Status.PUBLISHED, 9, started=3, completed=5)
PUBLISHING = _build_state(Status.PUBLISHING, 8, started=3, completed=5)
# A retry without a reset: ClearML keeps the time of the first start.
REQUEUED = _build_state(Status.PENDING, 7, started=3, completed=5)
RUNNING_AGAIN = _build_state(Status.RUNNING, 8, started=3, completed=5)
FAILED_AGAIN = _build_state(Status.FAILED, 10, started=3, completed=10)
ABORTED_AGAIN = _build_state(Status.ABORTED, 10, started=3, completed=10)
COMPLETED_AGAIN = _build_state(Status.COMPLETED, 10, started=3, completed=10)
REQUEUED_WITHOUT_END = replace(REQUEUED, completed=None)
FAILED_WITHOUT_END = _build_state(Status.FAILED, 9, started=3)


@pytest.mark.parametrize(
    ("before", "now", "kinds"),
    [
        (DRAFT, QUEUED, []),
        (QUEUED, RUNNING, [STARTED]),
        (RUNNING, COMPLETED_RUN, [COMPLETED]),
        (RUNNING, FAILED_RUN, [FAILED]),
        (RUNNING, ABORTED_RUN, [ABORTED]),
        # several steps between two polls
        (QUEUED, COMPLETED_RUN, [STARTED, COMPLETED]),
        (QUEUED, FAILED_RUN, [STARTED, FAILED]),
        (QUEUED, ABORTED_RUN, [STARTED, ABORTED]),
        (DRAFT, RUNNING, [STARTED]),
        (DRAFT, COMPLETED_RUN, [STARTED, COMPLETED]),
        (DRAFT, PUBLISHED, [STARTED, COMPLETED]),
        # never run
        (QUEUED, _build_state(Status.ABORTED, 2), [ABORTED]),
        (QUEUED, _build_state(Status.DRAFT, 2), []),
        (QUEUED, _build_state(Status.FAILED, 2), [FAILED]),
        # a run that is retried
        (FAILED_RUN, REQUEUED, []),
        (REQUEUED, RUNNING_AGAIN, [STARTED]),
        (FAILED_RUN, RUNNING_AGAIN, [STARTED]),
        (ABORTED_RUN, RUNNING_AGAIN, [STARTED]),
        (RUNNING_AGAIN, FAILED_AGAIN, [FAILED]),
        (REQUEUED, FAILED_AGAIN, [STARTED, FAILED]),
        (REQUEUED, ABORTED_AGAIN, [STARTED, ABORTED]),
        (REQUEUED, COMPLETED_AGAIN, [STARTED, COMPLETED]),
        # retried after a reset, which clears the time of the start
        (FAILED_RUN, _build_state(Status.FAILED, 12, started=11, completed=12), [STARTED, FAILED]),
        (FAILED_RUN, _build_state(Status.RUNNING, 11, started=11), [STARTED]),
        (COMPLETED_RUN, _build_state(Status.PUBLISHED, 12, started=11, completed=12), [STARTED, COMPLETED]),
        # dequeued, with the previous status
        (REQUEUED, _build_state(Status.FAILED, 9, started=3, completed=5), []),
        # likewise on servers that store no completion time of a failure; there the reason tells
        (REQUEUED_WITHOUT_END, replace(FAILED_WITHOUT_END, reason=f"{REMOVED_FROM_QUEUE_REASON} 4f2a"), []),
        (REQUEUED_WITHOUT_END, FAILED_WITHOUT_END, [FAILED]),
        (REQUEUED, replace(ABORTED_RUN, status_changed=_build_time(9), reason=REMOVED_FROM_QUEUE_REASON), []),
        # a status that is set again
        (RUNNING, _build_state(Status.RUNNING, 4, started=3), []),
        (FAILED_RUN, _build_state(Status.FAILED, 6, started=3, completed=6), []),
        (ABORTED_RUN, _build_state(Status.ABORTED, 6, started=3, completed=6), []),
        (COMPLETED_RUN, _build_state(Status.COMPLETED, 6, started=3, completed=6), []),
        # reset
        (FAILED_RUN, _build_state(Status.DRAFT, 6), []),
        (RUNNING, _build_state(Status.DRAFT, 6), []),
        # publishing is not a second completion, but the first one if the end was not seen
        (COMPLETED_RUN, PUBLISHED, []),
        (COMPLETED_RUN, PUBLISHING, []),
        (PUBLISHING, PUBLISHED, []),
        (FAILED_RUN, PUBLISHED, []),
        (RUNNING, PUBLISHING, [COMPLETED]),
        (RUNNING, PUBLISHED, [COMPLETED]),
        # statuses without an event
        (RUNNING, _build_state(Status.UNKNOWN, 6, started=3), []),
    ],
)
def test_events_are_derived_in_order(
    before: ExperimentState, now: ExperimentState, kinds: list[EventKind]
) -> None:
    assert [event.kind for event in derive_events(before, now)] == kinds


@pytest.mark.parametrize("now", [DRAFT, QUEUED, RUNNING, FAILED_RUN])
def test_unseen_experiment_has_no_events(now: ExperimentState) -> None:
    assert derive_events(None, now) == ()


@pytest.mark.parametrize("now", [QUEUED, RUNNING, FAILED_RUN, PUBLISHED])
def test_same_status_gives_no_event_even_if_name_or_worker_changed(now: ExperimentState) -> None:
    assert derive_events(now, replace(now, name="renamed", worker_id="another")) == ()


def test_start_event_has_worker_time_and_wait() -> None:
    assert derive_events(QUEUED, RUNNING) == (
        ExperimentEvent(
            STARTED, "4f2a", "baseline", _build_time(3), "lab:q:gpu0", waiting_time=timedelta(minutes=2)
        ),
    )


def test_end_event_has_time_and_run_time() -> None:
    (event,) = derive_events(RUNNING, FAILED_RUN)
    assert (event.at, event.running_time, event.waiting_time) == (_build_time(5), timedelta(minutes=2), None)


def test_run_time_ends_at_completion_not_at_publishing() -> None:
    _, event = derive_events(QUEUED, PUBLISHED)
    assert event.running_time == timedelta(minutes=2)


def test_wait_is_unknown_when_never_seen_pending() -> None:
    (event,) = derive_events(DRAFT, RUNNING)
    assert event.waiting_time is None


def test_retried_run_started_at_its_status_change() -> None:
    (event,) = derive_events(REQUEUED, RUNNING_AGAIN)
    assert (event.at, event.waiting_time) == (_build_time(8), timedelta(minutes=1))


def test_retried_run_that_ended_between_polls_has_unknown_wait() -> None:
    started, _ = derive_events(REQUEUED, FAILED_AGAIN)
    assert started.waiting_time is None


def test_run_seen_before_its_start_time_gives_one_event() -> None:
    unwritten = _build_state(Status.RUNNING, 3)
    written = _build_state(Status.RUNNING, 3.1, started=3)
    assert [event.kind for event in derive_events(QUEUED, unwritten)] == [STARTED]
    assert derive_events(unwritten, written) == ()


def test_run_without_start_has_no_run_time() -> None:
    (event,) = derive_events(QUEUED, _build_state(Status.ABORTED, 2))
    assert event.running_time is None


def test_moving_in_the_queue_keeps_pending_since() -> None:
    moved = _build_state(Status.PENDING, 2)
    merged_state = merge_state(QUEUED, moved)
    assert merged_state == replace(moved, pending_since=_build_time(1))
    (event,) = derive_events(merged_state, RUNNING)
    assert event.waiting_time == timedelta(minutes=2)


@pytest.mark.parametrize("before", [None, DRAFT, FAILED_RUN, replace(QUEUED, pending_since=None)])
def test_wait_starts_when_first_seen_pending(before: ExperimentState | None) -> None:
    assert merge_state(before, REQUEUED) == REQUEUED


def test_state_that_left_pending_is_stored_unchanged() -> None:
    assert merge_state(QUEUED, RUNNING) == RUNNING


ENQUEUED, DEQUEUED, BACK_TO_DRAFT = EventKind.ENQUEUED, EventKind.DEQUEUED, EventKind.BACK_TO_DRAFT


@pytest.mark.parametrize(
    ("before", "now", "kinds"),
    [
        (DRAFT, QUEUED, [ENQUEUED]),
        (FAILED_RUN, REQUEUED, [ENQUEUED]),
        (QUEUED, _build_state(Status.DRAFT, 2), [DEQUEUED]),
        (REQUEUED, _build_state(Status.FAILED, 9, started=3, completed=5), [DEQUEUED]),
        (QUEUED, replace(_build_state(Status.DRAFT, 2), reason="reset"), [BACK_TO_DRAFT]),
        (FAILED_RUN, _build_state(Status.DRAFT, 6), [BACK_TO_DRAFT]),
        (RUNNING, _build_state(Status.DRAFT, 6), [BACK_TO_DRAFT]),
        (QUEUED, _build_state(Status.ABORTED, 2), [ABORTED]),
        (QUEUED, FAILED_RUN, [STARTED, FAILED]),
        (QUEUED, _build_state(Status.PENDING, 2), []),
        (DRAFT, RUNNING, [STARTED]),
    ],
)
def test_manual_change_event_has_its_user(
    before: ExperimentState, now: ExperimentState, kinds: list[EventKind]
) -> None:
    events = derive_events(before, replace(now, changed_by="b2"))
    assert [event.kind for event in events] == kinds
    assert all(event.actor_id == "b2" for event in events if event.kind in OWN_ACTION_KINDS)


def test_stop_requester_is_kept_until_the_agent_stops() -> None:
    stopping = replace(_build_state(Status.RUNNING, 4, started=3), stop_requested_by="b2")
    merged_state = merge_state(stopping, _build_state(Status.RUNNING, 4.5, started=3))
    assert merged_state.stop_requested_by == "b2"
    (event,) = derive_events(merged_state, ABORTED_RUN)
    assert event.actor_id == "b2"
    assert merge_state(merged_state, ABORTED_RUN).stop_requested_by == ""


@pytest.mark.parametrize(
    ("now", "since", "kinds"),
    [
        (DRAFT, 0, []),
        (QUEUED, 0, []),
        (replace(QUEUED, changed_by="bob"), 0, [EventKind.ENQUEUED]),
        (replace(QUEUED, changed_by="bob"), 1, []),
        (RUNNING, 2, [STARTED]),
        (RUNNING, 3, []),
        (COMPLETED_RUN, 2, [STARTED, COMPLETED]),
        (FAILED_RUN, 4, [FAILED]),
        (FAILED_RUN, 5, []),
        (ABORTED_RUN, 4, [ABORTED]),
        # The status was set again; the end is still the old one.
        (PUBLISHED, 6, []),
        (_build_state(Status.FAILED, 9, started=3, completed=5), 6, []),
        (REQUEUED, 6, []),
        (RUNNING_AGAIN, 6, []),
        (FAILED_AGAIN, 6, [FAILED]),
    ],
)
def test_first_sight_gives_only_recent_events(now: ExperimentState, since: float, kinds: list[EventKind]) -> None:
    seen = replace(now, queue_id="q")
    assert [event.kind for event in derive_first_events(seen, since=_build_time(since))] == kinds


def test_manually_started_run_has_not_left_a_queue() -> None:
    assert derive_first_events(replace(RUNNING, queue_id=""), since=_build_time(0)) == ()
    assert [event.kind for event in derive_first_events(COMPLETED_RUN, since=_build_time(0))] == [COMPLETED]
