"""Conditions on a run's metrics: parsing them, and checking whether they are met. Pure."""

import math
import re
from collections.abc import Sequence

from clearml_chatops.models.alerts import Comparison, MetricCondition
from clearml_chatops.models.errors import InvalidValueError
from clearml_chatops.models.experiments import Metric

_CONDITION_PATTERN = re.compile(
    r"(?P<metric>.+?)\s*(?P<sign>>=|<=|>|<|≥|≤)\s*(?P<number>[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)"
)
_COMPARISON_ALIASES = {"≥": ">=", "≤": "<="}


def parse_condition(words: Sequence[str]) -> tuple[MetricCondition, str]:
    """Return the condition at the start of the words, with or without spaces in it, and the rest.

    Raises:
        InvalidValueError: the words do not start with a condition.
    """
    for count in range(1, len(words) + 1):
        match = _CONDITION_PATTERN.fullmatch(" ".join(words[:count]))
        if match and math.isfinite(threshold := float(match["number"])):
            comparison = Comparison(_COMPARISON_ALIASES.get(match["sign"], match["sign"]))
            return MetricCondition(match["metric"].strip(), comparison, threshold), " ".join(words[count:])
    raise InvalidValueError(
        value=" ".join(words),
        expected="a condition",
        name="condition",
        advice="write it like val/acc>0.9 or loss<=1e-3: a metric, one of > >= < <=, and a number.",
    )


def find_matching_metrics(condition: MetricCondition, metrics: Sequence[Metric]) -> list[Metric]:
    """Return the metrics that a condition is about: those with its full name, else with its title or series."""
    name = condition.metric.casefold()
    exact_matches = [item for item in metrics if item.name.casefold() == name]
    return exact_matches or [item for item in metrics if name in {item.metric.casefold(), item.variant.casefold()}]


def find_fulfilling_metric(
    condition: MetricCondition, metrics: Sequence[Metric], *, previous_extreme: float | None
) -> tuple[Metric, float] | None:
    """Return the metric that meets a condition and the value that does, None if there is none.

    That is its last value, or one reached between two polls: then the run's extreme meets the condition
    and lies beyond `previous_extreme`.
    """
    for metric in find_matching_metrics(condition, metrics):
        if condition.comparison.is_met(metric.value, condition.threshold):
            return metric, metric.value
        extreme_value = _get_extreme(condition, metric)
        is_new = previous_extreme is None or (
            extreme_value > previous_extreme
            if condition.comparison.is_met_by_high_values
            else extreme_value < previous_extreme
        )
        if is_new and condition.comparison.is_met(extreme_value, condition.threshold):
            return metric, extreme_value
    return None


def find_extreme(condition: MetricCondition, metrics: Sequence[Metric]) -> float | None:
    """Return the highest or lowest finite value, whichever may meet the condition; None without values."""
    extremes = [_get_extreme(condition, metric) for metric in find_matching_metrics(condition, metrics)]
    finite = [value for value in extremes if math.isfinite(value)]
    is_highest = condition.comparison.is_met_by_high_values
    return max(finite, default=None) if is_highest else min(finite, default=None)


def _get_extreme(condition: MetricCondition, metric: Metric) -> float:
    recorded = metric.highest if condition.comparison.is_met_by_high_values else metric.lowest
    return metric.value if recorded is None else recorded
