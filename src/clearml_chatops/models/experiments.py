"""Experiments (ClearML's tasks) and their parts: parameters, container, script, metrics, log lines."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

SHORT_ID_LENGTH = 8
"""Characters of an id shown to people; enough to be unique among a team's experiments."""


STOPPING_STATUS_MESSAGE = "stopping"
"""The status message by which ClearML asks an agent to end a run; agents poll it every 5 s."""

REMOVED_FROM_QUEUE_REASON = "Task was removed from the queue"
"""What a status reason begins with if ClearML set the status because the experiment left its queue."""

_SDK_PLACEHOLDERS = {"None", "NoneType", "==SUPPRESS=="}
"""What the SDK stores for an argument without help or type, and for one that argparse hides."""

_CHANGED_BY_AGENT_PREFIX = "Changed by clearml-agent"


class Status(StrEnum):
    """A status as the API writes it; `label` is the name that the web UI shows."""

    DRAFT = "created"
    PENDING = "queued"
    RUNNING = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    ABORTED = "stopped"
    PUBLISHED = "published"
    PUBLISHING = "publishing"
    CLOSED = "closed"
    UNKNOWN = "unknown"

    @property
    def label(self) -> str:
        return self.name.capitalize()

    @property
    def is_finished(self) -> bool:
        """Whether a run has ended, successfully or not."""
        return self in {Status.COMPLETED, Status.FAILED, Status.ABORTED, Status.PUBLISHED, Status.CLOSED}

    @classmethod
    def from_text(cls, text: str) -> "Status | None":
        """Return the status with this name, as the web UI or the API writes it; None if there is none."""
        normalized = text.strip().casefold()
        return next((status for status in cls if normalized in {status.value, status.label.casefold()}), None)


SHOWN_STATUSES = (
    Status.DRAFT,
    Status.PENDING,
    Status.RUNNING,
    Status.COMPLETED,
    Status.FAILED,
    Status.ABORTED,
    Status.PUBLISHED,
)
"""The statuses that people see and search for."""


@dataclass(frozen=True, slots=True, order=True)
class ParameterName:
    """Section and name of a hyperparameter, written `Args/lr` in the web UI and `args.lr` in commands."""

    section: str
    name: str

    def __str__(self) -> str:
        return f"{self.section}/{self.name}"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One hyperparameter. ClearML stores every value as text; `type` is what the script declared."""

    section: str
    name: str
    value: str
    type: str | None = None
    description: str | None = None

    @property
    def key(self) -> ParameterName:
        return ParameterName(self.section, self.name)

    @property
    def type_label(self) -> str:
        """The type to show; empty if the script declared none."""
        return _remove_placeholder(self.type)

    @property
    def help_text(self) -> str:
        """The description to show; empty if the script has none."""
        return _remove_placeholder(self.description)


def _remove_placeholder(text: str | None) -> str:
    return "" if text is None or text.strip() in _SDK_PLACEHOLDERS else text


@dataclass(frozen=True, slots=True)
class Container:
    """A run's container: Docker image, arguments of `docker run`, and a shell script run before the start.

    `other` holds all further keys that ClearML stores; they are written back with every change.
    """

    image: str = ""
    arguments: str = ""
    setup_shell_script: str = ""
    other: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Script:
    """The code that a run executes. `other` holds all else that ClearML stores: uncommitted changes, packages."""

    repository: str = ""
    branch: str = ""
    commit: str = ""
    entry_point: str = ""
    working_directory: str = ""
    other: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Metric:
    """The last value of one scalar, and its extremes over the whole run if the server sent them."""

    metric: str
    variant: str
    value: float
    lowest: float | None = None
    highest: float | None = None

    @property
    def name(self) -> str:
        return f"{self.metric}/{self.variant}"


@dataclass(frozen=True, slots=True)
class Experiment:
    """A snapshot of an experiment on the server."""

    id: str
    name: str
    status: Status
    status_changed: datetime
    user_id: str = ""
    user_name: str = ""
    project_id: str = ""
    project_name: str = ""
    parent_id: str = ""
    status_reason: str = ""
    status_message: str = ""
    tags: tuple[str, ...] = ()
    archived: bool = False
    hidden: bool = False
    """Whether ClearML's web UI hides it: a dataset, a step of a pipeline, or all in a hidden project."""

    parameters: tuple[Parameter, ...] = ()
    container: Container = Container()
    script: Script = Script()
    queue_id: str = ""
    worker_id: str = ""
    agent_host: str = ""
    created: datetime | None = None
    started: datetime | None = None
    completed: datetime | None = None
    last_iteration: int = 0
    metrics: tuple[Metric, ...] = ()
    changed_by_id: str = ""

    @property
    def short_id(self) -> str:
        return self.id[:SHORT_ID_LENGTH]

    @property
    def is_draft(self) -> bool:
        return self.status is Status.DRAFT

    @property
    def is_changed_by_agent(self) -> bool:
        """Whether the agent that runs it set its status, rather than a person."""
        return self.status_message.startswith(_CHANGED_BY_AGENT_PREFIX)

    @property
    def is_stopping(self) -> bool:
        """Whether its agent was asked to end it and has not done so yet."""
        return self.status is Status.RUNNING and self.status_message == STOPPING_STATUS_MESSAGE

    @property
    def is_setting_up(self) -> bool:
        """Whether it is running, but its own code has not started yet.

        The agent sets the status to running before it pulls the image and installs the packages. ClearML's SDK
        clears the agent's status message when the code starts; code without the SDK is noticed when it reports.
        """
        has_reported = self.last_iteration > 0 or bool(self.metrics)
        by_agent = self.status_message.endswith("by agent") or self.is_changed_by_agent
        return self.status is Status.RUNNING and by_agent and not has_reported

    def compute_running_time(self, now: datetime) -> timedelta | None:
        """Return how long it has been running, or ran; None if it never started."""
        if self.started is None or self.status in {Status.DRAFT, Status.PENDING}:
            return None
        return (
            max((self.completed or now) - self.started, timedelta(0))
            if self.status.is_finished
            else now - self.started
        )


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a run's console log."""

    at: datetime
    text: str
