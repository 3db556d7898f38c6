"""Experiments (ClearML's tasks) and what belongs to one: parameters, container, script, metrics."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

SHORT_ID_LENGTH = 8
"""Characters of an id shown to people; enough to be unique among a team's experiments."""


STOPPING_STATUS_MESSAGE = "stopping"
"""The status message by which ClearML asks an agent to end a run; an agent looks every 5 s."""

_CHANGED_BY_AGENT_PREFIX = "Changed by clearml-agent"


class Status(StrEnum):
    """A status as the API writes it; `word` is the one the web UI shows."""

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
        """Whether a run has ended, well or badly."""
        return self in {Status.COMPLETED, Status.FAILED, Status.ABORTED, Status.PUBLISHED, Status.CLOSED}

    @classmethod
    def from_text(cls, text: str) -> "Status | None":
        """The status a person means by `word`: the web UI's word or the API's."""
        normalized = text.strip().casefold()
        return next((status for status in cls if normalized in {status.value, status.label.casefold()}), None)


@dataclass(frozen=True, slots=True, order=True)
class ParameterName:
    """Section and name of a hyper-parameter, written `Args/lr` in the web UI and `args.lr` in commands."""

    section: str
    name: str

    def __str__(self) -> str:
        return f"{self.section}/{self.name}"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One hyper-parameter. ClearML keeps every value as text; `type` is what the script declared."""

    section: str
    name: str
    value: str
    type: str | None = None
    description: str | None = None

    @property
    def key(self) -> ParameterName:
        return ParameterName(self.section, self.name)


@dataclass(frozen=True, slots=True)
class Container:
    """Where a run happens: docker image, arguments of `docker run`, shell script run before the start.

    `other` holds the keys that ClearML keeps besides these, so that writing one part loses none.
    """

    image: str = ""
    arguments: str = ""
    setup_shell_script: str = ""
    other: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Script:
    """Which code a run executes. `other` holds what ClearML keeps besides: uncommitted changes, packages."""

    repository: str = ""
    branch: str = ""
    commit: str = ""
    entry_point: str = ""
    working_directory: str = ""
    other: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Metric:
    """The last value of one scalar, and its extremes over the whole run where the server told them."""

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
    """An experiment as the server had it at one moment."""

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
        """Whether its status was set by the agent that runs it, and not by a person."""
        return self.status_message.startswith(_CHANGED_BY_AGENT_PREFIX)

    @property
    def is_stopping(self) -> bool:
        """Whether its agent was asked to end it, and has not yet."""
        return self.status is Status.RUNNING and self.status_message == STOPPING_STATUS_MESSAGE

    @property
    def is_setting_up(self) -> bool:
        """Whether it runs, but its own code has not been heard of yet.

        The agent says that it runs before it pulls the image and installs the packages. ClearML's SDK blanks
        what the agent wrote when the code begins; other code is heard of by what it reports.
        """
        has_reported = self.last_iteration > 0 or bool(self.metrics)
        by_agent = self.status_message.endswith("by agent") or self.is_changed_by_agent
        return self.status is Status.RUNNING and by_agent and not has_reported

    def compute_running_time(self, now: datetime) -> timedelta | None:
        """How long it has run, or ran; None when it never started."""
        if self.started is None or self.status in {Status.DRAFT, Status.PENDING}:
            return None
        return (
            max((self.completed or now) - self.started, timedelta(0))
            if self.status.is_finished
            else now - self.started
        )


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a run's console."""

    at: datetime
    text: str
