"""/gpus: the GPUs and who uses each, from the process to the person."""

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
from tests.support.nvml import GIBIBYTE, FakeGpu, FakeProcess, build_split_gpu, install_gpus
from tests.support.program import RunningProgram, get_buttons, to_plain_text
from tests.support.scalars import add_experiment, decode_png, get_picture

_WAIT = "import sys; sys.stdin.read()"
_START_ANOTHER = (
    "import subprocess, sys; "
    "child = subprocess.Popen([sys.executable, '-c', sys.argv[1]], stdin=sys.stdin, stdout=subprocess.DEVNULL); "
    "print(child.pid, flush=True); child.wait()"
)


@contextmanager
def _run_process(*arguments: str) -> Iterator[tuple[int, int]]:
    """Run a process with these arguments and a child process; yield both ids."""
    command = [sys.executable, "-c", _START_ANOTHER, _WAIT, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        try:
            yield process.pid, child
        finally:
            process.communicate()


@contextmanager
def _run_experiment_code(task: str) -> Iterator[int]:
    """Run a process as an agent does outside of containers: only its environment names the experiment."""
    command = [sys.executable, "-c", _WAIT]
    environment = {**os.environ, "CLEARML_TASK_ID": task}
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=environment) as process:
        try:
            yield process.pid
        finally:
            process.communicate()


def _create_service(program: RunningProgram) -> GpuService:
    process = program.program.process
    return GpuService(
        reader=process.gpu_reader,
        clearml=process.clearml.bot,
        database=process.database,
        figure_renderer=process.figure_renderer,
        host="lab",
    )


def _parse_gpu_lines(reply: Reply) -> list[list[str]]:
    """Return the lines of the reply for each GPU."""
    (fields,) = (block for block in reply.blocks if isinstance(block, Fields))
    assert [label for label, _ in fields.items] == [f"GPU {index}" for index in range(len(fields.items))]
    return [value.splitlines() for _, value in fields.items]


def _list_warnings(reply: Reply) -> list[str]:
    return [block.text for block in reply.blocks if isinstance(block, Text) and block.tone is Tone.WARNING]


def _register_worker(program: RunningProgram, worker_id: str, task: str) -> None:
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


async def _record_worker(program: RunningProgram, worker_id: str, process_id: int, started: datetime) -> None:
    """Store a worker that the bot started for Alice."""
    async with program.program.process.database.writing() as session:
        worker = StartedWorker(worker_id, "lab", process_id, started, started)
        await StartedWorkerStore(session).put(worker)


def _get_start_time(process_id: int) -> datetime:
    return datetime.fromtimestamp(psutil.Process(process_id).create_time(), UTC)


async def test_free_gpus_need_no_request(program: RunningProgram) -> None:
    install_gpus(program, FakeGpu("GPU-0"), FakeGpu("GPU-1", "NVIDIA A100", 0, 0))
    program.sandbox.requests.clear()

    reply = await program.send("/gpus")

    assert program.sandbox.requests.list_endpoints() == []
    assert _parse_gpu_lines(reply) == [
        ["NVIDIA H100 80GB HBM3, 95 %, 71.0 of 80.0 GiB, 65 °C, 350 of 700 W"],
        ["NVIDIA A100, 0 %, 0.0 of 80.0 GiB, 65 °C, 350 of 700 W"],
    ]
    assert get_buttons(reply)["Start worker on GPU 1"] == "/worker start gpus=1"
    picture = get_picture(reply)
    assert decode_png(picture.png).width <= 1280
    assert picture.caption == "Memory in use: GPU 0 89 %, GPU 1 0 %"
    assert _list_warnings(reply) == []


