"""Notifications about experiments, workers and GPUs, and who gets them."""

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
    """A notification about the experiment could not be delivered for a long time; sent to the admins."""


OWN_ACTION_KINDS = frozenset(
    {EventKind.ABORTED, EventKind.ENQUEUED, EventKind.DEQUEUED, EventKind.BACK_TO_DRAFT, EventKind.DELETED}
)
"""Events caused by a person, who is not notified of them."""


DEFAULT_SUBSCRIPTION_EVENTS = frozenset(
    {EventKind.STARTED, EventKind.COMPLETED, EventKind.FAILED, EventKind.ABORTED}
)
"""What subscribers get notified of unless they choose."""

EVENT_KINDS_BY_STATUS = {
    "pending": EventKind.ENQUEUED,
    "running": EventKind.STARTED,
    "completed": EventKind.COMPLETED,
    "failed": EventKind.FAILED,
    "aborted": EventKind.ABORTED,
}
"""What subscribers may choose, by the status that an experiment then has."""


@dataclass(frozen=True, slots=True)
class ExperimentState:
    """What the watcher stores of an experiment between two polls.

    `pending_since` is when it was enqueued, known only if the bot saw it pending. `stop_requested_by` is the
    ClearML user who asked to end the run, `changed_by` the user who set the status if it was not an agent.
    `changed_by`, `reason` (for the status) and `queue_id` are not stored.
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
    """A conversation that gets notified of everybody's experiments in a queue or a project tree.

    Only events after `since`, in the server's time, count. A `private` one is for a single person, who is not
    notified of their own actions.
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
    """Something that happened to an experiment. `at` is the server's time, the same each time it is seen.

    `actor_id` is the ClearML user who did it and `actor_name` their name, if known; `reason` is ClearML's reason
    for a failure. `owner_name` is the experiment's owner, for subscribers to everybody's experiments.
    `person_ids` are the people who watch the experiment or subscribe to it, and so get this notification.
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
    """A conversation that gets notified, and the person who asked for it.

    Without a `person_id`, as for a channel that gets notified of everybody's experiments, nothing counts as an
    own action.
    """

    conversation: Conversation
    person_id: int | None
    clearml_user_id: str = ""
    subscription: Subscription | None = None
    """The subscription that causes it; None if the conversation watches the experiment itself."""


@dataclass(frozen=True, slots=True)
class OwnAction:
    """What a person did to an experiment by a command."""

    person_id: int
    person_name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification that is not about an experiment's status: a sentence, and buttons for what to do next.

    `subject` and `at` identify it: adding it again has no effect. `extra_texts` are shown below the sentence
    and left out of digests; `quote` is output of a program. `experiment_id` is set if it is about an
    experiment, and `person_id` is the person it is for.
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
    """Return what it is about, as kind and id. Notifications with the same subject are merged into one message."""
    return ("notice", event.subject) if isinstance(event, Notice) else ("experiment", event.experiment_id)


@dataclass(frozen=True, slots=True)
class StoredDiagnosis:
    """What stays known of a failed run's diagnosis: the cause, empty if its log isn't available.

    `can_retry` is whether the same run may succeed another time.
    """

    cause: str
    can_retry: bool


@dataclass(frozen=True, slots=True)
class Notification:
    """An event for one conversation, queued in the outbox.

    `burst_id` is the burst that it belongs to, if any, and `diagnosis` why the run failed, if its log was read.
    """

    id: int
    event: ExperimentEvent | Notice
    conversation: Conversation
    attempts: int
    queued: datetime
    burst_id: int | None = None
    diagnosis: StoredDiagnosis | None = None
