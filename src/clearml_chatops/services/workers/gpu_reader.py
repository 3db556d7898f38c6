"""Reading the machine's GPUs by NVIDIA's library. The only module that imports `pynvml`."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pynvml

from clearml_chatops.models.errors import NoGpuDriverError
from clearml_chatops.models.gpus import Gpu, GpuProcess, MigInstance

_MILLIWATTS = 1000

_GONE = (pynvml.NVML_ERROR_GPU_IS_LOST, pynvml.NVML_ERROR_RESET_REQUIRED)
_OF_ANOTHER_VERSION = (
    pynvml.NVML_ERROR_FUNCTION_NOT_FOUND,
    pynvml.NVML_ERROR_ARGUMENT_VERSION_MISMATCH,
    pynvml.NVML_ERROR_INVALID_ARGUMENT,
    pynvml.NVML_ERROR_NOT_SUPPORTED,
)


class GpuReader:
    """Asks the driver, one reading at a time, off the event loop.

    `nvml` is the library's module. It is opened once for the whole process: that takes longer than a reading.
    """

    def __init__(self, nvml: Any = pynvml) -> None:
        self._nvml = nvml
        self._lock = threading.Lock()
        self._opened = False
        self._names: dict[int, tuple[str, str]] = {}

    async def gpus(self) -> tuple[Gpu, ...]:
        """All cards of this machine, by index. A lost card is in the list as such.

        Raises:
            NoGpuDriverError: there is no NVIDIA driver here, or it does not work.
        """
        return await asyncio.to_thread(self._read)

    def _read(self) -> tuple[Gpu, ...]:
        with self._lock:
            try:
                self._open()
                try:
                    count = self._nvml.nvmlDeviceGetCount()
                except pynvml.NVMLError:
                    # The driver was loaded anew since: what was opened before answers no more.
                    self._opened = False
                    self._open()
                    count = self._nvml.nvmlDeviceGetCount()
            except pynvml.NVMLError as error:
                raise NoGpuDriverError(reason=str(error), instead="") from error
            return tuple(self._gpu(index) for index in range(count))

    def _open(self) -> None:
        if not self._opened:
            self._nvml.nvmlInit()
            self._opened = True

    def _gpu(self, index: int) -> Gpu:
        try:
            return self._read_gpu(index)
        except pynvml.NVMLError as error:
            uuid, name = self._names.get(index, ("", ""))
            # A card that we may not talk to is there all the same; only its values are not known.
            return Gpu(index, uuid, name, lost=error.value in _GONE)

    def _read_gpu(self, index: int) -> Gpu:
        """A card; raises only what makes the whole card unreadable."""
        nvml = self._nvml
        card = nvml.nvmlDeviceGetHandleByIndex(index)
        uuid, name = nvml.nvmlDeviceGetUUID(card), _known(nvml.nvmlDeviceGetName, card) or ""
        self._names[index] = (uuid, name)
        rates = _known(nvml.nvmlDeviceGetUtilizationRates, card)
        memory = self._memory(card)
        power, limit = (
            _known(nvml.nvmlDeviceGetPowerUsage, card),
            _known(nvml.nvmlDeviceGetEnforcedPowerLimit, card),
        )
        return Gpu(
            index=index,
            uuid=uuid,
            name=name,
            utilization=None if rates is None else int(rates.gpu),
            memory_used=None if memory is None else int(memory.used),
            memory_total=None if memory is None else int(memory.total),
            temperature=_known(nvml.nvmlDeviceGetTemperature, card, pynvml.NVML_TEMPERATURE_GPU),
            power=None if power is None else power / _MILLIWATTS,
            power_limit=None if limit is None else limit / _MILLIWATTS,
            processes=self._processes(card),
            instances=tuple(self._instances(card)),
        )

    def _memory(self, device: Any) -> Any:
        """By the newer call, which does not count what the driver keeps for itself as used."""
        try:
            return self._nvml.nvmlDeviceGetMemoryInfo(device, version=pynvml.nvmlMemory_v2)
        except pynvml.NVMLError as error:
            if error.value not in _OF_ANOTHER_VERSION:
                _raise_if_gone(error)
                return None
        return _known(self._nvml.nvmlDeviceGetMemoryInfo, device)

    def _processes(self, device: Any) -> tuple[GpuProcess, ...]:
        listed = [
            *(_known(self._nvml.nvmlDeviceGetComputeRunningProcesses, device) or ()),
            *(_known(self._nvml.nvmlDeviceGetGraphicsRunningProcesses, device) or ()),
        ]
        found = {item.pid: GpuProcess(item.pid, item.usedGpuMemory) for item in listed}
        return tuple(found[number] for number in sorted(found))

    def _instances(self, card: Any) -> Iterator[MigInstance]:
        mode = _known(self._nvml.nvmlDeviceGetMigMode, card)
        if mode is None or mode[0] != pynvml.NVML_DEVICE_MIG_ENABLE:
            return
        for index in range(_known(self._nvml.nvmlDeviceGetMaxMigDeviceCount, card) or 0):
            # The places of instances that were never made or are destroyed are not found.
            part = _known(self._nvml.nvmlDeviceGetMigDeviceHandleByIndex, card, index)
            if part is None:
                continue
            memory = self._memory(part)
            yield MigInstance(
                index=index,
                uuid=_known(self._nvml.nvmlDeviceGetUUID, part) or "",
                name=_known(self._nvml.nvmlDeviceGetName, part) or "",
                memory_used=None if memory is None else int(memory.used),
                memory_total=None if memory is None else int(memory.total),
                processes=self._processes(part),
            )


def _known(ask: Callable[..., Any], *arguments: Any) -> Any:
    """The answer; None where the card does not know, or does not tell us."""
    try:
        return ask(*arguments)
    except pynvml.NVMLError as error:
        _raise_if_gone(error)
        return None


def _raise_if_gone(error: pynvml.NVMLError) -> None:
    if error.value in _GONE:
        raise error
