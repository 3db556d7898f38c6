"""What may be wrong with an experiment that waits or runs."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class AlarmKind(StrEnum):
    UNATTENDED = "unattended"
    """It waits, and no worker listens on its queue."""
    SILENT = "silent"
    """It runs and gives no sign of life: no log, no iteration, no use of a card."""
    WORKER_LOST = "worker_lost"
    """It runs, and its agent reports no more."""


@dataclass(frozen=True, slots=True)
class AlarmThresholds:
    """For how long something must be so before it is told; zero is never."""

    unattended: timedelta = timedelta(minutes=10)
    silent: timedelta = timedelta(minutes=30)
    worker_lost: timedelta = timedelta(minutes=10)

    def get(self, kind: AlarmKind) -> timedelta:
        match kind:
            case AlarmKind.UNATTENDED:
                return self.unattended
            case AlarmKind.SILENT:
                return self.silent
            case AlarmKind.WORKER_LOST:
                return self.worker_lost


@dataclass(frozen=True, slots=True)
class Stall:
    """Something of an experiment that has not moved since `since`, by our own clock.

    `sign` is how it stands: another one means that it moved. `told` is whether an alarm was given of it.
    """

    experiment_id: str
    kind: AlarmKind
    fingerprint: str
    since: datetime
    is_notified: bool = False
