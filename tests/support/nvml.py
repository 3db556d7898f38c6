# ruff: noqa: N802  # the library's names
"""A fake of NVIDIA's library without a GPU: the functions that the bot calls, with their errors."""

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
class FakeGpu:
    """A GPU, or an instance of one. A function in `errors` raises the error with this number."""

    uuid: str
    name: str = "NVIDIA H100 80GB HBM3"
    utilization: int = 95
    used: int = 71 * GIBIBYTE
    total: int = 80 * GIBIBYTE
    temperature: int = 65
    milliwatts: int = 350_500
    processes: list[FakeProcess] = field(default_factory=list)
    graphics_processes: list[FakeProcess] = field(default_factory=list)
    instances: dict[int, "FakeGpu"] | None = None
    errors: dict[str, int] = field(default_factory=dict)


class FakeNvml:
    """A fake of the module `pynvml`. `init_error` is the error that nvmlInit raises."""

    def __init__(self, *gpus: FakeGpu, init_error: int | None = None) -> None:
        self.gpus = list(gpus)
        self.init_error = init_error
        self.init_count = 0
        self.is_driver_reloaded = False
        """The driver was reloaded after the last nvmlInit."""

    def nvmlInit(self) -> None:
        if self.init_error is not None:
            raise pynvml.NVMLError(self.init_error)
        self.init_count += 1
        self.is_driver_reloaded = False

    def nvmlDeviceGetCount(self) -> int:
        if self.is_driver_reloaded or not self.init_count:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_UNINITIALIZED)
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> FakeGpu:
        return _return_or_raise(self.gpus[index], "nvmlDeviceGetHandleByIndex", self.gpus[index])

    def nvmlDeviceGetUUID(self, device: FakeGpu) -> str:
        return _return_or_raise(device, "nvmlDeviceGetUUID", device.uuid)

    def nvmlDeviceGetName(self, device: FakeGpu) -> str:
        return _return_or_raise(device, "nvmlDeviceGetName", device.name)

    def nvmlDeviceGetUtilizationRates(self, device: FakeGpu) -> Any:
        return _return_or_raise(
            device, "nvmlDeviceGetUtilizationRates", SimpleNamespace(gpu=device.utilization, memory=50)
        )

    def nvmlDeviceGetMemoryInfo(self, device: FakeGpu, version: int | None = None) -> Any:
        reserved = 0 if version == pynvml.nvmlMemory_v2 else GIBIBYTE
        if version is not None:
            _return_or_raise(device, "nvmlDeviceGetMemoryInfo_v2", None)
        memory = SimpleNamespace(used=device.used + reserved, total=device.total, free=device.total - device.used)
        return _return_or_raise(device, "nvmlDeviceGetMemoryInfo", memory)

    def nvmlDeviceGetTemperature(self, device: FakeGpu, sensor: int) -> int:
        assert sensor == pynvml.NVML_TEMPERATURE_GPU
        return _return_or_raise(device, "nvmlDeviceGetTemperature", device.temperature)

    def nvmlDeviceGetPowerUsage(self, device: FakeGpu) -> int:
        return _return_or_raise(device, "nvmlDeviceGetPowerUsage", device.milliwatts)

    def nvmlDeviceGetEnforcedPowerLimit(self, device: FakeGpu) -> int:
        return _return_or_raise(device, "nvmlDeviceGetEnforcedPowerLimit", 700_000)

    def nvmlDeviceGetComputeRunningProcesses(self, device: FakeGpu) -> list[FakeProcess]:
        return _return_or_raise(device, "nvmlDeviceGetComputeRunningProcesses", device.processes)

    def nvmlDeviceGetGraphicsRunningProcesses(self, device: FakeGpu) -> list[FakeProcess]:
        return _return_or_raise(device, "nvmlDeviceGetGraphicsRunningProcesses", device.graphics_processes)

    def nvmlDeviceGetMigMode(self, device: FakeGpu) -> list[int]:
        if device.instances is None:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        mode = pynvml.NVML_DEVICE_MIG_ENABLE if device.instances else pynvml.NVML_DEVICE_MIG_DISABLE
        return [mode, mode]

    def nvmlDeviceGetMaxMigDeviceCount(self, device: FakeGpu) -> int:
        return 7 if device.instances else 0

    def nvmlDeviceGetMigDeviceHandleByIndex(self, device: FakeGpu, index: int) -> FakeGpu:
        assert device.instances is not None
        if index not in device.instances:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return device.instances[index]


def install_gpus(program: RunningProgram, *gpus: FakeGpu) -> FakeNvml:
    """Give the program's machine these GPUs."""
    nvml = FakeNvml(*gpus)
    program.program.process.__dict__["gpu_reader"] = GpuReader(nvml)
    return nvml


def build_split_gpu(uuid: str = "GPU-11111111-aaaa") -> FakeGpu:
    """Build a GPU with MIG instances 0 and 2. Like all MIG GPUs it reports no utilization."""
    instances = {
        index: FakeGpu(
            f"MIG-{index}2222222-bbbb",
            "NVIDIA H100 80GB HBM3 MIG 3g.40gb",
            used=GIBIBYTE,
            total=40 * GIBIBYTE,
            processes=[FakeProcess(900_000 + index)],
        )
        for index in (0, 2)
    }
    errors = {"nvmlDeviceGetUtilizationRates": pynvml.NVML_ERROR_NOT_SUPPORTED}
    return FakeGpu(uuid, instances=instances, errors=errors)


def _return_or_raise(gpu: FakeGpu, function: str, value: T) -> T:
    if error_number := gpu.errors.get(function) or gpu.errors.get("*"):
        raise pynvml.NVMLError(error_number)
    return value
