# ruff: noqa: N802  # the library's names
"""NVIDIA's library without a GPU: the functions that we call, by their names, with their errors."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, TypeVar

import pynvml

from clearml_chatops.services.workers.gpu_reader import GpuReader
from tests.support.program import RunningProgram

T = TypeVar("T")

GIBIBYTE = 2**30


@dataclass
class FakeProcess:
    pid: int
    usedGpuMemory: int | None = GIBIBYTE  # noqa: N815  # the library's name


@dataclass
class FakeCard:
    """A card, or an instance of one. A function in `failing` raises the error of this number."""

    uuid: str
    name: str = "NVIDIA H100 80GB HBM3"
    utilization: int = 95
    used: int = 71 * GIBIBYTE
    total: int = 80 * GIBIBYTE
    temperature: int = 65
    milliwatts: int = 350_500
    processes: list[FakeProcess] = field(default_factory=list)
    graphics: list[FakeProcess] = field(default_factory=list)
    instances: dict[int, "FakeCard"] | None = None
    failing: dict[str, int] = field(default_factory=dict)


class FakeNvml:
    """A stand-in for the module `pynvml`. `absent` is the error with which it cannot be opened."""

    def __init__(self, *cards: FakeCard, absent: int | None = None) -> None:
        self.cards = list(cards)
        self.absent = absent
        self.opened = 0
        self.forgotten = False
        """The driver was loaded anew since it was opened."""

    def nvmlInit(self) -> None:
        if self.absent is not None:
            raise pynvml.NVMLError(self.absent)
        self.opened += 1
        self.forgotten = False

    def nvmlDeviceGetCount(self) -> int:
        if self.forgotten or not self.opened:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_UNINITIALIZED)
        return len(self.cards)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> FakeCard:
        return _answer(self.cards[index], "nvmlDeviceGetHandleByIndex", self.cards[index])

    def nvmlDeviceGetUUID(self, card: FakeCard) -> str:
        return _answer(card, "nvmlDeviceGetUUID", card.uuid)

    def nvmlDeviceGetName(self, card: FakeCard) -> str:
        return _answer(card, "nvmlDeviceGetName", card.name)

    def nvmlDeviceGetUtilizationRates(self, card: FakeCard) -> Any:
        return _answer(card, "nvmlDeviceGetUtilizationRates", SimpleNamespace(gpu=card.utilization, memory=50))

    def nvmlDeviceGetMemoryInfo(self, card: FakeCard, version: int | None = None) -> Any:
        reserved = 0 if version == pynvml.nvmlMemory_v2 else GIBIBYTE
        if version is not None:
            _answer(card, "nvmlDeviceGetMemoryInfo_v2", None)
        memory = SimpleNamespace(used=card.used + reserved, total=card.total, free=card.total - card.used)
        return _answer(card, "nvmlDeviceGetMemoryInfo", memory)

    def nvmlDeviceGetTemperature(self, card: FakeCard, sensor: int) -> int:
        assert sensor == pynvml.NVML_TEMPERATURE_GPU
        return _answer(card, "nvmlDeviceGetTemperature", card.temperature)

    def nvmlDeviceGetPowerUsage(self, card: FakeCard) -> int:
        return _answer(card, "nvmlDeviceGetPowerUsage", card.milliwatts)

    def nvmlDeviceGetEnforcedPowerLimit(self, card: FakeCard) -> int:
        return _answer(card, "nvmlDeviceGetEnforcedPowerLimit", 700_000)

    def nvmlDeviceGetComputeRunningProcesses(self, card: FakeCard) -> list[FakeProcess]:
        return _answer(card, "nvmlDeviceGetComputeRunningProcesses", card.processes)

    def nvmlDeviceGetGraphicsRunningProcesses(self, card: FakeCard) -> list[FakeProcess]:
        return _answer(card, "nvmlDeviceGetGraphicsRunningProcesses", card.graphics)

    def nvmlDeviceGetMigMode(self, card: FakeCard) -> list[int]:
        if card.instances is None:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        mode = pynvml.NVML_DEVICE_MIG_ENABLE if card.instances else pynvml.NVML_DEVICE_MIG_DISABLE
        return [mode, mode]

    def nvmlDeviceGetMaxMigDeviceCount(self, card: FakeCard) -> int:
        return 7 if card.instances else 0

    def nvmlDeviceGetMigDeviceHandleByIndex(self, card: FakeCard, index: int) -> FakeCard:
        assert card.instances is not None
        if index not in card.instances:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return card.instances[index]


def put_in(program: RunningProgram, *cards: FakeCard) -> FakeNvml:
    """Has the machine have these cards."""
    nvml = FakeNvml(*cards)
    program.program.process.__dict__["gpu_reader"] = GpuReader(nvml)
    return nvml


def split_card(uuid: str = "GPU-11111111-aaaa") -> FakeCard:
    """A card in two instances, at the places 0 and 2, that knows no utilization, as split cards do not."""
    parts = {
        place: FakeCard(
            f"MIG-{place}2222222-bbbb",
            "NVIDIA H100 80GB HBM3 MIG 3g.40gb",
            used=GIBIBYTE,
            total=40 * GIBIBYTE,
            processes=[FakeProcess(900_000 + place)],
        )
        for place in (0, 2)
    }
    unknown = {"nvmlDeviceGetUtilizationRates": pynvml.NVML_ERROR_NOT_SUPPORTED}
    return FakeCard(uuid, instances=parts, failing=unknown)


def _answer(card: FakeCard, function: str, value: T) -> T:
    if number := card.failing.get(function) or card.failing.get("*"):
        raise pynvml.NVMLError(number)
    return value
