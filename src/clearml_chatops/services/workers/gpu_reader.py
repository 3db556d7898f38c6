"""Reading the machine's GPUs with NVIDIA's NVML library. The only module that imports `pynvml`."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pynvml

from clearml_chatops.models.errors import NoGpuDriverError
from clearml_chatops.models.gpus import Gpu, GpuProcess, MigInstance

_MILLIWATTS = 1000

_LOST_ERRORS = (pynvml.NVML_ERROR_GPU_IS_LOST, pynvml.NVML_ERROR_RESET_REQUIRED)
_UNSUPPORTED_VERSION_ERRORS = (
    pynvml.NVML_ERROR_FUNCTION_NOT_FOUND,
    pynvml.NVML_ERROR_ARGUMENT_VERSION_MISMATCH,
    pynvml.NVML_ERROR_INVALID_ARGUMENT,
    pynvml.NVML_ERROR_NOT_SUPPORTED,
)


class GpuReader:
    """A reader of the machine's GPUs: one reading at a time, in a thread.

    `nvml` is the library's module. It is initialized once per process, because that takes longer than a reading.
    """

    def __init__(self, nvml: Any = pynvml) -> None:
        self._nvml = nvml
        self._lock = threading.Lock()
        self._is_initialized = False
        self._known_gpus: dict[int, tuple[str, str]] = {}

    async def read_gpus(self) -> tuple[Gpu, ...]:
        """Return all GPUs of this machine by index, including lost ones.

        Raises:
            NoGpuDriverError: the NVIDIA driver is missing or doesn't work.
        """
        return await asyncio.to_thread(self._read_gpus)

    def _read_gpus(self) -> tuple[Gpu, ...]:
        with self._lock:
            try:
                self._initialize()
                try:
                    count = self._nvml.nvmlDeviceGetCount()
                except pynvml.NVMLError:
                    # The driver was reloaded, so the library has to be initialized again.
                    self._is_initialized = False
                    self._initialize()
                    count = self._nvml.nvmlDeviceGetCount()
            except pynvml.NVMLError as error:
                raise NoGpuDriverError(reason=str(error), instead="") from error
            return tuple(self._try_read_gpu(index) for index in range(count))

    def _initialize(self) -> None:
        if not self._is_initialized:
            self._nvml.nvmlInit()
            self._is_initialized = True

    def _try_read_gpu(self, index: int) -> Gpu:
        try:
            return self._read_gpu(index)
        except pynvml.NVMLError as error:
            uuid, name = self._known_gpus.get(index, ("", ""))
            # A GPU without permission exists anyway; only its values are unknown.
            return Gpu(index, uuid, name, lost=error.value in _LOST_ERRORS)

    def _read_gpu(self, index: int) -> Gpu:
        """Read a GPU. Raises NVMLError only if the whole GPU is unreadable."""
        nvml = self._nvml
        device = nvml.nvmlDeviceGetHandleByIndex(index)
        uuid, name = nvml.nvmlDeviceGetUUID(device), _read_or_none(nvml.nvmlDeviceGetName, device) or ""
        self._known_gpus[index] = (uuid, name)
        rates = _read_or_none(nvml.nvmlDeviceGetUtilizationRates, device)
        memory = self._read_memory(device)
        power, limit = (
            _read_or_none(nvml.nvmlDeviceGetPowerUsage, device),
            _read_or_none(nvml.nvmlDeviceGetEnforcedPowerLimit, device),
        )
        return Gpu(
            index=index,
            uuid=uuid,
            name=name,
            utilization=None if rates is None else int(rates.gpu),
            memory_used=None if memory is None else int(memory.used),
            memory_total=None if memory is None else int(memory.total),
            temperature=_read_or_none(nvml.nvmlDeviceGetTemperature, device, pynvml.NVML_TEMPERATURE_GPU),
            power=None if power is None else power / _MILLIWATTS,
            power_limit=None if limit is None else limit / _MILLIWATTS,
            processes=self._read_processes(device),
            instances=tuple(self._read_instances(device)),
        )

    def _read_memory(self, device: Any) -> Any:
        """Read memory with the newer call if possible: it excludes the driver's own reserve from used memory."""
        try:
            return self._nvml.nvmlDeviceGetMemoryInfo(device, version=pynvml.nvmlMemory_v2)
        except pynvml.NVMLError as error:
            if error.value not in _UNSUPPORTED_VERSION_ERRORS:
                _raise_if_lost(error)
                return None
        return _read_or_none(self._nvml.nvmlDeviceGetMemoryInfo, device)

    def _read_processes(self, device: Any) -> tuple[GpuProcess, ...]:
        compute = _read_or_none(self._nvml.nvmlDeviceGetComputeRunningProcesses, device) or ()
        graphics = _read_or_none(self._nvml.nvmlDeviceGetGraphicsRunningProcesses, device) or ()
        found = {item.pid: GpuProcess(item.pid, item.usedGpuMemory) for item in (*compute, *graphics)}
        return tuple(found[process_id] for process_id in sorted(found))

    def _read_instances(self, device: Any) -> Iterator[MigInstance]:
        mode = _read_or_none(self._nvml.nvmlDeviceGetMigMode, device)
        if mode is None or mode[0] != pynvml.NVML_DEVICE_MIG_ENABLE:
            return
        for index in range(_read_or_none(self._nvml.nvmlDeviceGetMaxMigDeviceCount, device) or 0):
            # An index without an instance gives an error.
            instance = _read_or_none(self._nvml.nvmlDeviceGetMigDeviceHandleByIndex, device, index)
            if instance is None:
                continue
            memory = self._read_memory(instance)
            yield MigInstance(
                index=index,
                uuid=_read_or_none(self._nvml.nvmlDeviceGetUUID, instance) or "",
                name=_read_or_none(self._nvml.nvmlDeviceGetName, instance) or "",
                memory_used=None if memory is None else int(memory.used),
                memory_total=None if memory is None else int(memory.total),
                processes=self._read_processes(instance),
            )


def _read_or_none(read: Callable[..., Any], *arguments: Any) -> Any:
    """Return the value; None if the GPU doesn't support it or permission is missing."""
    try:
        return read(*arguments)
    except pynvml.NVMLError as error:
        _raise_if_lost(error)
        return None


def _raise_if_lost(error: pynvml.NVMLError) -> None:
    if error.value in _LOST_ERRORS:
        raise error
