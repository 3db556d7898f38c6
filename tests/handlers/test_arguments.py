"""The values that each kind of argument accepts, and the advice for those that it refuses."""

from datetime import timedelta

import pytest

from clearml_chatops.handlers.arguments import (
    Converter,
    Duration,
    GpuList,
    PlainText,
    Position,
    RestOfLine,
    SeveralWords,
    StatusWord,
    WholeNumber,
)
from clearml_chatops.models.errors import InvalidValueError
from clearml_chatops.models.experiments import SHOWN_STATUSES, Status


@pytest.mark.parametrize(
    ("converter", "text", "value"),
    [
        (PlainText(), " unchanged ", " unchanged "),
        (RestOfLine(), "all of it", "all of it"),
        (SeveralWords(), "one", "one"),
        (WholeNumber(1, 10_000), "1", 1),
        (WholeNumber(1, 10_000), "10000", 10_000),
        (WholeNumber(0, 9), "007", 7),
        (Duration(), "30", timedelta(seconds=30)),
        (Duration(), "30s", timedelta(seconds=30)),
        (Duration(), "5 m", timedelta(minutes=5)),
        (Duration(), "2H", timedelta(hours=2)),
        (Duration(), "1d", timedelta(days=1)),
        (StatusWord(), "Running", Status.RUNNING),
        (StatusWord(), "in_progress", Status.RUNNING),
        (StatusWord(), " FAILED ", Status.FAILED),
        (GpuList(), "0", "0"),
        (GpuList(), "10,2, MIG-0a", "10,2,MIG-0a"),
        (GpuList(), "0:1,02", "0:1,2"),
        (GpuList(), "0-3", "0,1,2,3"),
        (GpuList(), "0–1,gpu4", "0,1,4"),
        (GpuList(), "1-1", "1"),
        (GpuList(), "ALL", "all"),
        (GpuList(), "none", "none"),
        (Position(), "front", 1),
        (Position(), "Back", -1),
        (Position(), "2", 2),
    ],
)
def test_valid_value_is_converted(converter: Converter, text: str, value: object) -> None:
    assert converter.convert(text, name="it") == value


@pytest.mark.parametrize(
    ("converter", "text", "advice"),
    [
        (WholeNumber(1, 10_000), "0", "Give one from 1 to 10000."),
        (WholeNumber(1, 10_000), "10001", "Give one from 1 to 10000."),
        (WholeNumber(1, 10_000), "-1", "Give one from 1 to 10000."),
        (WholeNumber(1, 10_000), "1.5", "Give one from 1 to 10000."),
        (WholeNumber(1, 10_000), "many", "Give one from 1 to 10000."),
        (WholeNumber(1, 10_000), "", "Give one from 1 to 10000."),
        (WholeNumber(1, 10_000), "9" * 5000, "Give one from 1 to 10000."),
        (Duration(), "0s", "Write it like 30s, 5m, 2h or 1d."),
        (Duration(), "soon", "Write it like 30s, 5m, 2h or 1d."),
        (Duration(), "1.5h", "Write it like 30s, 5m, 2h or 1d."),
        (Duration(), "9999999d", "Write it like 30s, 5m, 2h or 1d."),
        (Duration(), "-5m", "Write it like 30s, 5m, 2h or 1d."),
        (StatusWord(), "done", "Use one of Draft, Pending, Running, Completed, Failed, Aborted, Published."),
        (GpuList(), "0,", "Write it like 0,1 or all or none, or as UUIDs like GPU-…."),
        (GpuList(), "1-0", "Write it like 0,1 or all or none, or as UUIDs like GPU-…."),
        (GpuList(), "", "Write it like 0,1 or all or none, or as UUIDs like GPU-…."),
        (GpuList(), "0;rm -rf /", "Write it like 0,1 or all or none, or as UUIDs like GPU-…."),
        (GpuList(), "0,1,0", "Name each GPU once, like 0,1."),
        (GpuList(), "1,01", "Name each GPU once, like 0,1."),
        (Position(), "0", "Use front, back or a number from 1."),
        (Position(), "-1", "Use front, back or a number from 1."),
        (Position(), "middle", "Use front, back or a number from 1."),
    ],
)
def test_invalid_value_is_refused_with_advice(converter: Converter, text: str, advice: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        converter.convert(text, name="it")
    assert caught.value.values["name"] == "it"
    assert str(caught.value).startswith("it: “")
    assert str(caught.value).endswith(f". {advice}")
    assert len(str(caught.value)) < 400


def test_longest_duration_fits_timedelta() -> None:
    assert Duration().convert("999999d", name="it") == timedelta(days=999_999)


@pytest.mark.parametrize("status", SHOWN_STATUSES)
def test_every_shown_status_is_accepted(status: Status) -> None:
    assert StatusWord().convert(status.label.lower(), name="it") is status
