"""What a look at an experiment that waits or runs tells, without its parameters and curves."""

from dataclasses import dataclass
from datetime import datetime

from clearml_chatops.models.experiments import LogLine, Status


@dataclass(frozen=True, slots=True)
class RunActivity:
    """How an experiment is and what it has given of itself.

    `worker_reported` is the server's time of its agent's last report of this run. `last_log` and `gpu_busy`
    are when it last logged and last used a card, as milliseconds of its machine's clock: good for telling
    whether something has come, not for telling when.
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
    """Some lines of a log, oldest first, up to the moment `reached`; None where there was nothing."""

    lines: tuple[LogLine, ...]
    read_until: datetime | None
    is_last: bool