async def test_process_of_own_agent_is_its_experiment(
    program: RunningProgram,
) -> None:
    task = add_experiment(program.sandbox, "baseline")
    _register_worker(program, "lab:queue:gpu0", task)
    with _run_process() as (agent, child):
        await _record_worker(program, "lab:queue:gpu0", agent, _get_start_time(agent))
        install_gpus(program, FakeGpu("GPU-0", processes=[FakeProcess(child), FakeProcess(agent)]))
        reply = await program.send("/gpus")
        lines = _parse_gpu_lines(reply)[0][1:]
        assert lines == ["“baseline” (Alice Adams) on worker lab:queue:gpu0 using 2.0 GiB"]
        assert get_buttons(reply)["Watch GPU 0"] == "/gpus watch 0"

        del program.sandbox.state.workers["lab:queue:gpu0"]
        assert _parse_gpu_lines(await program.send("/gpus"))[0][1:] == ["worker lab:queue:gpu0 using 2.0 GiB"]


async def test_reused_process_id_has_no_worker(program: RunningProgram) -> None:
    with _run_process() as (agent, child):
        await _record_worker(program, "lab:queue:gpu0", agent, datetime(2026, 1, 1, tzinfo=UTC))
        install_gpus(program, FakeGpu("GPU-0", processes=[FakeProcess(child)]))
        line = _parse_gpu_lines(await program.send("/gpus"))[0][-1]
    name = psutil.Process(os.getpid()).username()
    assert line.endswith(f"(user {name}, no agent) using 1.0 GiB")
    assert line.startswith("python")


@pytest.mark.parametrize(
    "arguments",
    [
        ["-u", "-m", "clearml_agent", "execute", "--disable-monitoring", "--id", "{task}"],
        ["bash", "-c", "apt-get update ; python3 -u -m clearml_agent --config-file ~/x execute  --id {task}"],
    ],
)
async def test_foreign_run_is_identified_by_its_command_line(
    program: RunningProgram, arguments: list[str]
) -> None:
    task = add_experiment(program.sandbox, "of another")
    _register_worker(program, "other:gpu0", task)
    program.sandbox.faults.delay("*", 0.2)
    with _run_process(*(argument.format(task=task) for argument in arguments)) as (_, child):
        install_gpus(program, FakeGpu("GPU-0", processes=[FakeProcess(child)]))
        program.sandbox.requests.clear()
        overview = await _create_service(program).get_overview()
    assert program.sandbox.requests.count_longest_sequence() == 1
    (occupant,) = overview.uses[0].occupants
    assert (occupant.worker_id, occupant.experiment_id) == ("other:gpu0", task)
    assert (occupant.experiment_name, occupant.person_name) == ("of another", "Alice Adams")


async def test_foreign_run_is_identified_by_its_environment(
    program: RunningProgram,
) -> None:
    task = add_experiment(program.sandbox, "of another")
    with _run_experiment_code(task) as process_id:
        install_gpus(program, FakeGpu("GPU-0", processes=[FakeProcess(process_id)]))
        assert _parse_gpu_lines(await program.send("/gpus"))[0][-1] == "“of another” (Alice Adams) using 1.0 GiB"


async def test_ended_process_has_an_unknown_owner(program: RunningProgram) -> None:
    install_gpus(program, FakeGpu("GPU-0", processes=[FakeProcess(2**22 + 1, None)]))
    assert _parse_gpu_lines(await program.send("/gpus"))[0][-1] == "a process (user unknown, no agent)"


async def test_idle_gpu_with_used_memory_is_marked(program: RunningProgram) -> None:
    idle_gpu = FakeGpu("GPU-1", utilization=0, used=20 * GIBIBYTE, processes=[FakeProcess(2**22 + 1)])
    install_gpus(program, FakeGpu("GPU-0", utilization=0, used=0), idle_gpu)
    reply = await program.send("/gpus")
    assert [lines[0] for lines in _parse_gpu_lines(reply)] == [
        "0 %, 0.0 of 80.0 GiB, 65 °C, 350 of 700 W",
        "idle, memory in use, 20.0 of 80.0 GiB, 65 °C, 350 of 700 W",
    ]
    assert to_plain_text(reply).splitlines()[0] == "lab: 2 GPUs, NVIDIA H100 80GB HBM3"
    assert _list_warnings(reply) == [
        "GPU 1 is idle, but 20.0 GiB of its memory is in use: a process (user unknown, no agent) using 1.0 GiB."
    ]


