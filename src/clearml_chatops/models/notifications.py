"""What has happened to an experiment, a worker or a card, and who is told."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Button


class EventKind(StrEnum):
    STARTED = "started"
    COMPLETED = "completed"
    FAILED = "failed"
    ABORTED = "aborted"
    ENQUEUED = "enqueued"
    DEQUEUED = "dequeued"
    BACK_TO_DRAFT = "back_to_draft"
    DELETED = "deleted"
    UNDELIVERED = "undelivered"
    """Something of the experiment could not be told for a long time: a note to the admins."""


OWN_ACTION_KINDS = frozenset(
    {EventKind.ABORTED, EventKind.ENQUEUED, EventKind.DEQUEUED, EventKind.BACK_TO_DRAFT, EventKind.DELETED}
)
"""What somebody did, which is not announced to himself."""


DEFAULT_SUBSCRIPTION_EVENTS = frozenset(
    {EventKind.STARTED, EventKind.COMPLETED, EventKind.FAILED, EventKind.ABORTED}
)
"""What subscribers are told of unless they choose."""

EVENT_KINDS_BY_STATUS = {
    "pending": EventKind.ENQUEUED,
    "running": EventKind.STARTED,
    "completed": EventKind.COMPLETED,
    "failed": EventKind.FAILED,
    "aborted": EventKind.ABORTED,
}
"""What subscribers may choose, by the status that an experiment has then."""


@dataclass(frozen=True, slots=True)
class ExperimentState:
    """What the watcher remembers of an experiment between two looks.

    `pending_since` is when it was put into its queue, known only if the bot saw it pending. `stopping_by` is
    the ClearML user who asked for the end of the run, `changed_by` the one who set the status, where that
    was no agent; the latter is seen and not kept, and neither are the `reason` for the status and the queue.
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
    stop_requested_by: str = ""
    changed_by: str = field(default="", compare=False)
    reason: str = field(default="", compare=False)
    queue_id: str = field(default="", compare=False)


class SubscriptionKind(StrEnum):
    QUEUE = "queue"
    PROJECT = "project"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A conversation that is told of everybody's experiments in a queue, or in a project and those below it.

    Of what happened up to `since`, the server's time, nothing is told. One that is `private` is for one
    person alone, who is not told of what he does himself.
    """

    kind: SubscriptionKind
    target_id: str
    name: str
    conversation: Conversation
    person_id: int
    event_kinds: frozenset[EventKind]
    since: datetime
    private: bool = False
    clearml_user_id: str = ""

    def covers(self, experiment: Experiment) -> bool:
        if self.kind is SubscriptionKind.QUEUE:
            return experiment.queue_id == self.target_id
        is_in_subproject = experiment.project_name.startswith(f"{self.name}/")
        return experiment.project_id == self.target_id or is_in_subproject

    def includes(self, kind: EventKind, at: datetime) -> bool:
        return kind in self.event_kinds and at > self.since


@dataclass(frozen=True, slots=True)
class ExperimentEvent:
    """One thing that happened. `at` is the server's time of it, the same however often it is seen.

    `by` is the ClearML user who did it and `by_name` what people call him, where that is known; `reason` is
    what ClearML notes of a failure. `owner` is whose experiment it is, for those who are told of everybody's.
    `people` have wanted to be told of it where it is told, by watching it or by a subscription.
    """

    kind: EventKind
    experiment_id: str
    experiment_name: str
    at: datetime
    worker_id: str = ""
    waiting_time: timedelta | None = None
    running_time: timedelta | None = None
    actor_id: str = ""
    actor_name: str = ""
    reason: str = ""
    owner_name: str = ""
    person_ids: tuple[int, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Recipient:
    """A conversation that is told, and the person who wanted it.

    A channel that is told of everybody's experiments is no person: nothing is its own doing.
    """

    conversation: Conversation
    person_id: int | None
    clearml_user_id: str = ""
    subscription: Subscription | None = None
    """By which it is told; None where it watches the experiment itself."""


@dataclass(frozen=True, slots=True)
class OwnAction:
    """What a person did to an experiment by a command."""

    person_id: int
    person_name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told beside the events: a sentence, and the command lines that one may want then.

    Subject and moment make it one and the same notice, however often it is noted. `more` are the texts below
    the sentence, which a digest leaves out; `quote` is text of a program that it repeats. One about an
    experiment names it, and `person_id` is whom it is meant for.
    """

    subject: str
    text: str
    at: datetime
    is_warning: bool = False
    buttons: tuple[Button, ...] = ()
    quote: str = ""
    experiment_id: str = ""
    person_id: int | None = None
    extra_texts: tuple[str, ...] = ()


def get_subject(event: ExperimentEvent | Notice) -> tuple[str, str]:
    """What it is about: kind and id. Of one subject several are one message."""
    return ("notice", event.subject) if isinstance(event, Notice) else ("experiment", event.experiment_id)


@dataclass(frozen=True, slots=True)
class Notification:
    """An event for one recipient, waiting in the outbox."""

    id: int
    event: ExperimentEvent | Notice
    conversation: Conversation
    attempts: int
    queued: datetime
