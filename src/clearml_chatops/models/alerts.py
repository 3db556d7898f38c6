"""What somebody wants to be told of once: a value that a run reports, or a line that it logs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from operator import ge, gt, le, lt

from clearml_chatops.models.messages import Conversation


class Comparison(StrEnum):
    ABOVE = ">"
    AT_LEAST = ">="
    BELOW = "<"
    AT_MOST = "<="

    @property
    def is_met_by_high_values(self) -> bool:
        """Whether a high value fulfils it, so that a run's highest tells whether one did."""
        return self in {Comparison.ABOVE, Comparison.AT_LEAST}

    def is_met(self, value: float, threshold: float) -> bool:
        return _OPERATORS[self](value, threshold)


_OPERATORS: dict[Comparison, Callable[[float, float], bool]] = {
    Comparison.ABOVE: gt,
    Comparison.AT_LEAST: ge,
    Comparison.BELOW: lt,
    Comparison.AT_MOST: le,
}


@dataclass(frozen=True, slots=True)
class MetricCondition:
    """A scalar beyond a number. `metric` is a whole name, `title/series`, or one of the two."""

    metric: str
    comparison: Comparison
    threshold: float

    def __str__(self) -> str:
        return f"{self.metric} {self.comparison} {self.threshold:.12g}"


@dataclass(frozen=True, slots=True)
class LogCondition:
    """A log line in which a regular expression is found."""

    pattern: str

    def __str__(self) -> str:
        return f"log “{self.pattern}”"


Condition = MetricCondition | LogCondition


@dataclass(frozen=True, slots=True)
class AlertProgress:
    """How far the looks for one alert have come.

    `extreme` is the highest value of the metric at the last look, the lowest where a low one is waited for.
    Log lines count that stand behind `log_from`; the next look begins behind `log_next`.
    """

    extreme: float | None = None
    log_since: datetime | None = None
    log_read_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """Somebody's wish to be told. `number` names it for good: it is never another's."""

    number: int
    experiment_id: str
    experiment_name: str
    condition: Condition
    conversation: Conversation
    person_id: int
    created: datetime
    progress: AlertProgress = AlertProgress()
