"""/gpus: the cards, and who is on each, from the process to the person."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import psutil
import pynvml
import pytest

from clearml_chatops.models.replies import Fields, Reply, Text, Tone
from clearml_chatops.models.workers import StartedWorker
from clearml_chatops.sandbox.state import Worker
from clearml_chatops.services.workers.gpu_reader import GpuReader
from clearml_chatops.services.workers.gpus import GpuService
from clearml_chatops.storage.workers import StartedWorkerStore
from tests.support.nvml import GIBIBYTE, FakeCard, FakeProcess, put_in, split_card
from tests.support.program import RunningProgram, buttons, plain_text
from tests.support.scalars import add_experiment, decoded, picture_of

_WAIT = "import sys; sys.stdin.read()"
_START_ANOTHER = (
    "import subprocess, sys; "
    "child = subprocess.Popen([sys.executable, '-c', sys.argv[1]], stdin=sys.stdin, stdout=subprocess.DEVNULL); "
    "print(child.pid, flush=True); child.wait()"
)


@contextmanager
def _running(*arguments: str) -> Iterator[tuple[int, int]]:
    """A process with these arguments and a child of it; gives both their ids."""
    command = [sys.executable, "-c", _START_ANOTHER, _WAIT, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        try:
            yield process.pid, child
        finally:
            process.communicate()


@contextmanager
def _running_code_of(task: str) -> Iterator[int]:
    """A process as an agent starts one outside of containers: only its environment tells of the experiment."""
    command = [sys.executable, "-c", _WAIT]
    environment = {**os.environ, "CLEARML_TASK_ID": task}
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=environment) as process:
        try:
            yield process.pid
        finally:
            process.communicate()


def _service(program: RunningProgram) -> GpuService:
    process = program.program.process
    return GpuService(
        reader=process.gpu_reader,
        clearml=process.clearml.bot,
        database=process.database,
        drawing=process.drawing,
        host="lab",
    )


def _cards(reply: Reply) -> list[list[str]]:
    """What is told of each card, line by line."""
    (fields,) = (block for block in reply.blocks if isinstance(block, Fields))
    assert [label for label, _ in fields.items] == [f"card {index}" for index in range(len(fields.items))]
    return [value.splitlines() for _, value in fields.items]


def _warnings(reply: Reply) -> list[str]:
    return [block.text for block in reply.blocks if isinstance(block, Text) and block.tone is Tone.WARNING]


def _works_on(program: RunningProgram, worker_id: str, task: str) -> None:
    state, user = program.sandbox.state, program.sandbox.alice
    now = state.now()
    state.workers[worker_id] = Worker(
        key=worker_id,
        id=worker_id,
        user=user.id,
        address="127.0.0.1",
        queues=[],
        tags=[],
        system_tags=[],
        register_time=now,
        register_timeout=600,
        last_activity_time=now,
        task=task,
    )


async def _record(program: RunningProgram, worker_id: str, process_id: int, started: datetime) -> None:
    """Notes that Alice had the bot start this worker."""
    async with program.program.process.database.writing() as session:
        worker = StartedWorker(worker_id, "lab", process_id, started, started)
        await StartedWorkerStore(session).put(worker)


def _start_of(process_id: int) -> datetime:
    return datetime.fromtimestamp(psutil.Process(process_id).create_time(), UTC)


async def test_free_cards_cost_no_request(program: RunningProgram) -> None:
    put_in(program, FakeCard("GPU-0"), FakeCard("GPU-1", "NVIDIA A100", 0, 0))
    program.sandbox.requests.clear()

    reply = await program.say("/gpus")

    assert program.sandbox.requests.names() == []
    assert _cards(reply) == [
        ["NVIDIA H100 80GB HBM3, 95 %, 71.0 of 80.0 GiB, 65 °C, 350 of 700 W"],
        ["NVIDIA A100, 0 %, 0.0 of 80.0 GiB, 65 °C, 350 of 700 W"],
    ]
    assert buttons(reply)["Start my worker on card 1"] == "/worker start gpus=1"
    picture = picture_of(reply)
    assert decoded(picture.png).width <= 1280
    assert picture.caption == "Memory in use: card 0 89 %, card 1 0 %"
    assert _warnings(reply) == []


async def test_what_runs_below_our_agent_is_the_experiment_that_clearml_says_it_runs(
    program: RunningProgram,
) -> None:
    task = add_experiment(program.sandbox, "baseline")
    _works_on(program, "lab:queue:gpu0", task)
    with _running() as (agent, child):
        await _record(program, "lab:queue:gpu0", agent, _start_of(agent))
        put_in(program, FakeCard("GPU-0", processes=[FakeProcess(child), FakeProcess(agent)]))
        reply = await program.say("/gpus")
        told = _cards(reply)[0][1:]
        assert told == ["“baseline” of Alice Adams by the worker lab:queue:gpu0 (2.0 GiB)"]
        assert buttons(reply)["Tell me when card 0 is free"] == "/gpus watch 0"

        del program.sandbox.state.workers["lab:queue:gpu0"]
        assert _cards(await program.say("/gpus"))[0][1:] == ["the worker lab:queue:gpu0 (2.0 GiB)"]


async def test_a_process_with_the_number_of_a_former_agent_is_nobodys(program: RunningProgram) -> None:
    with _running() as (agent, child):
        await _record(program, "lab:queue:gpu0", agent, datetime(2026, 1, 1, tzinfo=UTC))
        put_in(program, FakeCard("GPU-0", processes=[FakeProcess(child)]))
        told = _cards(await program.say("/gpus"))[0][-1]
    name = psutil.Process(os.getpid()).username()
    assert told.endswith(f"of {name}, without an agent (1.0 GiB)")
    assert told.startswith("python")


@pytest.mark.parametrize(
    "arguments",
    [
        ["-u", "-m", "clearml_agent", "execute", "--disable-monitoring", "--id", "{task}"],
        ["bash", "-c", "apt-get update ; python3 -u -m clearml_agent --config-file ~/x execute  --id {task}"],
    ],
)
async def test_what_another_agent_runs_is_known_by_its_command_line(
    program: RunningProgram, arguments: list[str]
) -> None:
    task = add_experiment(program.sandbox, "of another")
    _works_on(program, "other:gpu0", task)
    program.sandbox.faults.delay("*", 0.2)
    with _running(*(argument.format(task=task) for argument in arguments)) as (_, child):
        put_in(program, FakeCard("GPU-0", processes=[FakeProcess(child)]))
        program.sandbox.requests.clear()
        overview = await _service(program).overview()
    assert program.sandbox.requests.longest_sequence() == 1
    (occupant,) = overview.uses[0].occupants
    assert (occupant.worker_id, occupant.experiment_id) == ("other:gpu0", task)
    assert (occupant.experiment_name, occupant.person) == ("of another", "Alice Adams")


async def test_what_an_agent_runs_outside_of_containers_is_known_by_its_environment(
    program: RunningProgram,
) -> None:
    task = add_experiment(program.sandbox, "of another")
    with _running_code_of(task) as number:
        put_in(program, FakeCard("GPU-0", processes=[FakeProcess(number)]))
        assert _cards(await program.say("/gpus"))[0][-1] == "“of another” of Alice Adams (1.0 GiB)"


async def test_a_process_that_has_ended_meanwhile_is_somebodys(program: RunningProgram) -> None:
    put_in(program, FakeCard("GPU-0", processes=[FakeProcess(2**22 + 1, None)]))
    assert _cards(await program.say("/gpus"))[0][-1] == "a process of somebody, without an agent"


async def test_an_idle_card_whose_memory_is_held_is_marked(program: RunningProgram) -> None:
    held = FakeCard("GPU-1", utilization=0, used=20 * GIBIBYTE, processes=[FakeProcess(2**22 + 1)])
    put_in(program, FakeCard("GPU-0", utilization=0, used=0), held)
    reply = await program.say("/gpus")
    assert [lines[0] for lines in _cards(reply)] == [
        "0 %, 0.0 of 80.0 GiB, 65 °C, 350 of 700 W",
        "idle, but held, 20.0 of 80.0 GiB, 65 °C, 350 of 700 W",
    ]
    assert plain_text(reply).splitlines()[0] == "lab: 2 GPUs, NVIDIA H100 80GB HBM3"
    assert _warnings(reply) == [
        "Card 1 is idle but 20.0 GiB of its memory are held by a process of somebody, without an agent (1.0 GiB)."
    ]


async def test_a_split_card_a_lost_one_and_what_is_not_known(program: RunningProgram) -> None:
    lost = FakeCard("GPU-1", failing={"*": pynvml.NVML_ERROR_GPU_IS_LOST})
    unknown = dict.fromkeys(("nvmlDeviceGetPowerUsage",), pynvml.NVML_ERROR_NOT_SUPPORTED)
    unknown["nvmlDeviceGetTemperature"] = unknown["nvmlDeviceGetMemoryInfo"] = pynvml.NVML_ERROR_NOT_SUPPORTED
    unknown["nvmlDeviceGetMemoryInfo_v2"] = pynvml.NVML_ERROR_NOT_SUPPORTED
    put_in(program, split_card(), lost, FakeCard("GPU-2", "NVIDIA T4", failing=unknown))

    split, gone, silent = _cards(await program.say("/gpus"))

    assert split[0] == "NVIDIA H100 80GB HBM3, 71.0 of 80.0 GiB, 65 °C, 350 of 700 W"
    assert [line.split(",")[0] for line in split[1:]] == [
        "0:0 NVIDIA H100 80GB HBM3 MIG 3g.40gb",
        "0:2 NVIDIA H100 80GB HBM3 MIG 3g.40gb",
    ]
    assert ", 1.0 of 40.0 GiB, a process of somebody, without an agent (1.0 GiB)" in split[2]
    assert gone == ["lost; the machine needs a restart"]
    assert silent == ["NVIDIA T4, 95 %"]


async def test_the_cards_are_shown_also_while_clearml_is_down(program: RunningProgram) -> None:
    program.sandbox.faults.refuse("*")
    task = "0" * 32
    with _running("clearml-agent", "execute", "--id", task) as (_, child):
        put_in(program, FakeCard("GPU-0", processes=[FakeProcess(child)]))
        reply = await program.say("/gpus")
    assert _cards(reply)[0][-1] == "the experiment 00000000 (1.0 GiB)"
    assert _warnings(reply)[0].startswith("Experiments have no names here: ClearML at ")


async def test_no_driver_and_no_card_are_one_sentence(program: RunningProgram) -> None:
    nvml = put_in(program)
    assert plain_text(await program.say("/gpus")) == "lab has an NVIDIA driver, but no GPU."
    nvml.opened, nvml.absent = 0, pynvml.NVML_ERROR_LIBRARY_NOT_FOUND
    put_in(program)
    program.program.process.__dict__["gpu_reader"] = GpuReader(nvml)
    assert await program.error_code("/gpus") == "no_gpu_driver"
    assert plain_text(await program.say("/gpus")).startswith(
        "No NVIDIA driver answers on this machine (NVML Shared Library"
    )


async def test_a_reading_of_eight_cards_with_processes_is_quick(
    program: RunningProgram, record_property: Callable[[str, object], None]
) -> None:
    """How long it takes is told, and not asserted: that depends on the machine."""
    with _running() as (agent, child):
        await _record(program, "lab:queue:gpu0", agent, _start_of(agent))
        put_in(
            program,
            *(FakeCard(f"GPU-{index}", processes=[FakeProcess(child), FakeProcess(agent)]) for index in range(8)),
        )
        gpus = _service(program)
        await gpus.overview()
        loop = asyncio.get_running_loop()
        began = loop.time()
        overview = await gpus.overview()
        took = loop.time() - began
    record_property("milliseconds", round(took * 1000, 1))
    assert len(overview.uses) == 8
