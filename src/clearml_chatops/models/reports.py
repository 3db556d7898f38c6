"""Reports of a conversation's experiments and their machine usage over some time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from clearml_chatops.models.experiments import Experiment


@dataclass(frozen=True, slots=True)
class MachineUsage:
    """How long one person's experiments ran, in total and multiplied by their GPUs if these are known."""

    person_name: str
    running_time: timedelta
    gpu_time: timedelta


@dataclass(frozen=True, slots=True)
class Report:
    """Experiments finished since a time, newest first, those running and waiting now, and usage per person."""

    since: datetime
    now: datetime
    finished: tuple[Experiment, ...]
    running: tuple[Experiment, ...]
    waiting: tuple[Experiment, ...]
    usages: tuple[MachineUsage, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.finished or self.running or self.waiting)
