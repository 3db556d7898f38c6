"""How long it takes to read eight cards, their processes and whose each is, and how long the event loop stands.

/gpus and every look for a free card do it; we want 50 ms, off the loop. The cards are a stand-in for NVIDIA's
library, so that what is measured is our own work, the processes are real; and where there is a driver, its cards
are read too.
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

from tests.support.nvml import FakeCard, FakeProcess, put_in
from tests.support.program import RunningProgram, running_program

from clearml_chatops.models.errors import NoGpuDriverError
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.services.workers.gpu_reader import GpuReader
from clearml_chatops.services.workers.gpus import GpuService

CARDS = 8
PROCESSES_OF_A_CARD = 4
READINGS = 100
_WAIT = "import sys; sys.stdin.read()"
_START_ANOTHER = (
    "import subprocess, sys; "
    f"child = subprocess.Popen([sys.executable, '-c', {_WAIT!r}], stdin=sys.stdin, stdout=subprocess.DEVNULL); "
    "print(child.pid, flush=True); child.wait()"
)


async def measure(data: Path) -> None:
    with _processes(CARDS * PROCESSES_OF_A_CARD) as numbers:
        async with Sandbox() as sandbox, running_program(sandbox, data) as program:
            cards = [FakeCard(f"GPU-{index}", processes=[]) for index in range(CARDS)]
            for place, number in enumerate(numbers):
                cards[place % CARDS].processes.append(FakeProcess(number))
            put_in(program, *cards)
            print(f"{CARDS} cards with {len(numbers)} processes: {await _timed(_gpus(program))}")
            program.program.process.__dict__["gpu_reader"] = GpuReader()
            try:
                found = await _gpus(program).cards()
            except NoGpuDriverError:
                print("no NVIDIA driver here, so no card of this machine was read")
            else:
                print(f"the {len(found)} cards of this machine: {await _timed(_gpus(program))}")


async def _timed(gpus: GpuService) -> str:
    """How long a reading takes, after a first one, and how long the loop did nothing else meanwhile."""
    await gpus.overview()
    stalls: list[float] = []
    watching = asyncio.create_task(_watch_the_loop(stalls))
    taken = []
    used = time.process_time()
    for _ in range(READINGS):
        began = time.perf_counter()
        await gpus.overview()
        taken.append(time.perf_counter() - began)
    used = time.process_time() - used
    watching.cancel()
    return (
        f"read in {median(taken) * 1000:.1f} ms, the slowest of {READINGS} in {max(taken) * 1000:.1f} ms, "
        f"{used / READINGS * 1000:.1f} ms of CPU; "
        f"the event loop stood for {max(stalls) * 1000:.1f} ms at most"
    )


async def _watch_the_loop(stalls: list[float]) -> None:
    while True:
        began = time.perf_counter()
        await asyncio.sleep(0)
        stalls.append(time.perf_counter() - began)
        await asyncio.sleep(0.001)


def _gpus(program: RunningProgram) -> GpuService:
    process = program.program.process
    return GpuService(
        reader=process.gpu_reader,
        clearml=process.clearml.bot,
        database=process.database,
        drawing=process.drawing,
        host=process.host,
    )


@contextmanager
def _processes(count: int) -> Iterator[list[int]]:
    """Real processes, each a child of another one; gives the children's numbers."""
    started = [
        subprocess.Popen([sys.executable, "-c", _START_ANOTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
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
