"""The parameters by which experiments choose GPUs, however their value is written."""

from datetime import UTC, datetime

import pytest

from clearml_chatops.models.experiments import Experiment, Parameter, Status
from clearml_chatops.models.people import QueueBinding
from clearml_chatops.models.workers import ALL_GPUS, DesiredWorker, WorkerPlan
from clearml_chatops.services.workers.gpu_counts import WorkerGpuCounts
from clearml_chatops.services.workers.gpu_parameters import find_misfit, list_gpu_parameters
from tests.support.nvml import FakeGpu, install_gpus
from tests.support.program import RunningProgram


def _build_experiment(**values: str) -> Experiment:
    parameters = tuple(Parameter("Args", name.replace("__", "."), value) for name, value in values.items())
    return Experiment("1", "one", Status.FAILED, datetime(2026, 11, 27, tzinfo=UTC), parameters=parameters)


@pytest.mark.parametrize(
    ("name", "value", "gpu_count", "suggested"),
    [
        ("gpus", "1", 1, "0"),
        ("gpus", "2,3", 2, "0,1"),
        ("gpus", "4, 5, 6", 2, "0,1"),
        ("gpus", "[1]", 1, "[0]"),
        ("gpus", "[2, 3]", 4, None),
        ("gpus", "[2, 3]", 3, "[0, 1]"),
        ("GPU_ids", "(1,)", 1, "(0,)"),
        ("gpu-id", "['7']", 1, "['0']"),
        ("device", "cuda:1", 1, "cuda:0"),
        ("device", "cuda:1", 2, None),
        ("trainer__devices", "[3]", None, "[0]"),
        ("gpus", "0", None, None),
        ("num_gpus", "4", 2, "2"),
        ("nproc_per_node", "2", 2, None),
        ("nproc_per_node", "2", None, "1"),
        ("gpus", "all", 1, None),
        ("device", "cpu", 1, None),
        ("device", "cuda", 1, None),
        ("gpus", "", 1, None),
        ("gpus", "-1", 1, None),
        ("gpus", "[1", 1, None),
        ("gpus", "1" * 100_000, 1, None),
        ("gpus", "١", 1, None),
        ("lr", "1", 1, None),
        ("batch", "8", 1, None),
    ],
)
def test_misfits_are_found_with_a_value_that_fits(
    name: str, value: str, gpu_count: int | None, suggested: str | None
) -> None:
    misfit = find_misfit(list_gpu_parameters(_build_experiment(**{name: value})), gpu_count)
    assert (misfit.suggest(gpu_count) if misfit else None) == suggested


def test_the_parameter_that_does_not_fit_is_found_among_several() -> None:
    misfit = find_misfit(list_gpu_parameters(_build_experiment(num_gpus="8", gpus="0", device="cuda:3")), 1)
    assert misfit is not None
    assert misfit.parameter.name == "device"


@pytest.mark.parametrize(
    ("worker_id", "count"),
    [
        ("lab:alice_queue:gpu0,1", 2),
        ("lab:gpu3", 1),
        ("lab:alice_queue:cpu", 0),
        ("lab:gpuMIG-11aa,MIG-22bb", 2),
        ("lab:jobs:services", None),
        ("other:gpuall", None),
        ("lab:q:gpuall", 3),
        ("lab:q:gpuall:service:0105be", 3),
        ("", None),
    ],
)
async def test_gpus_of_a_worker_are_counted(program: RunningProgram, worker_id: str, count: int | None) -> None:
    install_gpus(program, *(FakeGpu(f"GPU-{number}") for number in range(3)))
    await program.ask("/queue create")
    process, person = program.program.process, await program.find_person()
    assert person is not None
    plan = WorkerPlan((QueueBinding("q1", "q"),), ALL_GPUS)
    await process.host_workers.put(
        DesiredWorker("lab:q:gpuall", process.host, plan, person.id, program.conversation, process.clock())
    )
    counts = WorkerGpuCounts(host_workers=process.host_workers, reader=process.gpu_reader)
    assert await counts.count(worker_id) == count
