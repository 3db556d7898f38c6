"""The messages that tell what happened to an experiment."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from clearml_chatops.handlers.notification_messages import notification_message
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, Notice, Notification
from clearml_chatops.models.replies import Button, Buttons, Code, Reply, Text, Tone
from clearml_chatops.services.notifications.notifications import DueMessage
from clearml_chatops.services.notifications.triage import triaged

_NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
_ID = "4f2a" + "0" * 28


def _message(*events: ExperimentEvent, lines: tuple[str, ...] = ()) -> Reply:
    recipient = Conversation("terminal", "alice")
    notifications = tuple(
        Notification(number, event, recipient, 0, _NOW) for number, event in enumerate(events, 1)
    )
    return notification_message(DueMessage(notifications, triaged(lines) if lines else None))


def _event(kind: EventKind, **values: object) -> ExperimentEvent:
    return replace(ExperimentEvent(kind, _ID, "baseline", _NOW), **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("event", "sentence", "tone"),
    [
        (
            _event(EventKind.LEFT_PENDING, worker_id="lab:q:gpu0", waited=timedelta(minutes=3, seconds=5)),
            "“baseline” has left Pending after 3 min 5 s, picked up by lab:q:gpu0.",
            Tone.PLAIN,
        ),
        (_event(EventKind.LEFT_PENDING), "“baseline” has left Pending.", Tone.PLAIN),
        (
            _event(EventKind.LEFT_PENDING, waited=timedelta(0)),
            "“baseline” has left Pending at once.",
            Tone.PLAIN,
        ),
        (_event(EventKind.COMPLETED, ran=timedelta(hours=2)), "“baseline” is Completed after 2 h.", Tone.SUCCESS),
        (_event(EventKind.COMPLETED), "“baseline” is Completed.", Tone.SUCCESS),
        (_event(EventKind.FAILED, ran=timedelta(seconds=4)), "“baseline” has Failed after 4 s.", Tone.FAILURE),
        (_event(EventKind.ABORTED), "“baseline” was Aborted.", Tone.WARNING),
        (_event(EventKind.ABORTED, by_name="Bob"), "“baseline” was Aborted by Bob.", Tone.WARNING),
        (_event(EventKind.ENQUEUED, by_name="Bob"), "“baseline” was enqueued by Bob.", Tone.PLAIN),
        (_event(EventKind.DEQUEUED), "“baseline” was taken out of its queue by another person.", Tone.PLAIN),
        (
            _event(EventKind.BACK_TO_DRAFT, by_name="Bob"),
            "“baseline” was made a Draft again by Bob; its log is deleted.",
            Tone.PLAIN,
        ),
        (_event(EventKind.DELETED), "“baseline” was deleted in ClearML.", Tone.WARNING),
        (
            _event(EventKind.UNDELIVERED, by_name="slack:C1", reason="ratelimited"),
            "What happened to “baseline” could not be told at slack:C1 for a day (ratelimited).",
            Tone.WARNING,
        ),
    ],
)
def test_a_notification_is_one_sentence(event: ExperimentEvent, sentence: str, tone: Tone) -> None:
    reply = _message(event)
    assert reply.blocks[0] == Text(sentence, tone)
    assert reply.experiment_id == _ID
    assert not any(isinstance(block, Code) for block in reply.blocks)


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        (EventKind.LEFT_PENDING, ["Show", "Log"]),
        (EventKind.COMPLETED, ["Show", "Log"]),
        (EventKind.FAILED, ["Show log", "Retry", "Clone and edit"]),
        (EventKind.ABORTED, ["Log", "Retry", "Show"]),
        (EventKind.DEQUEUED, ["Show", "Enqueue"]),
        (EventKind.ENQUEUED, ["Show", "Dequeue"]),
    ],
)
def test_a_notification_offers_what_one_does_next(kind: EventKind, labels: list[str]) -> None:
    (offered,) = (block for block in _message(_event(kind)).blocks if isinstance(block, Buttons))
    assert [button.label for button in offered.buttons] == labels
    assert all(button.command.endswith(_ID) for button in offered.buttons)


def test_a_failure_is_told_with_the_last_lines_of_its_log() -> None:
    reply = _message(_event(EventKind.FAILED), lines=("Traceback", "ValueError: no"))
    assert Code("Traceback\nValueError: no") in reply.blocks


def test_all_that_happened_at_once_is_one_message_with_the_buttons_of_its_end() -> None:
    reply = _message(_event(EventKind.LEFT_PENDING), _event(EventKind.FAILED), lines=("boom",))
    assert [block.text for block in reply.blocks if isinstance(block, Text)] == [
        "“baseline” has left Pending.",
        "“baseline” has Failed.",
        "Its log does not tell why.",
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
def test_a_failure_offers_first_what_helps(line: str, labels: list[str]) -> None:
    reply = _message(_event(EventKind.FAILED), lines=(line,))
    (offered,) = (block for block in reply.blocks if isinstance(block, Buttons))
    assert [button.label for button in offered.buttons] == labels


def test_what_is_deleted_offers_nothing() -> None:
    assert not any(isinstance(block, Buttons) for block in _message(_event(EventKind.DELETED)).blocks)


def test_a_notice_quotes_what_a_program_wrote_as_it_is_and_is_about_its_experiment() -> None:
    show = Button("Show", f"/show {_ID}")
    notice = Notice("alert:1", "It has logged:", _NOW, offers=(show,), quote="<b>nan</b>", experiment_id=_ID)
    notification = Notification(1, notice, Conversation("terminal", "alice"), 0, _NOW)
    reply = notification_message(DueMessage((notification,)))
    assert reply.blocks == (Text("It has logged:"), Code("<b>nan</b>"), Buttons((show,)))
    assert reply.experiment_id == _ID
