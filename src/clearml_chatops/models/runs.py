"""Activity and log pages of pending and running experiments, without parameters and curves."""

from dataclasses import dataclass
from datetime import datetime

from clearml_chatops.models.experiments import LogLine, Status


@dataclass(frozen=True, slots=True)
class RunActivity:
    """Status of an experiment, and its latest activity.

    `worker_last_report` is when its agent last reported this run, in the server's time.
    `last_log_milliseconds` and `last_gpu_use_milliseconds` are by the clock of the run's machine: compare them
    to see whether something new has come, not when.
    """

    experiment_id: str
    name: str
    status: Status
    status_changed: datetime
    queue_id: str = ""
    worker_id: str = ""
    worker_last_report: datetime | None = None
    last_iteration: int = 0
    last_log_milliseconds: int = 0
    last_gpu_use_milliseconds: int = 0
    is_setting_up: bool = False


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some lines of a log, oldest first, up to `read_until`; None if there were none."""

    lines: tuple[LogLine, ...]
    read_until: datetime | None
    is_last: bool
