"""Alarms about experiments that are pending or running and seem stuck."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class AlarmKind(StrEnum):
    UNATTENDED = "unattended"
    """Pending, and no worker listens on its queue."""
    SILENT = "silent"
    """Running without any activity: no log line, no iteration, no GPU use."""
    WORKER_LOST = "worker_lost"
    """Running, and its agent has stopped reporting."""


@dataclass(frozen=True, slots=True)
class AlarmThresholds:
    """How long a condition must last before people get notified; zero turns the alarm off."""

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
    """A condition of an experiment that has lasted since `since`, by the bot's own clock.

    `fingerprint` describes the observed state: a different one means that the experiment has progressed.
    `is_notified` is whether people were notified of this stall.
    """

    experiment_id: str
    kind: AlarmKind
    fingerprint: str
    since: datetime
    is_notified: bool = False
