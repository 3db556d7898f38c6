"""The summary of the notifications deferred during a pause."""

from datetime import UTC, datetime, timedelta

from clearml_chatops.handlers.message_lines import MAX_BUTTONS, MAX_LINES
from clearml_chatops.handlers.notification_messages import build_notification_message
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, Notice, Notification
from clearml_chatops.models.replies import Buttons, Reply, Text, Tone
from clearml_chatops.services.notifications.due_messages import DueMessage
from tests.support.program import get_buttons, to_plain_text

NIGHT = datetime(2026, 11, 22, 22, 10, tzinfo=UTC)
CONVERSATION = Conversation("chat", "C1")


def _build_event(kind: EventKind, name: str, *, hours: float = 0, **more: object) -> ExperimentEvent:
    return ExperimentEvent(kind, name, name, NIGHT + timedelta(hours=hours), **more)  # type: ignore[arg-type]


def _build_summary(*events: ExperimentEvent | Notice, zone: str = "Europe/Berlin") -> Reply:
    notifications = tuple(
        Notification(number, event, CONVERSATION, 0, NIGHT) for number, event in enumerate(events, 1)
    )
    return build_notification_message(DueMessage(notifications, is_summary=True, zone=zone))


def test_summary_lists_each_experiment_with_failed_first() -> None:
    reply = _build_summary(
        _build_event(EventKind.STARTED, "a"),
        _build_event(EventKind.STARTED, "b", hours=1),
        _build_event(EventKind.COMPLETED, "a", hours=5, running_time=timedelta(hours=5, minutes=2)),
        _build_event(EventKind.FAILED, "c", hours=5, running_time=timedelta(seconds=4)),
        _build_event(EventKind.ABORTED, "d", hours=6, actor_name="Bob"),
        _build_event(EventKind.DELETED, "e", hours=6),
        Notice("gpu:lab:1", "GPU 1 on lab is free.", NIGHT),
    )
    assert [block for block in reply.blocks if isinstance(block, Text)] == [
        Text(
            "While notifications were paused: 1 Failed, 1 Completed, 1 Aborted, 1 Running, 2 other", Tone.HEADING
        ),
        Text("Failed\n“c”: failed after 4 s", Tone.FAILURE),
        Text("Completed\n“a”: started 23:10, completed after 5 h 2 min", Tone.SUCCESS),
        Text("Aborted\n“d”: aborted by Bob", Tone.WARNING),
        Text("Running\n“b”: started 00:10"),
        Text("Other\n“e”: deleted"),
        Text("GPU 1 on lab is free."),
    ]
    assert get_buttons(reply) == {"Show log of c": "/log c", "Show watch list": "/watching"}


def test_surplus_lines_are_counted() -> None:
    failed = [_build_event(EventKind.FAILED, f"bad {number}") for number in range(MAX_LINES + 4)]
    reply = _build_summary(*failed, _build_event(EventKind.COMPLETED, "good"), Notice("gpu:lab:1", "Free.", NIGHT))
    text = to_plain_text(reply)
    assert text.count("“bad ") == MAX_LINES
    assert "and 6 more" in text
    assert "good" not in text
    (offered,) = (block for block in reply.blocks if isinstance(block, Buttons))
    assert len(offered.buttons) == MAX_BUTTONS + 1


def test_long_names_are_truncated_to_one_line() -> None:
    reply = _build_summary(
        _build_event(EventKind.FAILED, "x\n" * 500), _build_event(EventKind.COMPLETED, "y", actor_name="z" * 999)
    )
    assert max(len(line) for line in to_plain_text(reply).splitlines()) < 200
    assert len([block for block in reply.blocks if isinstance(block, Text)]) == 3
