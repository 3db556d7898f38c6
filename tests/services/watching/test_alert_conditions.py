"""Conditions on metrics: how they are written, and when they are met."""

import pytest

from clearml_chatops.models.alerts import Comparison, MetricCondition
from clearml_chatops.models.errors import InvalidValueError
from clearml_chatops.models.experiments import Metric
from clearml_chatops.services.watching.alert_conditions import (
    find_extreme,
    find_fulfilling_metric,
    find_matching_metrics,
    parse_condition,
)


@pytest.mark.parametrize(
    ("line", "condition", "rest"),
    [
        ("val/acc>0.9", "val/acc > 0.9", ""),
        ("val/acc>=0.9 4f2a", "val/acc >= 0.9", "4f2a"),
        ("loss/train < 1e-3", "loss/train < 0.001", ""),
        ("loss <=-2.5E+1 my run", "loss <= -25", "my run"),
        ("val acc>.5", "val acc > 0.5", ""),
        ("acc≥1. last", "acc >= 1", "last"),
        ("acc≤0", "acc <= 0", ""),
        ("a>b>3", "a>b > 3", ""),
        ("точность>0.9", "точность > 0.9", ""),
    ],
)
def test_parses_a_condition_with_or_without_spaces(line: str, condition: str, rest: str) -> None:
    read, remainder = parse_condition(line.split())
    assert (str(read), remainder) == (condition, rest)


@pytest.mark.parametrize(
    "line", ["", "val/acc", "val/acc>", ">0.9", "val/acc=0.9", "acc>high", "acc>0,9", "acc>1e999", "acc>nan"]
)
def test_invalid_condition_is_rejected_with_an_example(line: str) -> None:
    with pytest.raises(InvalidValueError, match=r"Write it like val/acc>0\.9"):
        parse_condition(line.split())


def test_threshold_keeps_its_precision() -> None:
    assert str(parse_condition(["acc>0.123456789"])[0]) == "acc > 0.123456789"


def build_metric(value: float, lowest: float | None = None, highest: float | None = None) -> Metric:
    return Metric("val", "acc", value, lowest, highest)


@pytest.mark.parametrize(
    ("comparison", "previous_extreme", "metric", "expected"),
    [
        (">", None, build_metric(0.95), 0.95),
        (">", None, build_metric(0.9), None),
        (">=", None, build_metric(0.9), 0.9),
        ("<", None, build_metric(0.9), None),
        ("<=", None, build_metric(0.9), 0.9),
        ("<", None, build_metric(0.5, 0.5, 0.8), 0.5),
        # The value was reached between two polls.
        (">", 0.8, build_metric(0.7, 0.1, 0.93), 0.93),
        ("<", 1.2, build_metric(1.1, 0.4, 3.0), 0.4),
        # It was reached before the alert was set.
        (">", 0.93, build_metric(0.7, 0.1, 0.93), None),
        ("<", 0.4, build_metric(1.1, 0.4, 3.0), None),
        # It was reached before, and is again.
        (">", 0.93, build_metric(0.91, 0.1, 0.93), 0.91),
        # These are the first values.
        (">", None, build_metric(0.7, 0.1, 0.93), 0.93),
        # The value rises, but has not reached it yet.
        (">", 0.5, build_metric(0.8, 0.1, 0.85), None),
        # The server reports no extremes.
        (">", 0.5, build_metric(0.8), None),
        (">", None, build_metric(float("nan"), 0.1, 0.2), None),
    ],
)
def test_when_a_condition_is_met(
    comparison: str, previous_extreme: float | None, metric: Metric, expected: float | None
) -> None:
    condition = MetricCondition("val/acc", Comparison(comparison), 0.9)
    found = find_fulfilling_metric(condition, [metric], previous_extreme=previous_extreme)
    assert (found[1] if found else None) == expected


def test_extreme_follows_the_comparison() -> None:
    above, below = (MetricCondition("val/acc", Comparison(sign), 0.9) for sign in (">", "<"))
    metrics = [build_metric(0.5, 0.1, 0.8), Metric("train", "acc", 7.0, 7.0, 7.0)]
    assert (find_extreme(above, metrics), find_extreme(below, metrics)) == (0.8, 0.1)
    assert find_extreme(above, []) is None


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("val/acc", ["val/acc"]),
        ("VAL/ACC", ["val/acc"]),
        ("val", ["val/acc", "val/acc_top5"]),
        ("acc", ["val/acc", "train/acc"]),
        ("ac", []),
        ("val/ac", []),
    ],
)
def test_metric_name_matches_full_name_title_or_series(name: str, found: list[str]) -> None:
    metrics = [Metric("val", "acc", 1), Metric("val", "acc_top5", 1), Metric("train", "acc", 1)]
    condition = MetricCondition(name, Comparison.ABOVE, 0)
    assert [item.name for item in find_matching_metrics(condition, metrics)] == found
