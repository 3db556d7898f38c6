"""Formatting of durations, times, counts and changes."""

from datetime import UTC, datetime, timedelta

import pytest

from clearml_chatops.handlers.formatting import (
    build_changes_table,
    format_count,
    format_duration,
    format_time_ago,
    format_wait,
)
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
def test_duration_shows_two_largest_units(length: timedelta, words: str) -> None:
    assert format_duration(length) == words


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (timedelta(days=3, hours=4), "3 days ago"),
        (timedelta(hours=1, minutes=59), "1 hour ago"),
        (timedelta(minutes=5, seconds=20), "5 minutes ago"),
        (timedelta(seconds=1), "1 second ago"),
        (timedelta(seconds=0.9), "now"),
        (timedelta(seconds=-30), "now"),
    ],
)
def test_time_ago_treats_future_as_now(before: timedelta, words: str) -> None:
    assert format_time_ago(_NOW - before, _NOW) == words


def test_counts_are_pluralized() -> None:
    assert [format_count(number, "line") for number in (0, 1, 2)] == ["0 lines", "1 line", "2 lines"]


def test_changes_table_distinguishes_missing_from_empty() -> None:
    table = build_changes_table(
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
        (0, 0, "starts soon"),
        (0, 0.9, "starts soon"),
        (0.5, 12.5, "starts within about 15 min"),
        (2.2, 4.4, "starts in about 2–5 min"),
        (23, 46, "starts in about 20–50 min"),
        (40, 40, "starts in about 40 min"),
        (19.99, 40.01, "starts in about 20–40 min"),
        (50, 100, "starts in about 50 min – 2 h"),
        (100, 290, "starts in about 1–5 h"),
        (0, 600, "starts within about 10 h"),
    ],
)
def test_wait_is_a_rounded_range(lowest: float, highest: float, words: str) -> None:
    assert format_wait(WaitEstimate((timedelta(minutes=lowest), timedelta(minutes=highest)))) == words


def test_unknown_wait_is_stated() -> None:
    assert format_wait(WaitEstimate()) == "wait unknown"
    assert format_wait(WaitEstimate(has_worker=False)) == "no worker listens"
