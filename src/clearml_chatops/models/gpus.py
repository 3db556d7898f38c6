"""The GPUs of a machine as the driver tells of them, and who is on them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from clearml_chatops.models.messages import Conversation


@dataclass(frozen=True, slots=True)
class GpuProcess:
    """A process that uses a card, and how many bytes of its memory; None where the driver does not tell."""

    id: int
    memory: int | None = None


@dataclass(frozen=True, slots=True)
class MigInstance:
    """A part of a card that works as a card of its own. Memory in bytes."""

    index: int
    uuid: str
    name: str = ""
    memory_used: int | None = None
    memory_total: int | None = None
    processes: tuple[GpuProcess, ...] = ()


@dataclass(frozen=True, slots=True)
class Gpu:
    """A card. What it does not know of itself is None; of one that is `lost` nothing is known any more.

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
        """Its own processes and those of its instances, each once."""
        listed = [*self.processes, *(process for instance in self.instances for process in instance.processes)]
        return tuple({process.id: process for process in listed}.values())


@dataclass(frozen=True, slots=True)
class Occupant:
    """Who a process on a card belongs to, as far as it can be told; what cannot is empty.

    `account` is the machine's user that runs it, `program` what is run, `person` the experiment's owner.
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
    """A card and who is on it."""

    gpu: Gpu
    occupants: tuple[Occupant, ...] = ()

    @property
    def is_idle_but_occupied(self) -> bool:
        """Whether processes keep its memory from others and have it do nothing."""
        return bool(self.occupants) and self.gpu.utilization == 0 and bool(self.gpu.memory_used)


@dataclass(frozen=True, slots=True)
class GpuWatch:
    """A conversation that is told when a card is free: nobody is on it, or so many bytes of its memory are free.

    It has to have been so for a while, `lasting`; `free_since` is since when it is. `person_id` is who wants it.
    """

    host: str
    gpu: str
    conversation: Conversation
    required_duration: timedelta
    required_memory: int | None = None
    free_since: datetime | None = None
    person_id: int | None = None
