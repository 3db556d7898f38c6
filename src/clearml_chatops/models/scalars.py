"""Scalars that a run reported over its iterations."""

from dataclasses import dataclass

_MACHINE_METRIC_PREFIX = ":monitor:"


@dataclass(frozen=True, slots=True)
class Curve:
    """One scalar over the iterations, thinned out by the server if it has very many points.

    NaN and infinite values are kept.
    """

    experiment_id: str
    metric: str
    variant: str
    iterations: tuple[float, ...]
    values: tuple[float, ...]

    @property
    def name(self) -> str:
        return f"{self.metric}/{self.variant}"


@dataclass(frozen=True, slots=True)
class CurveSummary:
    """A curve in three numbers; `lowest` and `highest` are None without finite values."""

    name: str
    last: float
    lowest: float | None
    highest: float | None


def is_machine_metric(metric: str) -> bool:
    """Return whether the SDK reported it about the machine, rather than the script about its work."""
    return metric.startswith(_MACHINE_METRIC_PREFIX)
