"""Experiments that a person was shown together, to do one thing with all of them."""

from dataclasses import dataclass
from datetime import datetime

from clearml_chatops.models.experiments import Experiment, Status


@dataclass(frozen=True, slots=True)
class SelectedExperiment:
    """An experiment as it was when it was shown."""

    id: str
    name: str
    status: Status
    status_changed: datetime

    @classmethod
    def of(cls, experiment: Experiment) -> "SelectedExperiment":
        return cls(experiment.id, experiment.name, experiment.status, experiment.status_changed)

    def is_unchanged(self, now: Experiment) -> bool:
        """Return whether it has had the same status ever since."""
        return (now.status, now.status_changed) == (self.status, self.status_changed)


@dataclass(frozen=True, slots=True)
class SelectionResult:
    """What happened to one experiment of a selection. `can_repeat` is whether trying again may help."""

    experiment: SelectedExperiment
    is_done: bool
    text: str
    can_repeat: bool = False
