"""Conditions on a run's scalars: how they are written, and whether they hold. Pure."""

import math
import re
from collections.abc import Sequence

from clearml_chatops.models.alerts import Comparison, MetricCondition
from clearml_chatops.models.errors import InvalidValueError
from clearml_chatops.models.experiments import Metric

_WRITTEN = re.compile(
    r"(?P<metric>.+?)\s*(?P<sign>>=|<=|>|<|≥|≤)\s*(?P<number>[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)"
)
_SIGNS = {"≥": ">=", "≤": "<="}


def read_condition(words: Sequence[str]) -> tuple[MetricCondition, str]:
    """The condition that the words begin with, with or without spaces in it, and what stands behind it.

    Raises:
        InvalidValueError: they begin with none.
    """
    for count in range(1, len(words) + 1):
        match = _WRITTEN.fullmatch(" ".join(words[:count]))
        if match and math.isfinite(threshold := float(match["number"])):
            comparison = Comparison(_SIGNS.get(match["sign"], match["sign"]))
            return MetricCondition(match["metric"].strip(), comparison, threshold), " ".join(words[count:])
    raise InvalidValueError(
        value=" ".join(words),
        expected="a condition",
        name="condition",
        advice="write it like val/acc>0.9 or loss<=1e-3: a scalar, one of > >= < <=, and a number.",
    )


def fitting(condition: MetricCondition, metrics: Sequence[Metric]) -> list[Metric]:
    """The scalars that a condition is about: those of its whole name, else of its title or series."""
    wanted = condition.metric.casefold()
    whole = [item for item in metrics if item.name.casefold() == wanted]
    return whole or [item for item in metrics if wanted in {item.metric.casefold(), item.variant.casefold()}]


def fulfilled(
    condition: MetricCondition, metrics: Sequence[Metric], *, before: float | None
) -> tuple[Metric, float] | None:
    """The scalar that fulfils a condition, and the value by which it does; None where none does.

    That is its last value, or one that came and went since the last look: then the run's extreme tells it,
    if it is beyond the one that was known `before`.
    """
    for metric in fitting(condition, metrics):
        if condition.comparison.holds(metric.value, condition.threshold):
            return metric, metric.value
        reached = _extreme_of(condition, metric)
        is_new = before is None or (reached > before if condition.comparison.looks_up else reached < before)
        if is_new and condition.comparison.holds(reached, condition.threshold):
            return metric, reached
    return None


def extreme(condition: MetricCondition, metrics: Sequence[Metric]) -> float | None:
    """The value of the run that comes nearest to a condition, or farthest beyond it; None before the first."""
    found = [_extreme_of(condition, metric) for metric in fitting(condition, metrics)]
    finite = [value for value in found if math.isfinite(value)]
    if not finite:
        return None
    return max(finite) if condition.comparison.looks_up else min(finite)


def _extreme_of(condition: MetricCondition, metric: Metric) -> float:
    known = metric.highest if condition.comparison.looks_up else metric.lowest
    return metric.value if known is None else known
