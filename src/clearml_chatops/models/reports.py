"""How the experiments of a conversation are, and what they took, over some time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from clearml_chatops.models.experiments import Experiment


@dataclass(frozen=True, slots=True)
class MachineUsage:
    """How long one person's experiments ran, and that times the cards they ran on where these are known."""

    person_name: str
    running_time: timedelta
    gpu_time: timedelta


@dataclass(frozen=True, slots=True)
class Report:
    """What has ended since a moment, the last first, and what runs and waits now; who used how much meanwhile."""

    since: datetime
    now: datetime
    finished: tuple[Experiment, ...]
    running: tuple[Experiment, ...]
    waiting: tuple[Experiment, ...]
    usages: tuple[MachineUsage, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.finished or self.running or self.waiting)
