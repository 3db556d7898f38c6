"""Overviews of many failures: counts by cause, and a retry only where it can help."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from clearml_chatops.bot.frontends.slack.rendering import render as render_for_slack
from clearml_chatops.bot.frontends.telegram.rendering import render as render_for_telegram
from clearml_chatops.handlers.cause_phrases import UNKNOWN_CAUSE_PHRASE, get_cause_phrase
from clearml_chatops.handlers.command_line import MAX_LINE_LENGTH
from clearml_chatops.handlers.notification_messages import build_notification_message
from clearml_chatops.models.bursts import Burst
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, Notification, StoredDiagnosis
from clearml_chatops.models.replies import Reply
from clearml_chatops.services.notifications.due_messages import DueMessage
from clearml_chatops.services.notifications.failure_patterns.rows import FailureCause
from tests.support.program import get_buttons, to_plain_text

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
CHANNEL = Conversation("chat", "C1")
BURST = Burst(1, CHANNEL, NOON, NOON, NOON)


def _build_failures(count: int, cause: FailureCause | str, *, can_retry: bool) -> list[Notification]:
    diagnosis = StoredDiagnosis(str(cause), can_retry)
    return [
        Notification(
            number,
            ExperimentEvent(EventKind.FAILED, f"{number:08x}" * 4, f"{diagnosis.cause} {number}", NOON),
            CHANNEL,
            0,
            NOON,
            diagnosis=diagnosis,
        )
        for number in range(count)
    ]


def _build_reply(*groups: list[Notification]) -> Reply:
    items = [item for group in groups for item in group]
    numbered = [
        replace(item, id=number, event=replace(item.event, experiment_id=f"{number:032x}"))
        for number, item in enumerate(items)
    ]
    return build_notification_message(DueMessage(tuple(numbered), burst=BURST))


@pytest.mark.parametrize("cause", FailureCause)
def test_every_cause_has_a_phrase(cause: FailureCause) -> None:
    assert (get_cause_phrase(cause.value, 2) == UNKNOWN_CAUSE_PHRASE) == (cause is FailureCause.UNKNOWN)


def test_the_most_frequent_cause_comes_first_and_the_unknown_one_last() -> None:
    reply = _build_reply(
        _build_failures(9, FailureCause.UNKNOWN, can_retry=True),
        _build_failures(1, FailureCause.WORKER_LOST, can_retry=True),
        _build_failures(4, FailureCause.NETWORK, can_retry=True),
        _build_failures(2, FailureCause.CUDA_OUT_OF_MEMORY, can_retry=False),
    )
    lines = (
        "4 had a network error",
        "2 ran out of GPU memory",
        "1 lost its worker",
        "9 failed without a known cause",
    )
    assert "Causes\n" + "\n".join(lines) in to_plain_text(reply)
    retries = [label for label in get_buttons(reply) if label.startswith("Retry")]
    assert retries == ["Retry the 4 that had a network error", "Retry “worker_lost 0”"]


@pytest.mark.parametrize("cause", ["", "unknown", "a cause of a newer version"])
def test_an_unknown_cause_has_no_retry_for_all(cause: str) -> None:
    reply = _build_reply(_build_failures(30, cause, can_retry=True))
    assert not [label for label in get_buttons(reply) if label.startswith("Retry")]
    assert "30 failed without a known cause" in to_plain_text(reply)


def test_very_many_are_retried_by_several_buttons_that_fit_a_line() -> None:
    buttons = get_buttons(_build_reply(_build_failures(1200, FailureCause.IMAGE, can_retry=True)))
    retries = [label for label in buttons if label.startswith("Retry")]
    assert retries == [
        f"Retry {numbers} of the 1,200 that couldn't get their image"
        for numbers in ("1–500", "501–1,000", "1,001–1,200")
    ]
    assert all(len(buttons[label]) < MAX_LINE_LENGTH for label in retries)
    assert sum(buttons[label].count(" ") for label in retries) == 1200


def test_an_overview_fits_one_message_on_every_platform() -> None:
    groups = [
        [
            replace(item, event=replace(item.event, experiment_name="“<&>" * 200))  # type: ignore[arg-type]
            for item in _build_failures(40, cause, can_retry=False)
        ]
        for cause in FailureCause
    ]
    reply = _build_reply(*groups)
    assert len(render_for_telegram(reply)) == 1
    assert not render_for_slack(reply).has_files
    assert "failed for other causes" in to_plain_text(reply)


def test_the_file_names_everything() -> None:
    items = tuple(_build_failures(300, FailureCause.CODE, can_retry=False))
    reply = build_notification_message(DueMessage((), burst=BURST, shown=items, is_file=True))
    [message] = render_for_telegram(reply)
    slack = render_for_slack(reply)
    assert slack.is_only_file
    assert slack.file
    for content in (slack.file.content, message.content):  # type: ignore[union-attr]
        assert content.decode().count("“code ") == 300
