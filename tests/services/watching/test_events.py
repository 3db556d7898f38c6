"""From two looks at an experiment to what happened between them.

Times are minutes: `_at(3)` is three minutes after the experiment was made.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from clearml_chatops.models.experiments import Status
from clearml_chatops.models.notifications import ACTS, EventKind, ExperimentEvent, ExperimentState
from clearml_chatops.services.watching.events import events_between, first_events, remembered

LEFT_PENDING, COMPLETED, FAILED, ABORTED = (
    EventKind.LEFT_PENDING,
    EventKind.COMPLETED,
    EventKind.FAILED,
    EventKind.ABORTED,
)


def _at(minute: float) -> datetime:
    return datetime(2026, 11, 22, 12, tzinfo=UTC) + timedelta(minutes=minute)


def _state(
    status: Status, changed: float, *, started: float | None = None, completed: float | None = None
) -> ExperimentState:
    return ExperimentState(
        experiment_id="4f2a",
        name="baseline",
        status=status,
        status_changed=_at(changed),
        started=_at(started) if started is not None else None,
        completed=_at(completed) if completed is not None else None,
        worker_id="lab:q:gpu0" if status is Status.RUNNING else "",
        pending_since=_at(changed) if status is Status.PENDING else None,
    )


DRAFT = _state(Status.DRAFT, 0)
QUEUED = _state(Status.PENDING, 1)
RUNNING = _state(Status.RUNNING, 3, started=3)
FAILED_RUN = _state(Status.FAILED, 5, started=3, completed=5)
ABORTED_RUN = _state(Status.ABORTED, 5, started=3, completed=5)
COMPLETED_RUN = _state(Status.COMPLETED, 5, started=3, completed=5)
PUBLISHED = _state(Status.PUBLISHED, 9, started=3, completed=5)
PUBLISHING = _state(Status.PUBLISHING, 8, started=3, completed=5)
# A retry without a reset: ClearML keeps the time of the first start.
QUEUED_AGAIN = _state(Status.PENDING, 7, started=3, completed=5)
RUNNING_AGAIN = _state(Status.RUNNING, 8, started=3, completed=5)
FAILED_AGAIN = _state(Status.FAILED, 10, started=3, completed=10)
ABORTED_AGAIN = _state(Status.ABORTED, 10, started=3, completed=10)
COMPLETED_AFTER_ALL = _state(Status.COMPLETED, 10, started=3, completed=10)


@pytest.mark.parametrize(
    ("before", "now", "kinds"),
    [
        (DRAFT, QUEUED, []),
        (QUEUED, RUNNING, [LEFT_PENDING]),
        (RUNNING, COMPLETED_RUN, [COMPLETED]),
        (RUNNING, FAILED_RUN, [FAILED]),
        (RUNNING, ABORTED_RUN, [ABORTED]),
        # several steps within one look
        (QUEUED, COMPLETED_RUN, [LEFT_PENDING, COMPLETED]),
        (QUEUED, FAILED_RUN, [LEFT_PENDING, FAILED]),
        (QUEUED, ABORTED_RUN, [LEFT_PENDING, ABORTED]),
        (DRAFT, RUNNING, [LEFT_PENDING]),
        (DRAFT, COMPLETED_RUN, [LEFT_PENDING, COMPLETED]),
        (DRAFT, PUBLISHED, [LEFT_PENDING, COMPLETED]),
        # never run
        (QUEUED, _state(Status.ABORTED, 2), [ABORTED]),
        (QUEUED, _state(Status.DRAFT, 2), []),
        (QUEUED, _state(Status.FAILED, 2), [FAILED]),
        # a run that is retried
        (FAILED_RUN, QUEUED_AGAIN, []),
        (QUEUED_AGAIN, RUNNING_AGAIN, [LEFT_PENDING]),
        (FAILED_RUN, RUNNING_AGAIN, [LEFT_PENDING]),
        (ABORTED_RUN, RUNNING_AGAIN, [LEFT_PENDING]),
        (RUNNING_AGAIN, FAILED_AGAIN, [FAILED]),
        (QUEUED_AGAIN, FAILED_AGAIN, [LEFT_PENDING, FAILED]),
        (QUEUED_AGAIN, ABORTED_AGAIN, [LEFT_PENDING, ABORTED]),
        (QUEUED_AGAIN, COMPLETED_AFTER_ALL, [LEFT_PENDING, COMPLETED]),
        # retried after a reset, which clears the time of the start
        (FAILED_RUN, _state(Status.FAILED, 12, started=11, completed=12), [LEFT_PENDING, FAILED]),
        (FAILED_RUN, _state(Status.RUNNING, 11, started=11), [LEFT_PENDING]),
        (COMPLETED_RUN, _state(Status.PUBLISHED, 12, started=11, completed=12), [LEFT_PENDING, COMPLETED]),
        # out of the queue again, with the status of before
        (QUEUED_AGAIN, _state(Status.FAILED, 9, started=3, completed=5), []),
        # a status that is set once more
        (RUNNING, _state(Status.RUNNING, 4, started=3), []),
        (FAILED_RUN, _state(Status.FAILED, 6, started=3, completed=6), []),
        (ABORTED_RUN, _state(Status.ABORTED, 6, started=3, completed=6), []),
        (COMPLETED_RUN, _state(Status.COMPLETED, 6, started=3, completed=6), []),
        # reset
        (FAILED_RUN, _state(Status.DRAFT, 6), []),
        (RUNNING, _state(Status.DRAFT, 6), []),
        # publishing is no second completion, and the first one when the end was not seen
        (COMPLETED_RUN, PUBLISHED, []),
        (COMPLETED_RUN, PUBLISHING, []),
        (PUBLISHING, PUBLISHED, []),
        (FAILED_RUN, PUBLISHED, []),
        (RUNNING, PUBLISHING, [COMPLETED]),
        (RUNNING, PUBLISHED, [COMPLETED]),
        # statuses of which there is nothing to tell
        (RUNNING, _state(Status.UNKNOWN, 6, started=3), []),
    ],
)
def test_what_happened_is_told_once_and_in_order(
    before: ExperimentState, now: ExperimentState, kinds: list[EventKind]
) -> None:
    assert [event.kind for event in events_between(before, now)] == kinds


@pytest.mark.parametrize("now", [DRAFT, QUEUED, RUNNING, FAILED_RUN])
def test_an_experiment_that_was_never_seen_has_no_past_to_tell(now: ExperimentState) -> None:
    assert events_between(None, now) == ()


@pytest.mark.parametrize("now", [QUEUED, RUNNING, FAILED_RUN, PUBLISHED])
def test_the_same_look_twice_tells_nothing_even_where_a_name_or_a_worker_changed(now: ExperimentState) -> None:
    assert events_between(now, replace(now, name="renamed", worker_id="another")) == ()


def test_leaving_pending_tells_the_worker_the_time_and_the_wait() -> None:
    assert events_between(QUEUED, RUNNING) == (
        ExperimentEvent(LEFT_PENDING, "4f2a", "baseline", _at(3), "lab:q:gpu0", waited=timedelta(minutes=2)),
    )


def test_an_end_tells_its_time_and_how_long_it_ran() -> None:
    (event,) = events_between(RUNNING, FAILED_RUN)
    assert (event.at, event.ran, event.waited) == (_at(5), timedelta(minutes=2), None)


def test_the_time_of_the_end_counts_and_not_that_of_publishing() -> None:
    _, event = events_between(QUEUED, PUBLISHED)
    assert event.ran == timedelta(minutes=2)


def test_the_wait_is_unknown_where_nobody_saw_it_pending() -> None:
    (event,) = events_between(DRAFT, RUNNING)
    assert event.waited is None


def test_a_retried_run_left_pending_when_its_status_changed_and_not_at_its_first_start() -> None:
    (event,) = events_between(QUEUED_AGAIN, RUNNING_AGAIN)
    assert (event.at, event.waited) == (_at(8), timedelta(minutes=1))


def test_a_retried_run_that_ended_within_one_look_has_an_unknown_wait() -> None:
    left, _ = events_between(QUEUED_AGAIN, FAILED_AGAIN)
    assert left.waited is None


def test_a_run_seen_before_its_start_was_written_is_told_once() -> None:
    unwritten = _state(Status.RUNNING, 3)
    written = _state(Status.RUNNING, 3.1, started=3)
    assert [event.kind for event in events_between(QUEUED, unwritten)] == [LEFT_PENDING]
    assert events_between(unwritten, written) == ()


def test_a_run_without_a_start_tells_no_running_time() -> None:
    (event,) = events_between(QUEUED, _state(Status.ABORTED, 2))
    assert event.ran is None


def test_moving_within_the_queue_keeps_the_time_since_when_it_waits() -> None:
    moved = _state(Status.PENDING, 2)
    kept = remembered(QUEUED, moved)
    assert kept == replace(moved, pending_since=_at(1))
    (event,) = events_between(kept, RUNNING)
    assert event.waited == timedelta(minutes=2)


@pytest.mark.parametrize("before", [None, DRAFT, FAILED_RUN, replace(QUEUED, pending_since=None)])
def test_the_wait_begins_where_it_was_first_seen_pending(before: ExperimentState | None) -> None:
    assert remembered(before, QUEUED_AGAIN) == QUEUED_AGAIN


def test_what_no_longer_waits_is_remembered_as_it_is() -> None:
    assert remembered(QUEUED, RUNNING) == RUNNING


ENQUEUED, DEQUEUED, BACK_TO_DRAFT = EventKind.ENQUEUED, EventKind.DEQUEUED, EventKind.BACK_TO_DRAFT


@pytest.mark.parametrize(
    ("before", "now", "kinds"),
    [
        (DRAFT, QUEUED, [ENQUEUED]),
        (FAILED_RUN, QUEUED_AGAIN, [ENQUEUED]),
        (QUEUED, _state(Status.DRAFT, 2), [DEQUEUED]),
        (QUEUED_AGAIN, _state(Status.FAILED, 9, started=3, completed=5), [DEQUEUED]),
        (QUEUED, replace(_state(Status.DRAFT, 2), reason="reset"), [BACK_TO_DRAFT]),
        (FAILED_RUN, _state(Status.DRAFT, 6), [BACK_TO_DRAFT]),
        (RUNNING, _state(Status.DRAFT, 6), [BACK_TO_DRAFT]),
        (QUEUED, _state(Status.ABORTED, 2), [ABORTED]),
        (QUEUED, FAILED_RUN, [LEFT_PENDING, FAILED]),
        (QUEUED, _state(Status.PENDING, 2), []),
        (DRAFT, RUNNING, [LEFT_PENDING]),
    ],
)
def test_what_a_person_did_is_told_with_who_it_was(
    before: ExperimentState, now: ExperimentState, kinds: list[EventKind]
) -> None:
    events = events_between(before, replace(now, changed_by="b2"))
    assert [event.kind for event in events] == kinds
    assert all(event.by == "b2" for event in events if event.kind in ACTS)


def test_who_asked_for_the_end_of_a_run_is_remembered_until_its_agent_ends_it() -> None:
    stopping = replace(_state(Status.RUNNING, 4, started=3), stopping_by="b2")
    once_more = remembered(stopping, _state(Status.RUNNING, 4.5, started=3))
    assert once_more.stopping_by == "b2"
    (event,) = events_between(once_more, ABORTED_RUN)
    assert event.by == "b2"
    assert remembered(once_more, ABORTED_RUN).stopping_by == ""


@pytest.mark.parametrize(
    ("now", "since", "kinds"),
    [
        (DRAFT, 0, []),
        (QUEUED, 0, []),
        (replace(QUEUED, changed_by="bob"), 0, [EventKind.ENQUEUED]),
        (replace(QUEUED, changed_by="bob"), 1, []),
        (RUNNING, 2, [LEFT_PENDING]),
        (RUNNING, 3, []),
        (COMPLETED_RUN, 2, [LEFT_PENDING, COMPLETED]),
        (FAILED_RUN, 4, [FAILED]),
        (FAILED_RUN, 5, []),
        (ABORTED_RUN, 4, [ABORTED]),
        # The status was set once more; the end is as old as before.
        (PUBLISHED, 6, []),
        (_state(Status.FAILED, 9, started=3, completed=5), 6, []),
        (QUEUED_AGAIN, 6, []),
        (RUNNING_AGAIN, 6, []),
        (FAILED_AGAIN, 6, [FAILED]),
    ],
)
def test_of_what_is_seen_for_the_first_time_only_what_is_new_is_an_event(
    now: ExperimentState, since: float, kinds: list[EventKind]
) -> None:
    seen = replace(now, queue_id="q")
    assert [event.kind for event in first_events(seen, since=_at(since))] == kinds


def test_what_was_started_by_hand_has_left_no_queue() -> None:
    assert first_events(replace(RUNNING, queue_id=""), since=_at(0)) == ()
    assert [event.kind for event in first_events(COMPLETED_RUN, since=_at(0))] == [COMPLETED]
