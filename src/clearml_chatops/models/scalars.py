"""Scalars: what a run reported over its iterations."""

from dataclasses import dataclass

_MACHINE_METRIC_PREFIX = ":monitor:"


@dataclass(frozen=True, slots=True)
class Curve:
    """One scalar over the iterations, thinned by the server where it has very many points.

    Values that are no number, and infinite ones, stand as such.
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
    """What a line of a picture says, in three numbers; None where it has no finite value."""

    name: str
    last: float
    lowest: float | None
    highest: float | None


def is_machine_metric(metric: str) -> bool:
    """Whether the SDK reported it of the machine's load, and not the script of its own work."""
    return metric.startswith(_MACHINE_METRIC_PREFIX)
