"""What should run on a machine, and what was started there."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from clearml_chatops.models.experiments import Experiment
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.people import QueueBinding
from clearml_chatops.models.queues import Worker

NO_GPUS, ALL_GPUS = "none", "all"


@dataclass(frozen=True, slots=True)
class WorkerPlan:
    """How a worker is to run. `queues` stand in the order in which it takes from them.

    `gpus` is what an agent's `--gpus` takes, in one and the same order, or "none". With an `image` it runs
    everything in containers of it; with `docker` alone in those of the image that the agent itself is set to.
    """

    queues: tuple[QueueBinding, ...]
    gpus: str
    image: str = ""
    services_mode: bool = False
    name: str = ""
    docker: bool = False

    @property
    def uses_containers(self) -> bool:
        return self.docker or bool(self.image)

    @property
    def queue_names(self) -> str:
        return ", ".join(queue.queue_name for queue in self.queues)

    @property
    def queue_ids(self) -> tuple[str, ...]:
        return tuple(queue.queue_id for queue in self.queues)

    @property
    def gpu_ids(self) -> frozenset[str]:
        """The cards one by one; "all" stands for every one that there is."""
        return frozenset() if self.gpus == NO_GPUS else frozenset(self.gpus.split(","))


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """What a person asks for. What is None or empty stays as it is.

    `share` takes cards that somebody has, `consents` only from these workers, whose people have agreed to it.
    """

    queue_names: tuple[str, ...] = ()
    gpus: str | None = None
    image: str | None = None
    docker: bool = False
    venv: bool = False
    services_mode: bool = False
    name: str = ""
    host: str = ""
    share: bool = False
    accepted_worker_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DesiredWorker:
    """A worker that should run on a host, until a person says otherwise. What happens to it is told where he did.

    One that is `draining` takes nothing more and is stopped when it has nothing to do; its `successor`
    then takes its place. `held_queues` are those on which the bot has set the tag that keeps workers from taking
    anything, since `held_since`. `failures` counts how often in a row it ended by itself or did not start.
    """

    id: str
    host: str
    plan: WorkerPlan
    person_id: int
    conversation: Conversation
    created: datetime
    person_name: str = ""
    draining: bool = False
    paused_queue_ids: tuple[str, ...] = ()
    paused_since: datetime | None = None
    successor: WorkerPlan | None = None
    failures: int = 0
    next_attempt: datetime | None = None


@dataclass(frozen=True, slots=True)
class StartedWorker:
    """The process of an agent that this bot started or found: our own record of it.

    The agent's own files hold no process start time; with it a cleaned temporary folder or a reused process
    id deceives nobody.
    """

    id: str
    host: str
    process_id: int
    process_started: datetime
    started: datetime


class RunningPolicy(StrEnum):
    """What becomes of the run of a worker that is to be stopped."""

    WAIT = "wait"
    REQUEUE = "requeue"
    ABORT = "abort"


@dataclass(frozen=True, slots=True)
class OwnedRun:
    """An experiment and what its owner is called, also where ClearML knows only that the bot made it."""

    experiment: Experiment
    owner_name: str


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A worker from both sides: as it should be, where it is the bot's, and as the server sees it.

    `runs` is whether its process does, None for a worker that is not the bot's. `services` are the runs of one in
    services mode: some seconds after their begin the server lists each as a worker of its own.
    """

    id: str
    desired: DesiredWorker | None = None
    observed: Worker | None = None
    is_running: bool | None = None
    service_workers: tuple[Worker, ...] = ()

    @property
    def experiment_ids(self) -> tuple[str, ...]:
        """What it runs, as the server has it."""
        listed = (*((self.observed,) if self.observed else ()), *self.service_workers)
        return tuple(dict.fromkeys(item.experiment_id for item in listed if item.experiment_id))
