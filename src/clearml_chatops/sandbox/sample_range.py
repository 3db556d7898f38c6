"""Samples over time, grouped into equal intervals as the statistics endpoints do."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from clearml_chatops.sandbox.documents import Document


@dataclass(frozen=True)
class SampleRange:
    """A time range divided into intervals, all in whole seconds since 1970."""

    start: int
    end: int
    interval: int

    @classmethod
    def from_request(cls, data: Document) -> "SampleRange":
        """Create the range from a request's from_date, to_date and interval."""
        interval = max(int(data["interval"]), 1)
        start = int(data["from_date"]) // interval * interval
        return cls(start, int(data["to_date"]), interval)

    def list_dates(self) -> list[int]:
        """Return the start of each interval, in milliseconds."""
        return [second * 1000 for second in range(self.start, self.end, self.interval)]

    def find_date(self, moment: datetime) -> int | None:
        """Return the start of the interval that contains a time, or None outside the range."""
        second = moment.timestamp()
        if not self.start <= second <= self.end:
            return None
        return int(second // self.interval * self.interval) * 1000

    def group_by_date(self, samples: Iterable[tuple[datetime, float]]) -> dict[int, list[float]]:
        """Return the values of each interval that has any."""
        values_by_date: dict[int, list[float]] = {}
        for moment, value in samples:
            date = self.find_date(moment)
            if date is not None:
                values_by_date.setdefault(date, []).append(value)
        return dict(sorted(values_by_date.items()))

    def compute_means(self, samples: Iterable[tuple[datetime, float]]) -> dict[int, float]:
        return {date: sum(values) / len(values) for date, values in self.group_by_date(samples).items()}
