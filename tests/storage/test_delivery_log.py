"""The delivery log: it outlives the process, and a broken file stops nothing."""

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clearml_chatops.models.bursts import Burst
from clearml_chatops.models.messages import Conversation, SentMessage
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, Notification
from clearml_chatops.storage.delivery_log import DeliveryLog

_NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
_FIRST = Notification(
    7,
    ExperimentEvent(EventKind.COMPLETED, "4f2a", "first", at=_NOON),
    Conversation("telegram", "7"),
    attempts=0,
    queued=_NOON,
)
_SECOND = replace(_FIRST, id=8)


def test_the_message_that_shows_a_notification_outlives_the_process(tmp_path: Path) -> None:
    path = tmp_path / "delivered"
    message = SentMessage(Conversation("telegram", "-1007"), "42")
    DeliveryLog(path).add([_FIRST], message)
    DeliveryLog(path).add([_SECOND])
    restarted = DeliveryLog(path)
    assert restarted.find_message(_FIRST) == message
    assert restarted.find_message(_SECOND) is None
    path.write_text(path.read_text().replace(" 42", ""))
    cut_off = DeliveryLog(path)
    assert _FIRST in cut_off
    assert cut_off.find_message(_FIRST) is None


def test_the_file_of_a_burst_is_recorded_apart_from_notifications(tmp_path: Path) -> None:
    burst = Burst(7, _FIRST.conversation, _NOON, _NOON, _NOON)
    DeliveryLog(tmp_path / "delivered").add([burst])
    restarted = DeliveryLog(tmp_path / "delivered")
    assert burst in restarted
    assert _FIRST not in restarted
    restarted.remove([burst])
    assert burst not in DeliveryLog(tmp_path / "delivered")


def test_entries_outlive_the_process_until_they_are_removed(tmp_path: Path) -> None:
    path = tmp_path / "delivered"
    delivery_log = DeliveryLog(path)
    assert _FIRST not in delivery_log
    delivery_log.add([_FIRST])
    delivery_log.add([_SECOND])
    assert _FIRST in DeliveryLog(path)
    assert _SECOND in DeliveryLog(path)
    delivery_log.remove([_FIRST])
    assert _FIRST not in delivery_log
    assert _SECOND in DeliveryLog(path)
    delivery_log.remove([_SECOND])
    assert path.read_text() == ""
    assert _SECOND not in DeliveryLog(path)


def test_the_same_number_of_another_database_does_not_match(tmp_path: Path) -> None:
    DeliveryLog(tmp_path / "delivered").add([_FIRST])
    assert replace(_FIRST, queued=_NOON + timedelta(microseconds=1)) not in DeliveryLog(tmp_path / "delivered")


def test_the_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    DeliveryLog(tmp_path / "delivered").add([_FIRST])
    assert (tmp_path / "delivered").stat().st_mode & 0o777 == 0o600


def test_entries_are_kept_in_memory_when_the_file_cannot_be_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    delivery_log = DeliveryLog(tmp_path / "missing" / "delivered")
    with caplog.at_level(logging.WARNING):
        delivery_log.add([_FIRST])
    assert _FIRST in delivery_log
    assert "Can't record sent notifications" in caplog.text
    delivery_log.remove([_FIRST])
    assert _FIRST not in delivery_log


@pytest.mark.parametrize("content", [b"", b"7", b"\xff\xfe\x00", b"\n\n7 2026"])
def test_an_unreadable_file_is_ignored(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "delivered").write_bytes(content)
    delivery_log = DeliveryLog(tmp_path / "delivered")
    assert _FIRST not in delivery_log
    delivery_log.add([_FIRST])
    assert _FIRST in delivery_log
