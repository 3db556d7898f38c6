"""Reading GPUs from the driver, including values and GPUs that it can't read."""

import asyncio
import threading
import time

import pynvml
import pytest

from clearml_chatops.models.errors import NoGpuDriverError
from clearml_chatops.models.gpus import Gpu, GpuProcess, MigInstance
from clearml_chatops.services.workers.gpu_reader import GpuReader
from tests.support.nvml import GIBIBYTE, FakeGpu, FakeNvml, FakeProcess, build_split_gpu

_EXPECTED_GPU = Gpu(
    index=0,
    uuid="GPU-0",
    name="NVIDIA H100 80GB HBM3",
    utilization=95,
    memory_used=71 * GIBIBYTE,
    memory_total=80 * GIBIBYTE,
    temperature=65,
    power=350.5,
    power_limit=700.0,
)


async def test_gpus_are_read_with_their_processes() -> None:
    second = FakeGpu(
        "GPU-1",
        processes=[FakeProcess(20), FakeProcess(10, None)],
        graphics_processes=[FakeProcess(20), FakeProcess(5)],
    )
    first, other = await GpuReader(FakeNvml(FakeGpu("GPU-0"), second)).read_gpus()
    assert first == _EXPECTED_GPU
    assert (other.index, other.uuid) == (1, "GPU-1")
    assert other.processes == (GpuProcess(5, GIBIBYTE), GpuProcess(10, None), GpuProcess(20, GIBIBYTE))


@pytest.mark.parametrize("error", [pynvml.NVML_ERROR_NOT_SUPPORTED, pynvml.NVML_ERROR_NO_PERMISSION])
@pytest.mark.parametrize(
    ("function", "unknown"),
    [
        ("nvmlDeviceGetUtilizationRates", "utilization"),
        ("nvmlDeviceGetTemperature", "temperature"),
        ("nvmlDeviceGetPowerUsage", "power"),
        ("nvmlDeviceGetEnforcedPowerLimit", "power_limit"),
        ("nvmlDeviceGetMemoryInfo", "memory_used"),
    ],
)
async def test_unsupported_value_is_none(function: str, unknown: str, error: int) -> None:
    (gpu,) = await GpuReader(FakeNvml(FakeGpu("GPU-0", errors={function: error}))).read_gpus()
    assert getattr(gpu, unknown) is None
    different = {name for name in Gpu.__slots__ if getattr(gpu, name) != getattr(_EXPECTED_GPU, name)}
    assert different == ({"memory_used", "memory_total"} if unknown == "memory_used" else {unknown})


async def test_memory_excludes_the_drivers_reserve_where_possible() -> None:
    old = {"nvmlDeviceGetMemoryInfo_v2": pynvml.NVML_ERROR_FUNCTION_NOT_FOUND}
    new, older = await GpuReader(FakeNvml(FakeGpu("GPU-0"), FakeGpu("GPU-1", errors=old))).read_gpus()
    assert (new.memory_used, older.memory_used) == (71 * GIBIBYTE, 72 * GIBIBYTE)


async def test_split_gpu_is_listed_with_its_instances() -> None:
    _, gpu = await GpuReader(FakeNvml(FakeGpu("GPU-0", instances={}), build_split_gpu())).read_gpus()
    assert gpu.utilization is None
    assert [part.index for part in gpu.instances] == [0, 2]
    assert gpu.instances[1] == MigInstance(
        index=2,
        uuid="MIG-22222222-bbbb",
        name="NVIDIA H100 80GB HBM3 MIG 3g.40gb",
        memory_used=GIBIBYTE,
        memory_total=40 * GIBIBYTE,
        processes=(GpuProcess(900_002, GIBIBYTE),),
    )
    assert [process.id for process in gpu.all_processes] == [900_000, 900_002]


@pytest.mark.parametrize("error", [pynvml.NVML_ERROR_GPU_IS_LOST, pynvml.NVML_ERROR_RESET_REQUIRED])
@pytest.mark.parametrize("function", ["*", "nvmlDeviceGetTemperature", "nvmlDeviceGetMemoryInfo_v2"])
async def test_lost_gpu_does_not_hide_the_others(function: str, error: int) -> None:
    nvml = FakeNvml(FakeGpu("GPU-0"), FakeGpu("GPU-1"))
    reader = GpuReader(nvml)
    await reader.read_gpus()
    nvml.gpus[1].errors[function] = error

    first, lost = await reader.read_gpus()

    assert first == _EXPECTED_GPU
    assert lost == Gpu(1, "GPU-1", "NVIDIA H100 80GB HBM3", lost=True)
    assert await GpuReader(FakeNvml(FakeGpu("GPU-2", errors={"*": error}))).read_gpus() == (Gpu(0, lost=True),)


async def test_gpu_without_permission_is_not_lost() -> None:
    forbidden_gpu = FakeGpu("GPU-0", errors={"nvmlDeviceGetHandleByIndex": pynvml.NVML_ERROR_NO_PERMISSION})
    assert await GpuReader(FakeNvml(forbidden_gpu)).read_gpus() == (Gpu(0),)


@pytest.mark.parametrize(
    "number",
    [
        pynvml.NVML_ERROR_LIBRARY_NOT_FOUND,
        pynvml.NVML_ERROR_DRIVER_NOT_LOADED,
        pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH,
    ],
)
async def test_missing_driver_is_an_error_until_it_loads(number: int) -> None:
    nvml = FakeNvml(FakeGpu("GPU-0"), init_error=number)
    reader = GpuReader(nvml)
    for _ in range(2):
        with pytest.raises(NoGpuDriverError):
            await reader.read_gpus()
    nvml.init_error = None
    assert await reader.read_gpus() == (_EXPECTED_GPU,)


async def test_reloaded_driver_is_reinitialized() -> None:
    nvml = FakeNvml(FakeGpu("GPU-0"))
    reader = GpuReader(nvml)
    await reader.read_gpus()
    nvml.is_driver_reloaded = True
    assert await reader.read_gpus() == (_EXPECTED_GPU,)
    nvml.is_driver_reloaded, nvml.init_error = True, pynvml.NVML_ERROR_DRIVER_NOT_LOADED
    with pytest.raises(NoGpuDriverError):
        await reader.read_gpus()


async def test_driver_is_initialized_once_and_read_by_one_thread() -> None:
    nvml = FakeNvml(FakeGpu("GPU-0"))
    reader = GpuReader(nvml)
    active_readers = 0
    readings: list[tuple[int, bool]] = []
    read_name = nvml.nvmlDeviceGetName

    def read_name_slowly(device: FakeGpu) -> str:
        nonlocal active_readers
        active_readers += 1
        time.sleep(0.01)
        readings.append((active_readers, threading.current_thread() is threading.main_thread()))
        active_readers -= 1
        return read_name(device)

    nvml.nvmlDeviceGetName = read_name_slowly  # type: ignore[method-assign]

    await asyncio.gather(*(reader.read_gpus() for _ in range(8)))

    assert nvml.init_count == 1
    assert readings == [(1, False)] * 8


@pytest.mark.gpu
async def test_real_gpus_are_read() -> None:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        pytest.skip(f"no GPU here: {error}")
    gpus = await GpuReader().read_gpus()
    assert [gpu.index for gpu in gpus] == list(range(pynvml.nvmlDeviceGetCount()))
    for gpu in gpus:
        assert gpu.lost or gpu.uuid.startswith("GPU-")
        assert gpu.lost or (gpu.name and gpu.memory_total)
        assert gpu.memory_used is None or gpu.memory_total is None or 0 <= gpu.memory_used <= gpu.memory_total
