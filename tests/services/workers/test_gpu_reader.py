"""What the driver tells of the cards, and what it does not."""

import asyncio
import threading
import time

import pynvml
import pytest

from clearml_chatops.models.errors import NoGpuDriverError
from clearml_chatops.models.gpus import Gpu, GpuProcess, MigInstance
from clearml_chatops.services.workers.gpu_reader import GpuReader
from tests.support.nvml import GIBIBYTE, FakeCard, FakeNvml, FakeProcess, split_card

_PLAIN = Gpu(
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


async def test_two_cards_are_read_with_their_processes() -> None:
    second = FakeCard(
        "GPU-1", processes=[FakeProcess(20), FakeProcess(10, None)], graphics=[FakeProcess(20), FakeProcess(5)]
    )
    first, other = await GpuReader(FakeNvml(FakeCard("GPU-0"), second)).gpus()
    assert first == _PLAIN
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
async def test_what_a_card_does_not_know_is_none_and_all_else_is_there(
    function: str, unknown: str, error: int
) -> None:
    (gpu,) = await GpuReader(FakeNvml(FakeCard("GPU-0", failing={function: error}))).gpus()
    assert getattr(gpu, unknown) is None
    different = {name for name in Gpu.__slots__ if getattr(gpu, name) != getattr(_PLAIN, name)}
    assert different == ({"memory_used", "memory_total"} if unknown == "memory_used" else {unknown})


async def test_memory_is_told_without_the_drivers_own_also_where_an_older_driver_counts_it_in() -> None:
    old = {"nvmlDeviceGetMemoryInfo_v2": pynvml.NVML_ERROR_FUNCTION_NOT_FOUND}
    new, older = await GpuReader(FakeNvml(FakeCard("GPU-0"), FakeCard("GPU-1", failing=old))).gpus()
    assert (new.memory_used, older.memory_used) == (71 * GIBIBYTE, 72 * GIBIBYTE)


async def test_a_split_card_is_listed_with_its_instances() -> None:
    _, gpu = await GpuReader(FakeNvml(FakeCard("GPU-0", instances={}), split_card())).gpus()
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
async def test_a_lost_card_is_told_as_such_and_the_others_are_read(function: str, error: int) -> None:
    nvml = FakeNvml(FakeCard("GPU-0"), FakeCard("GPU-1"))
    reader = GpuReader(nvml)
    await reader.gpus()
    nvml.cards[1].failing[function] = error

    first, lost = await reader.gpus()

    assert first == _PLAIN
    assert lost == Gpu(1, "GPU-1", "NVIDIA H100 80GB HBM3", lost=True)
    assert await GpuReader(FakeNvml(FakeCard("GPU-2", failing={"*": error}))).gpus() == (Gpu(0, lost=True),)


async def test_a_card_that_we_may_not_talk_to_is_not_lost() -> None:
    closed = FakeCard("GPU-0", failing={"nvmlDeviceGetHandleByIndex": pynvml.NVML_ERROR_NO_PERMISSION})
    assert await GpuReader(FakeNvml(closed)).gpus() == (Gpu(0),)


@pytest.mark.parametrize(
    "number",
    [
        pynvml.NVML_ERROR_LIBRARY_NOT_FOUND,
        pynvml.NVML_ERROR_DRIVER_NOT_LOADED,
        pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH,
    ],
)
async def test_no_driver_is_an_error_until_there_is_one(number: int) -> None:
    nvml = FakeNvml(FakeCard("GPU-0"), absent=number)
    reader = GpuReader(nvml)
    for _ in range(2):
        with pytest.raises(NoGpuDriverError):
            await reader.gpus()
    nvml.absent = None
    assert await reader.gpus() == (_PLAIN,)


async def test_a_driver_that_was_loaded_anew_is_opened_again() -> None:
    nvml = FakeNvml(FakeCard("GPU-0"))
    reader = GpuReader(nvml)
    await reader.gpus()
    nvml.forgotten = True
    assert await reader.gpus() == (_PLAIN,)
    nvml.forgotten, nvml.absent = True, pynvml.NVML_ERROR_DRIVER_NOT_LOADED
    with pytest.raises(NoGpuDriverError):
        await reader.gpus()


async def test_the_driver_is_opened_once_and_asked_by_one_thread_at_a_time_off_the_loop() -> None:
    nvml = FakeNvml(FakeCard("GPU-0"))
    reader = GpuReader(nvml)
    inside = 0
    seen: list[tuple[int, bool]] = []
    name_of = nvml.nvmlDeviceGetName

    def slow_name(card: FakeCard) -> str:
        nonlocal inside
        inside += 1
        time.sleep(0.01)
        seen.append((inside, threading.current_thread() is threading.main_thread()))
        inside -= 1
        return name_of(card)

    nvml.nvmlDeviceGetName = slow_name  # type: ignore[method-assign]

    await asyncio.gather(*(reader.gpus() for _ in range(8)))

    assert nvml.opened == 1
    assert seen == [(1, False)] * 8


@pytest.mark.gpu
async def test_the_machines_own_cards_are_read() -> None:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        pytest.skip(f"no GPU here: {error}")
    gpus = await GpuReader().gpus()
    assert [gpu.index for gpu in gpus] == list(range(pynvml.nvmlDeviceGetCount()))
    for gpu in gpus:
        assert gpu.lost or gpu.uuid.startswith("GPU-")
        assert gpu.lost or (gpu.name and gpu.memory_total)
        assert gpu.memory_used is None or gpu.memory_total is None or 0 <= gpu.memory_used <= gpu.memory_total
