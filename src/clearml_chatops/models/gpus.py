"""The GPUs of a machine as the driver reports them, and who uses them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from clearml_chatops.models.messages import Conversation


@dataclass(frozen=True, slots=True)
class GpuProcess:
    """A process that uses a GPU, and how many bytes of its memory; None if the driver does not report it."""

    id: int
    memory: int | None = None


@dataclass(frozen=True, slots=True)
class MigInstance:
    """A MIG instance: a part of a GPU that works like a separate one. Memory in bytes."""

    index: int
    uuid: str
    name: str = ""
    memory_used: int | None = None
    memory_total: int | None = None
    processes: tuple[GpuProcess, ...] = ()


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU. Metrics that it does not support are None; for a `lost` one all metrics are unknown.

    Utilization in percent, memory in bytes, temperature in degrees Celsius, power in watts.
    """

    index: int
    uuid: str = ""
    name: str = ""
    utilization: int | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    temperature: int | None = None
    power: float | None = None
    power_limit: float | None = None
    processes: tuple[GpuProcess, ...] = ()
    instances: tuple[MigInstance, ...] = ()
    lost: bool = False

    @property
    def all_processes(self) -> tuple[GpuProcess, ...]:
        """The GPU's own processes and those of its instances, without duplicates."""
        listed = [*self.processes, *(process for instance in self.instances for process in instance.processes)]
        return tuple({process.id: process for process in listed}.values())


@dataclass(frozen=True, slots=True)
class Occupant:
    """The owner of a process on a GPU, as far as known; unknown fields are empty.

    `system_user` is the operating system's user that runs it, `program` the name of the program, `person_name`
    the experiment's owner.
    """

    process: GpuProcess
    worker_id: str = ""
    experiment_id: str = ""
    experiment_name: str = ""
    person_name: str = ""
    system_user: str = ""
    program: str = ""


@dataclass(frozen=True, slots=True)
class GpuUsage:
    """A GPU and who uses it."""

    gpu: Gpu
    occupants: tuple[Occupant, ...] = ()

    @property
    def is_idle_but_occupied(self) -> bool:
        """Whether processes occupy its memory but it is idle."""
        return bool(self.occupants) and self.gpu.utilization == 0 and bool(self.gpu.memory_used)


@dataclass(frozen=True, slots=True)
class GpuWatch:
    """A conversation that gets notified when a GPU is free: unused, or with `required_memory` bytes free.

    The GPU must have been free for `required_duration`; `free_since` is the start of that time. `person_id` is
    who set the watch.
    """

    host: str
    gpu: str
    conversation: Conversation
    required_duration: timedelta
    required_memory: int | None = None
    free_since: datetime | None = None
    person_id: int | None = None
