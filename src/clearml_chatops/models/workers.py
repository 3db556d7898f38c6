"""Workers: what should run on a machine, and what was started there."""

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
    """How a worker is to run. `queues` are in the order in which it takes experiments from them.

    `gpus` is the value of the agent's `--gpus`, in normalized order, or "none". With an `image` it runs
    everything in containers of that image; with `docker` alone, in containers of the agent's default image.
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
        """The individual GPUs; "all" stands for every GPU of the machine."""
        return frozenset() if self.gpus == NO_GPUS else frozenset(self.gpus.split(","))


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """What a person asks for. Values that are None or empty stay unchanged.

    `share` allows GPUs that others use; `accepted_worker_ids` limits that to the workers of owners who agreed.
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
    """A worker that should run on a host until a person stops it. Its notifications go to `conversation`.

    If `draining`, it takes no further experiments and is stopped when idle; `successor` then replaces it. On
    `paused_queue_ids` the bot has set the tag that keeps workers from taking anything, since `paused_since`.
    `failures` counts how often in a row it ended by itself or did not start.
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
    """The bot's own record of the process of an agent that it started or found.

    The agent's own files hold no process start time; with it, a cleaned temporary folder or a reused process
    id is not mistaken for the worker.
    """

    id: str
    host: str
    process_id: int
    process_started: datetime
    started: datetime


class RunningPolicy(StrEnum):
    """What happens to a running experiment when its worker is stopped."""

    WAIT = "wait"
    REQUEUE = "requeue"
    ABORT = "abort"


@dataclass(frozen=True, slots=True)
class OwnedRun:
    """An experiment and its owner's name, even if ClearML has only the bot as its user."""

    experiment: Experiment
    owner_name: str


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A worker as desired, if the bot manages it, and as observed on the server.

    `is_running` is whether its process runs; None for a worker that the bot does not manage. `service_workers`
    are the runs of a worker in services mode: some seconds after the start the server lists each as a worker.
    """

    id: str
    desired: DesiredWorker | None = None
    observed: Worker | None = None
    is_running: bool | None = None
    service_workers: tuple[Worker, ...] = ()

    @property
    def experiment_ids(self) -> tuple[str, ...]:
        """The experiments that it runs, according to the server."""
        listed = (*((self.observed,) if self.observed else ()), *self.service_workers)
        return tuple(dict.fromkeys(item.experiment_id for item in listed if item.experiment_id))
