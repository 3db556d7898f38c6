"""Queues and the workers that listen on them."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """A pending experiment; entries are in the order in which workers take them."""

    experiment_id: str
    added: datetime
    experiment_name: str = ""


@dataclass(frozen=True, slots=True)
class WaitEstimate:
    """How much longer an experiment waits, as lower and upper bound; None if unknown.

    Without a worker on the queue it never starts.
    """

    bounds: tuple[timedelta, timedelta] | None = None
    has_worker: bool = True


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """Where an experiment waits: its position from 1 and the number of experiments waiting; 0 if unknown.

    `wait_estimate` is None if it was not requested.
    """

    queue_name: str
    number: int = 0
    waiting_count: int = 0
    wait_estimate: WaitEstimate | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    id: str
    name: str
    entries: tuple[QueueEntry, ...] = ()
    worker_ids: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def find_position_number(self, experiment_id: str) -> int | None:
        """Return the position of an experiment, from 1; None if it is not in this queue."""
        return next(
            (number for number, entry in enumerate(self.entries, 1) if entry.experiment_id == experiment_id),
            None,
        )

    def find_position(self, experiment_id: str, wait_estimate: WaitEstimate | None = None) -> QueuePosition | None:
        """Return the position of an experiment; None if it is not in this queue."""
        number = self.find_position_number(experiment_id)
        return QueuePosition(self.name, number, len(self.entries), wait_estimate) if number else None


@dataclass(frozen=True, slots=True)
class Worker:
    """An agent as the server sees it. `registered` is when it started, by the server's clock."""

    id: str
    queue_names: tuple[str, ...]
    user_name: str = ""
    experiment_id: str = ""
    experiment_name: str = ""
    running_time: timedelta | None = None
    last_seen: datetime | None = None
    queue_ids: tuple[str, ...] = ()
    registered: datetime | None = None
