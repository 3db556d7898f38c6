"""What has happened to an experiment, a worker or a card, and who is told."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from clearml_chatops.models.experiments import Status
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Button


class EventKind(StrEnum):
    LEFT_PENDING = "left_pending"
    COMPLETED = "completed"
    FAILED = "failed"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class ExperimentState:
    """What the watcher remembers of an experiment between two looks.

    `pending_since` is when it was put into its queue, known only if the bot saw it pending.
    """

    experiment_id: str
    name: str
    status: Status
    status_changed: datetime
    parent_id: str = ""
    started: datetime | None = None
    completed: datetime | None = None
    worker_id: str = ""
    pending_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ExperimentEvent:
    """One thing that happened. `at` is the server's time of it, the same however often it is seen."""

    kind: EventKind
    experiment_id: str
    experiment_name: str
    at: datetime
    worker_id: str = ""
    waited: timedelta | None = None
    ran: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told of a worker or a card: a sentence, and the command lines that one may want then.

    Subject and moment make it one and the same notice, however often it is noted.
    """

    subject: str
    text: str
    at: datetime
    is_trouble: bool = False
    offers: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Notification:
    """An event for one recipient, waiting in the outbox."""

    id: int
    event: ExperimentEvent | Notice
    recipient: Conversation
    attempts: int
