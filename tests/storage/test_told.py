"""The file of what was told in the last moment: it outlives the process, and is never in the way."""

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, Notification
from clearml_chatops.storage.told import ToldFile

_NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
_FIRST = Notification(
    7,
    ExperimentEvent(EventKind.COMPLETED, "4f2a", "first", at=_NOON),
    Conversation("telegram", "7"),
    attempts=0,
    noted=_NOON,
)
_SECOND = replace(_FIRST, id=8)


def test_what_was_told_is_known_to_the_next_program_until_it_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "told"
    told = ToldFile(path)
    assert _FIRST not in told
    told.add([_FIRST])
    told.add([_SECOND])
    assert _FIRST in ToldFile(path)
    assert _SECOND in ToldFile(path)
    told.remove([_FIRST])
    assert _FIRST not in told
    assert _SECOND in ToldFile(path)
    told.remove([_SECOND])
    assert path.read_text() == ""
    assert _SECOND not in ToldFile(path)


def test_a_notification_of_another_database_with_the_same_number_is_another(tmp_path: Path) -> None:
    ToldFile(tmp_path / "told").add([_FIRST])
    assert replace(_FIRST, noted=_NOON + timedelta(microseconds=1)) not in ToldFile(tmp_path / "told")


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    ToldFile(tmp_path / "told").add([_FIRST])
    assert (tmp_path / "told").stat().st_mode & 0o777 == 0o600


def test_where_the_file_cannot_be_written_the_process_knows_it_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told = ToldFile(tmp_path / "missing" / "told")
    with caplog.at_level(logging.WARNING):
        told.add([_FIRST])
    assert _FIRST in told
    assert "What was told is not noted" in caplog.text
    told.remove([_FIRST])
    assert _FIRST not in told


@pytest.mark.parametrize("content", [b"", b"7", b"\xff\xfe\x00", b"\n\n7 2026"])
def test_a_file_that_says_nothing_stops_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "told").write_bytes(content)
    told = ToldFile(tmp_path / "told")
    assert _FIRST not in told
    told.add([_FIRST])
    assert _FIRST in told
