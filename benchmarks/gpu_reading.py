"""Measures how long reading eight GPUs with their processes and users takes, and blocks the event loop.

/gpus and every poll for a free GPU do it. Goal: 50 ms, outside the event loop. The GPUs come from a fake of
NVIDIA's library, to measure the bot's own work; the processes are real. If there is a driver, the GPUs of this
machine are read too.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from tests.support.nvml import FakeGpu, FakeProcess, install_gpus
from tests.support.program import RunningProgram, run_program

from clearml_chatops.models.errors import NoGpuDriverError
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.services.workers.gpu_reader import GpuReader
from clearml_chatops.services.workers.gpus import GpuService

GPUS = 8
PROCESSES_PER_GPU = 4
READINGS = 100
_WAIT_PROGRAM = "import sys; sys.stdin.read()"
_START_CHILD_PROGRAM = (
    "import subprocess, sys; "
    f"child = subprocess.Popen([sys.executable, '-c', {_WAIT_PROGRAM!r}], stdin=sys.stdin, "
    "stdout=subprocess.DEVNULL); "
    "print(child.pid, flush=True); child.wait()"
)


async def measure(data: Path) -> None:
    with _start_processes(GPUS * PROCESSES_PER_GPU) as pids:
        async with Sandbox() as sandbox, run_program(sandbox, data) as program:
            gpus = [FakeGpu(f"GPU-{index}", processes=[]) for index in range(GPUS)]
            for position, pid in enumerate(pids):
                gpus[position % GPUS].processes.append(FakeProcess(pid))
            install_gpus(program, *gpus)
            print(
                f"{GPUS} GPUs with {len(pids)} processes: {await _measure_reading(_create_gpu_service(program))}"
            )
            program.program.process.__dict__["gpu_reader"] = GpuReader()
            try:
                real_gpus = await _create_gpu_service(program).list_gpus()
            except NoGpuDriverError:
                print("no NVIDIA driver here, so no GPU of this machine was read")
            else:
                measurement = await _measure_reading(_create_gpu_service(program))
                print(f"the {len(real_gpus)} GPUs of this machine: {measurement}")


async def _measure_reading(gpus: GpuService) -> str:
    """Return how long a reading takes, without the first one, and the longest stall of the event loop."""
    await gpus.get_overview()
    stalls: list[float] = []
    stall_task = asyncio.create_task(_measure_stalls(stalls))
    durations = []
    cpu_seconds = time.process_time()
    for _ in range(READINGS):
        started_at = time.perf_counter()
        await gpus.get_overview()
        durations.append(time.perf_counter() - started_at)
    cpu_seconds = time.process_time() - cpu_seconds
    stall_task.cancel()
    return (
        f"median {median(durations) * 1000:.1f} ms, slowest of {READINGS} {max(durations) * 1000:.1f} ms, "
        f"{cpu_seconds / READINGS * 1000:.1f} ms of CPU; "
        f"event loop blocked for at most {max(stalls) * 1000:.1f} ms"
    )


async def _measure_stalls(stalls: list[float]) -> None:
    while True:
        started_at = time.perf_counter()
        await asyncio.sleep(0)
        stalls.append(time.perf_counter() - started_at)
        await asyncio.sleep(0.001)


def _create_gpu_service(program: RunningProgram) -> GpuService:
    process = program.program.process
    return GpuService(
        reader=process.gpu_reader,
        clearml=process.clearml.bot,
        database=process.database,
        figure_renderer=process.figure_renderer,
        host=process.host,
    )


@contextmanager
def _start_processes(count: int) -> Iterator[list[int]]:
    """Start real processes, each a child of another process; yield the ids of the children."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _START_CHILD_PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(count)
    ]
    try:
        yield [int(process.stdout.readline()) for process in started if process.stdout]
    finally:
        for process in started:
            process.communicate()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder)))
