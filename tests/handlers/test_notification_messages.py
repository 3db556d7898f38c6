"""Notification messages: sentence, cause of a failure and buttons."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from clearml_chatops.handlers.all_commands import build_registry
from clearml_chatops.handlers.command_line import split_words
from clearml_chatops.handlers.notification_messages import build_notification_message
from clearml_chatops.models.experiments import ParameterName
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, Notice, Notification
from clearml_chatops.models.replies import Button, Buttons, Code, Reply, Text, Tone
from clearml_chatops.services.notifications.diagnosis import Diagnosis, SuggestedChange, diagnose_log
from clearml_chatops.services.notifications.due_messages import DueMessage
from clearml_chatops.services.notifications.failure_patterns.rows import NextStep

_NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
_ID = "4f2a" + "0" * 28


def _build_message(*events: ExperimentEvent, lines: tuple[str, ...] = ()) -> Reply:
    recipient = Conversation("terminal", "alice")
    notifications = tuple(
        Notification(number, event, recipient, 0, _NOW) for number, event in enumerate(events, 1)
    )
    return build_notification_message(DueMessage(notifications, diagnose_log(lines) if lines else None))


def _list_buttons(diagnosis: Diagnosis) -> tuple[Button, ...]:
    failed = Notification(1, _build_event(EventKind.FAILED), Conversation("terminal", "alice"), 0, _NOW)
    reply = build_notification_message(DueMessage((failed,), diagnosis))
    (offered,) = (block for block in reply.blocks if isinstance(block, Buttons))
    return offered.buttons


def _build_event(kind: EventKind, **values: object) -> ExperimentEvent:
    return replace(ExperimentEvent(kind, _ID, "baseline", _NOW), **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("event", "sentence", "tone"),
    [
        (
            _build_event(EventKind.STARTED, worker_id="lab:q:gpu0", waiting_time=timedelta(minutes=3, seconds=5)),
            "“baseline” started on lab:q:gpu0. (waited 3 min 5 s)",
            Tone.PLAIN,
        ),
        (_build_event(EventKind.STARTED), "“baseline” started.", Tone.PLAIN),
        (
            _build_event(EventKind.STARTED, waiting_time=timedelta(0)),
            "“baseline” started. (waited less than a second)",
            Tone.PLAIN,
        ),
        (
            _build_event(EventKind.COMPLETED, running_time=timedelta(hours=2)),
            "“baseline” completed after 2 h.",
            Tone.SUCCESS,
        ),
        (_build_event(EventKind.COMPLETED), "“baseline” completed.", Tone.SUCCESS),
        (
            _build_event(EventKind.FAILED, running_time=timedelta(seconds=4)),
            "“baseline” failed after 4 s.",
            Tone.FAILURE,
        ),
        (_build_event(EventKind.ABORTED), "“baseline” was aborted.", Tone.WARNING),
        (_build_event(EventKind.ABORTED, actor_name="Bob"), "“baseline” was aborted by Bob.", Tone.WARNING),
        (
            _build_event(EventKind.ABORTED, actor_name="Bob", running_time=timedelta(minutes=5)),
            "“baseline” was aborted after 5 min by Bob.",
            Tone.WARNING,
        ),
        (_build_event(EventKind.ENQUEUED, actor_name="Bob"), "“baseline” was enqueued by Bob.", Tone.PLAIN),
        (_build_event(EventKind.DEQUEUED), "“baseline” was dequeued by someone else.", Tone.PLAIN),
        (
            _build_event(EventKind.BACK_TO_DRAFT, actor_name="Bob"),
            "“baseline” was reset by Bob. Its log is deleted.",
            Tone.PLAIN,
        ),
        (_build_event(EventKind.DELETED), "“baseline” was deleted in ClearML.", Tone.WARNING),
        (_build_event(EventKind.DELETED, actor_name="Bob"), "“baseline” was deleted by Bob.", Tone.WARNING),
        (_build_event(EventKind.COMPLETED, owner_name="Bob"), "“baseline” (Bob) completed.", Tone.SUCCESS),
        (
            _build_event(EventKind.UNDELIVERED, actor_name="slack:C1", reason="ratelimited"),
            "Notifications for “baseline” couldn't be sent to slack:C1 for a day (ratelimited).",
            Tone.WARNING,
        ),
    ],
)
def test_notification_describes_event(event: ExperimentEvent, sentence: str, tone: Tone) -> None:
    reply = _build_message(event)
    assert reply.blocks[0] == Text(sentence, tone)
    assert reply.experiment_id == _ID
    assert not any(isinstance(block, Code) for block in reply.blocks)


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        (EventKind.STARTED, ["Show", "Show log"]),
        (EventKind.COMPLETED, ["Show", "Show log"]),
        (EventKind.FAILED, ["Show log", "Retry", "Clone and edit"]),
        (EventKind.ABORTED, ["Show log", "Retry", "Show"]),
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
        "“baseline” started.",
        "“baseline” failed.",
        "No cause found in the log.",
    ]
    (offered,) = (block for block in reply.blocks if isinstance(block, Buttons))
    assert [button.label for button in offered.buttons] == ["Show log", "Retry", "Clone and edit"]


@pytest.mark.parametrize(
    ("line", "labels"),
    [
        ("ModuleNotFoundError: No module named 'x'", ["Clone and edit", "Show container", "Show log"]),
        ("OSError: [Errno 28] No space left on device", ["Retry", "Show log", "Clone and edit"]),
        ("CUDA out of memory", ["Clone and edit", "Show log", "Show GPUs"]),
        ("unknown flag: --shmsize", ["Clone and edit", "Show container", "Show log"]),
        ("train.py: error: unrecognized arguments: --gpu 1", ["Clone and edit", "Show parameters", "Show log"]),
        ("clearml_agent: ERROR: Failed getting token", ["Retry", "Show workers", "Show log"]),
        ("Failed to initialize NVML: Driver/library version mismatch", ["Show GPUs", "Retry", "Show log"]),
        ("fatal: reference is not a tree: 9f1c", ["Retry", "Show code", "Clone and edit", "Show log"]),
    ],
)
def test_failure_buttons_depend_on_cause(line: str, labels: list[str]) -> None:
    reply = _build_message(_build_event(EventKind.FAILED), lines=(line,))
    (offered,) = (block for block in reply.blocks if isinstance(block, Buttons))
    assert [button.label for button in offered.buttons] == labels


@pytest.mark.parametrize(
    ("line", "is_named"), [("No space left on device", True), ("CUDA out of memory", False), ("Killed", False)]
)
def test_the_machine_is_named_as_the_cause(line: str, is_named: bool) -> None:  # noqa: FBT001
    reply = _build_message(_build_event(EventKind.FAILED), lines=(line,))
    assert (Text("The machine is the cause, not the experiment.", Tone.SUBTLE) in reply.blocks) is is_named


def test_every_next_step_has_a_command() -> None:
    diagnosis = replace(diagnose_log(["x"]), steps=tuple(NextStep))
    names = {command.name for command in build_registry()}
    assert {split_words(button.command)[0].text.removeprefix("/") for button in _list_buttons(diagnosis)} <= names


def test_a_suggested_change_is_one_button_that_keeps_the_queue() -> None:
    change = SuggestedChange(ParameterName("Args", "gpus"), "0,1", "q1")
    diagnosis = replace(diagnose_log(["CUDA error: invalid device ordinal"]), suggested_change=change)
    rerun = _list_buttons(diagnosis)[0]
    assert rerun.label == "Rerun with gpus=0,1"
    words = split_words(rerun.command)
    assert [word.text for word in words] == ["/rerun", _ID, "Args/gpus=0,1", "queue=q1"]


def test_a_change_that_no_line_expresses_has_no_button() -> None:
    change = SuggestedChange(ParameterName("--odd", "gpus"), "0")
    diagnosis = replace(diagnose_log(["CUDA error: invalid device ordinal"]), suggested_change=change)
    assert [button.label for button in _list_buttons(diagnosis)] == [
        "Clone and edit",
        "Show parameters",
        "Show log",
    ]


def test_deleted_experiment_has_no_buttons() -> None:
    assert not any(isinstance(block, Buttons) for block in _build_message(_build_event(EventKind.DELETED)).blocks)


def test_notice_quotes_program_output_verbatim() -> None:
    show = Button("Show", f"/show {_ID}")
    notice = Notice("alert:1", "It logged:", _NOW, buttons=(show,), quote="<b>nan</b>", experiment_id=_ID)
    notification = Notification(1, notice, Conversation("terminal", "alice"), 0, _NOW)
    reply = build_notification_message(DueMessage((notification,)))
    assert reply.blocks == (Text("It logged:"), Code("<b>nan</b>"), Buttons((show,)))
    assert reply.experiment_id == _ID