async def test_split_lost_and_partly_unknown_gpus(program: RunningProgram) -> None:
    lost = FakeGpu("GPU-1", errors={"*": pynvml.NVML_ERROR_GPU_IS_LOST})
    unknown = dict.fromkeys(("nvmlDeviceGetPowerUsage",), pynvml.NVML_ERROR_NOT_SUPPORTED)
    unknown["nvmlDeviceGetTemperature"] = unknown["nvmlDeviceGetMemoryInfo"] = pynvml.NVML_ERROR_NOT_SUPPORTED
    unknown["nvmlDeviceGetMemoryInfo_v2"] = pynvml.NVML_ERROR_NOT_SUPPORTED
    install_gpus(program, build_split_gpu(), lost, FakeGpu("GPU-2", "NVIDIA T4", errors=unknown))

    split_lines, lost_lines, unknown_lines = _parse_gpu_lines(await program.send("/gpus"))

    assert split_lines[0] == "NVIDIA H100 80GB HBM3, 71.0 of 80.0 GiB, 65 °C, 350 of 700 W"
    assert [line.split(",")[0] for line in split_lines[1:]] == [
        "0:0 NVIDIA H100 80GB HBM3 MIG 3g.40gb",
        "0:2 NVIDIA H100 80GB HBM3 MIG 3g.40gb",
    ]
    assert ", 1.0 of 40.0 GiB, a process (user unknown, no agent) using 1.0 GiB" in split_lines[2]
    assert lost_lines == ["lost; restart the machine"]
    assert unknown_lines == ["NVIDIA T4, 95 %"]


async def test_gpus_are_shown_while_clearml_is_down(program: RunningProgram) -> None:
    program.sandbox.faults.reject_credentials("*")
    task = "0" * 32
    with _run_process("clearml-agent", "execute", "--id", task) as (_, child):
        install_gpus(program, FakeGpu("GPU-0", processes=[FakeProcess(child)]))
        reply = await program.send("/gpus")
    assert _parse_gpu_lines(reply)[0][-1] == "experiment 00000000 using 1.0 GiB"
    assert _list_warnings(reply)[0].startswith("Experiment names are missing: ClearML at ")


async def test_missing_driver_and_missing_gpu_give_one_sentence(program: RunningProgram) -> None:
    nvml = install_gpus(program)
    assert to_plain_text(await program.send("/gpus")) == "lab has an NVIDIA driver, but no GPU."
    nvml.init_count, nvml.init_error = 0, pynvml.NVML_ERROR_LIBRARY_NOT_FOUND
    install_gpus(program)
    program.program.process.__dict__["gpu_reader"] = GpuReader(nvml)
    assert await program.send_for_error_code("/gpus") == "no_gpu_driver"
    assert to_plain_text(await program.send("/gpus")).startswith(
        "No working NVIDIA driver on this machine (NVML Shared Library"
    )


async def test_reading_time_of_eight_gpus_is_recorded(
    program: RunningProgram, record_property: Callable[[str, object], None]
) -> None:
    """The time is recorded, not asserted, because it depends on the machine."""
    with _run_process() as (agent, child):
        await _record_worker(program, "lab:queue:gpu0", agent, _get_start_time(agent))
        install_gpus(
            program,
            *(FakeGpu(f"GPU-{index}", processes=[FakeProcess(child), FakeProcess(agent)]) for index in range(8)),
        )
        gpus = _create_service(program)
        await gpus.get_overview()
        loop = asyncio.get_running_loop()
        began = loop.time()
        overview = await gpus.get_overview()
        took = loop.time() - began
    record_property("milliseconds", round(took * 1000, 1))
    assert len(overview.uses) == 8
