"""Alerts: one-time notifications about a value that a run reports, or a line that it logs."""

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
        """Whether high values meet it, so that a run's highest value decides."""
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
    """A scalar that crosses a threshold. `metric` is the full name, `title/series`, or one of the two."""

    metric: str
    comparison: Comparison
    threshold: float

    def __str__(self) -> str:
        return f"{self.metric} {self.comparison} {self.threshold:.12g}"


@dataclass(frozen=True, slots=True)
class LogCondition:
    """A log line that matches a regular expression."""

    pattern: str

    def __str__(self) -> str:
        return f"log matches “{self.pattern}”"


Condition = MetricCondition | LogCondition


@dataclass(frozen=True, slots=True)
class AlertProgress:
    """What polling has covered so far for one alert.

    `extreme` is the metric's highest value at the last poll, or the lowest for conditions met by low values.
    Only log lines after `log_since` count; the next poll reads after `log_read_until`.
    """

    extreme: float | None = None
    log_since: datetime | None = None
    log_read_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """A person's alert in a conversation. `number` is its permanent name and is never reused."""

    number: int
    experiment_id: str
    experiment_name: str
    condition: Condition
    conversation: Conversation
    person_id: int
    created: datetime
    progress: AlertProgress = AlertProgress()
