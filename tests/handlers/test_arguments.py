"""Each kind of argument: what it takes, and what it says of the rest."""

from datetime import timedelta

import pytest

from clearml_chatops.handlers.arguments import (
    SHOWN_STATUSES,
    Converter,
    GpuList,
    Place,
    PlainText,
    RestOfLine,
    SeveralWords,
    Span,
    StatusWord,
    WholeNumber,
)
from clearml_chatops.models.errors import InvalidValueError
from clearml_chatops.models.experiments import Status


@pytest.mark.parametrize(
    ("converter", "text", "value"),
    [
        (PlainText(), " as it is ", " as it is "),
        (RestOfLine(), "all of it", "all of it"),
        (SeveralWords(), "one", "one"),
        (WholeNumber(1, 10_000), "1", 1),
        (WholeNumber(1, 10_000), "10000", 10_000),
        (WholeNumber(0, 9), "007", 7),
        (Span(), "30", timedelta(seconds=30)),
        (Span(), "30s", timedelta(seconds=30)),
        (Span(), "5 m", timedelta(minutes=5)),
        (Span(), "2H", timedelta(hours=2)),
        (Span(), "1d", timedelta(days=1)),
        (StatusWord(), "Running", Status.RUNNING),
        (StatusWord(), "in_progress", Status.RUNNING),
        (StatusWord(), " FAILED ", Status.FAILED),
        (GpuList(), "0", "0"),
        (GpuList(), "10,2, MIG-0a", "10,2,MIG-0a"),
        (GpuList(), "0:1,02", "0:1,2"),
        (GpuList(), "ALL", "all"),
        (GpuList(), "none", "none"),
        (Place(), "front", 1),
        (Place(), "Back", -1),
        (Place(), "2", 2),
    ],
)
def test_a_good_value_is_taken(converter: Converter, text: str, value: object) -> None:
    assert converter.convert(text, name="it") == value


@pytest.mark.parametrize(
    ("converter", "text", "advice"),
    [
        (WholeNumber(1, 10_000), "0", "give one from 1 to 10000."),
        (WholeNumber(1, 10_000), "10001", "give one from 1 to 10000."),
        (WholeNumber(1, 10_000), "-1", "give one from 1 to 10000."),
        (WholeNumber(1, 10_000), "1.5", "give one from 1 to 10000."),
        (WholeNumber(1, 10_000), "many", "give one from 1 to 10000."),
        (WholeNumber(1, 10_000), "", "give one from 1 to 10000."),
        (WholeNumber(1, 10_000), "9" * 5000, "give one from 1 to 10000."),
        (Span(), "0s", "write it like 30s, 5m, 2h or 1d."),
        (Span(), "soon", "write it like 30s, 5m, 2h or 1d."),
        (Span(), "1.5h", "write it like 30s, 5m, 2h or 1d."),
        (Span(), "9999999d", "write it like 30s, 5m, 2h or 1d."),
        (Span(), "-5m", "write it like 30s, 5m, 2h or 1d."),
        (StatusWord(), "done", "use one of Draft, Pending, Running, Completed, Failed, Aborted, Published."),
        (GpuList(), "0,", "write it like 0,1 or all or none, or as UUIDs like GPU-…."),
        (GpuList(), "0-1", "write it like 0,1 or all or none, or as UUIDs like GPU-…."),
        (GpuList(), "", "write it like 0,1 or all or none, or as UUIDs like GPU-…."),
        (GpuList(), "0;rm -rf /", "write it like 0,1 or all or none, or as UUIDs like GPU-…."),
        (GpuList(), "0,1,0", "name each card once, like 0,1."),
        (GpuList(), "1,01", "name each card once, like 0,1."),
        (Place(), "0", "use front, back or a number from 1."),
        (Place(), "-1", "use front, back or a number from 1."),
        (Place(), "middle", "use front, back or a number from 1."),
    ],
)
def test_a_bad_value_is_refused_with_what_to_do(converter: Converter, text: str, advice: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        converter.convert(text, name="it")
    assert caught.value.values["name"] == "it"
    assert str(caught.value).startswith("it: “")
    assert str(caught.value).endswith(f"; {advice}")
    assert len(str(caught.value)) < 400


def test_the_largest_length_of_time_is_one_that_python_can_add_up() -> None:
    assert Span().convert("999999d", name="it") == timedelta(days=999_999)


@pytest.mark.parametrize("status", SHOWN_STATUSES)
def test_every_shown_status_is_taken_by_its_word(status: Status) -> None:
    assert StatusWord().convert(status.word.lower(), name="it") is status
