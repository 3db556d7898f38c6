"""How times, counts and changes read."""

from datetime import UTC, datetime, timedelta

import pytest

from clearml_chatops.handlers.wording import ago, changes_table, count, shown_wait, span
from clearml_chatops.models.queues import WaitEstimate
from clearml_chatops.services.experiments.differences import ValueChange

_NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(0), "0 s"),
        (timedelta(seconds=-3), "0 s"),
        (timedelta(seconds=42.9), "42 s"),
        (timedelta(seconds=60), "1 min"),
        (timedelta(minutes=3, seconds=20), "3 min 20 s"),
        (timedelta(minutes=59, seconds=59), "59 min 59 s"),
        (timedelta(hours=1, seconds=59), "1 h"),
        (timedelta(hours=2, minutes=5), "2 h 5 min"),
        (timedelta(days=1), "1 d"),
        (timedelta(days=3, hours=4, minutes=59), "3 d 4 h"),
    ],
)
def test_a_length_of_time_reads_in_its_two_largest_units(length: timedelta, words: str) -> None:
    assert span(length) == words


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(seconds=1), "1 s ago"),
        (timedelta(seconds=0.9), "now"),
        (timedelta(seconds=-30), "now"),
    ],
)
def test_a_moment_reads_as_how_long_ago_it_was_and_the_future_is_now(before: timedelta, words: str) -> None:
    assert ago(_NOW - before, _NOW) == words


def test_counts_have_their_plural() -> None:
    assert [count(number, "line") for number in (0, 1, 2)] == ["0 lines", "1 line", "2 lines"]


def test_a_table_of_changes_tells_nothing_from_empty() -> None:
    table = changes_table(
        (
            ValueChange("Args/lr", "0.1", "0.05"),
            ValueChange("Args/note", None, ""),
            ValueChange("Args/x", "", None),
        ),
        "before",
        "now",
    )
    assert table.columns == ("", "before", "now")
    assert table.rows == (
        ("Args/lr", "0.1", "0.05"),
        ("Args/note", "—", "(empty)"),
        ("Args/x", "(empty)", "—"),
    )


@pytest.mark.parametrize(
    ("lowest", "highest", "words"),
    [
        (0, 0, "soon"),
        (0, 0.9, "soon"),
        (0.5, 12.5, "soon, or within about 15 min"),
        (2.2, 4.4, "about 2–5 min"),
        (23, 46, "about 20–50 min"),
        (40, 40, "about 40 min"),
        (19.99, 40.01, "about 20–40 min"),
        (50, 100, "about 50 min – 2 h"),
        (100, 290, "about 1–5 h"),
        (0, 600, "soon, or within about 10 h"),
    ],
)
def test_a_wait_reads_as_a_range_with_round_ends(lowest: float, highest: float, words: str) -> None:
    assert shown_wait(WaitEstimate((timedelta(minutes=lowest), timedelta(minutes=highest)))) == words


def test_a_wait_that_nobody_can_tell_says_so() -> None:
    assert shown_wait(WaitEstimate()) == "wait unknown"
    assert shown_wait(WaitEstimate(has_worker=False)) == "no worker listens"
