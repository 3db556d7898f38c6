"""The messages that tell what happened to an experiment."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from clearml_chatops.handlers.notification_messages import build_notification_message
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, Notice, Notification
from clearml_chatops.models.replies import Button, Buttons, Code, Reply, Text, Tone
from clearml_chatops.services.notifications.diagnosis import diagnose_log
from clearml_chatops.services.notifications.notifications import DueMessage

_NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
_ID = "4f2a" + "0" * 28


def _build_message(*events: ExperimentEvent, lines: tuple[str, ...] = ()) -> Reply:
    recipient = Conversation("terminal", "alice")
    notifications = tuple(
        Notification(number, event, recipient, 0, _NOW) for number, event in enumerate(events, 1)
    )
    return build_notification_message(DueMessage(notifications, diagnose_log(lines) if lines else None))


def _build_event(kind: EventKind, **values: object) -> ExperimentEvent:
    return replace(ExperimentEvent(kind, _ID, "baseline", _NOW), **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("event", "sentence", "tone"),
    [
        (
            _build_event(EventKind.STARTED, worker_id="lab:q:gpu0", waiting_time=timedelta(minutes=3, seconds=5)),
            "“baseline” has left Pending after 3 min 5 s, picked up by lab:q:gpu0.",
            Tone.PLAIN,
        ),
        (_build_event(EventKind.STARTED), "“baseline” has left Pending.", Tone.PLAIN),
        (
            _build_event(EventKind.STARTED, waiting_time=timedelta(0)),
            "“baseline” has left Pending at once.",
            Tone.PLAIN,
        ),
        (
            _build_event(EventKind.COMPLETED, running_time=timedelta(hours=2)),
            "“baseline” is Completed after 2 h.",
            Tone.SUCCESS,
        ),
        (_build_event(EventKind.COMPLETED), "“baseline” is Completed.", Tone.SUCCESS),
        (
            _build_event(EventKind.FAILED, running_time=timedelta(seconds=4)),
            "“baseline” has Failed after 4 s.",
            Tone.FAILURE,
        ),
        (_build_event(EventKind.ABORTED), "“baseline” was Aborted.", Tone.WARNING),
        (_build_event(EventKind.ABORTED, actor_name="Bob"), "“baseline” was Aborted by Bob.", Tone.WARNING),
        (_build_event(EventKind.ENQUEUED, actor_name="Bob"), "“baseline” was enqueued by Bob.", Tone.PLAIN),
        (_build_event(EventKind.DEQUEUED), "“baseline” was taken out of its queue by another person.", Tone.PLAIN),
        (
            _build_event(EventKind.BACK_TO_DRAFT, actor_name="Bob"),
            "“baseline” was made a Draft again by Bob; its log is deleted.",
            Tone.PLAIN,
        ),
        (_build_event(EventKind.DELETED), "“baseline” was deleted in ClearML.", Tone.WARNING),
        (
            _build_event(EventKind.UNDELIVERED, actor_name="slack:C1", reason="ratelimited"),
            "What happened to “baseline” could not be told at slack:C1 for a day (ratelimited).",
            Tone.WARNING,
        ),
    ],
)
def test_a_notification_is_one_sentence(event: ExperimentEvent, sentence: str, tone: Tone) -> None:
    reply = _build_message(event)
    assert reply.blocks[0] == Text(sentence, tone)
    assert reply.experiment_id == _ID
    assert not any(isinstance(block, Code) for block in reply.blocks)


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        (EventKind.STARTED, ["Show", "Log"]),
        (EventKind.COMPLETED, ["Show", "Log"]),
        (EventKind.FAILED, ["Show log", "Retry", "Clone and edit"]),
        (EventKind.ABORTED, ["Log", "Retry", "Show"]),
        (EventKind.DEQUEUED, ["Show", "Enqueue"]),
        (EventKind.ENQUEUED, ["Show", "Dequeue"]),
    ],
)
def test_notification_offers_next_steps(kind: EventKind, labels: list[str]) -> None:
    (offered,) = (block for block in _build_message(_build_event(kind)).blocks if isinstance(block, Buttons))
    assert [button.label for button in offered.buttons] == labels
    assert all(button.command.endswith(_ID) for button in offered.buttons)


def test_failure_shows_last_log_lines() -> None:
    reply = _build_message(_build_event(EventKind.FAILED), lines=("Traceback", "ValueError: no"))
    assert Code("Traceback\nValueError: no") in reply.blocks


def test_simultaneous_events_are_one_message_with_final_buttons() -> None:
    reply = _build_message(_build_event(EventKind.STARTED), _build_event(EventKind.FAILED), lines=("boom",))
    assert [block.text for block in reply.blocks if isinstance(block, Text)] == [
        "“baseline” has left Pending.",
        "“baseline” has Failed.",
        "No cause found in the log.",
    ]
    (offered,) = (block for block in reply.blocks if isinstance(block, Buttons))
    assert [button.label for button in offered.buttons] == ["Show log", "Retry", "Clone and edit"]


@pytest.mark.parametrize(
    ("line", "labels"),
    [
        ("ModuleNotFoundError: No module named 'x'", ["Clone and edit", "Show log", "Retry"]),
        ("OSError: [Errno 28] No space left on device", ["Requeue", "Show log", "Clone and edit"]),
    ],
)
def test_failure_buttons_depend_on_cause(line: str, labels: list[str]) -> None:
    reply = _build_message(_build_event(EventKind.FAILED), lines=(line,))
    (offered,) = (block for block in reply.blocks if isinstance(block, Buttons))
    assert [button.label for button in offered.buttons] == labels


def test_deleted_experiment_has_no_buttons() -> None:
    assert not any(isinstance(block, Buttons) for block in _build_message(_build_event(EventKind.DELETED)).blocks)


def test_notice_quotes_program_output_verbatim() -> None:
    show = Button("Show", f"/show {_ID}")
    notice = Notice("alert:1", "It has logged:", _NOW, buttons=(show,), quote="<b>nan</b>", experiment_id=_ID)
    notification = Notification(1, notice, Conversation("terminal", "alice"), 0, _NOW)
    reply = build_notification_message(DueMessage((notification,)))
    assert reply.blocks == (Text("It has logged:"), Code("<b>nan</b>"), Buttons((show,)))
    assert reply.experiment_id == _ID
