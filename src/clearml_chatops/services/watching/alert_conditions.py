"""Conditions on a run's scalars: how they are written, and whether they hold. Pure."""

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
    """The condition that the words begin with, with or without spaces in it, and what stands behind it.

    Raises:
        InvalidValueError: they begin with none.
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
        advice="write it like val/acc>0.9 or loss<=1e-3: a scalar, one of > >= < <=, and a number.",
    )


def find_matching_metrics(condition: MetricCondition, metrics: Sequence[Metric]) -> list[Metric]:
    """The scalars that a condition is about: those of its whole name, else of its title or series."""
    name = condition.metric.casefold()
    exact_matches = [item for item in metrics if item.name.casefold() == name]
    return exact_matches or [item for item in metrics if name in {item.metric.casefold(), item.variant.casefold()}]


def find_fulfilling_metric(
    condition: MetricCondition, metrics: Sequence[Metric], *, previous_extreme: float | None
) -> tuple[Metric, float] | None:
    """The scalar that fulfils a condition, and the value by which it does; None where none does.

    That is its last value, or one that came and went since the last look: then the run's extreme tells it,
    if it is beyond the one that was known `before`.
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
    """The value of the run that comes nearest to a condition, or farthest beyond it; None before the first."""
    extremes = [_get_extreme(condition, metric) for metric in find_matching_metrics(condition, metrics)]
    finite = [value for value in extremes if math.isfinite(value)]
    if not finite:
        return None
    return max(finite) if condition.comparison.is_met_by_high_values else min(finite)


def _get_extreme(condition: MetricCondition, metric: Metric) -> float:
    recorded = metric.highest if condition.comparison.is_met_by_high_values else metric.lowest
    return metric.value if recorded is None else recorded
