"""/gpus watch: one notification when a GPU has been free for as long as requested."""

from datetime import timedelta

import pytest

from clearml_chatops.models.people import Role
from clearml_chatops.services.workers.gpu_watches import GpuWatches
from tests.support.nvml import GIBIBYTE, FakeGpu, FakeProcess, install_gpus
from tests.support.program import RunningProgram, get_buttons, to_plain_text


async def _poll(program: RunningProgram, *, later: timedelta = timedelta(0)) -> list[str]:
    """Poll the watches at a later time and return the notifications."""
    process = program.program.process
    began = process.clock() - timedelta(hours=1)
    watches = GpuWatches(
        reader=process.gpu_reader,
        database=process.database,
        host="lab",
        clock=lambda: began + later,
        outbox_wakeup=process.outbox_wakeup,
    )
    await watches.poll()
    return await program.poll_and_deliver()


async def test_freed_gpu_is_announced_once(program: RunningProgram) -> None:
    gpu = FakeGpu("GPU-1", processes=[FakeProcess(4711)])
    install_gpus(program, FakeGpu("GPU-0"), gpu)
    assert "You get notified here when nobody uses GPU 1." in await program.ask("/gpus watch GPU-1")
    assert await _poll(program) == []

    gpu.processes, gpu.used = [], GIBIBYTE
    outbox_wakeup = program.program.process.outbox_wakeup.subscribe()
    (notification,) = await _poll(program)
    assert outbox_wakeup.is_set(), "the notification is delivered immediately"

    assert "GPU 1 on lab is free, with 79 GiB of memory." in notification
    assert '[Start worker] /worker start gpus="1"' in notification
    assert await _poll(program) == []


async def test_free_memory_is_announced_after_the_minimum_duration(program: RunningProgram) -> None:
    gpu = FakeGpu("GPU-0", used=70 * GIBIBYTE, processes=[FakeProcess(4711)])
    install_gpus(program, gpu)
    output = await program.ask("/gpus watch 0 mem=20G for=5m")
    assert "You get notified here when GPU 0 has 20.0 GiB of free memory for 5 min." in output
    gpu.used = 50 * GIBIBYTE
    assert await _poll(program) == []
    assert await _poll(program, later=timedelta(minutes=4)) == []
    gpu.used = 70 * GIBIBYTE  # used in between: the wait starts again
    assert await _poll(program, later=timedelta(minutes=5)) == []
    gpu.used = 50 * GIBIBYTE
    assert await _poll(program, later=timedelta(minutes=6)) == []
    assert await _poll(program, later=timedelta(minutes=10)) == []
    (notification,) = await _poll(program, later=timedelta(minutes=12))
    assert "GPU 0 on lab has 30 GiB of free memory." in notification


async def test_driver_is_not_polled_without_watches(program: RunningProgram) -> None:
    nvml = install_gpus(program, FakeGpu("GPU-0"))
    await program.program.process.gpu_watches.poll()
    assert nvml.init_count == 0


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("/gpus watch 9", "“9” isn't a GPU of this machine"),
        ("/gpus watch 0,1", "“0,1” isn't one GPU"),
        ("/gpus watch none", "“none” isn't one GPU"),
        ("/gpus watch 0 mem=500G", "“500G” isn't within the GPU's memory. The GPU has 80G. Use less."),
        ("/gpus watch 0 mem=much", "Write it like 20G or 500M."),
    ],
)
async def test_invalid_watch_gives_one_sentence(program: RunningProgram, line: str, sentence: str) -> None:
    install_gpus(program, FakeGpu("GPU-0"), FakeGpu("GPU-1"))
    assert sentence in to_plain_text(await program.send(line))


async def test_watch_needs_a_driver(program: RunningProgram) -> None:
    assert await program.send_for_error_code("/gpus watch 0") == "no_gpu_driver"


async def test_watches_are_listed_and_removed(program: RunningProgram) -> None:
    install_gpus(program, *(FakeGpu(f"GPU-{index}aaaa", processes=[FakeProcess(4711)]) for index in range(3)))
    assert "No GPU is watched here" in await program.ask("/gpus watch")
    assert await program.send_for_error_code("/gpus unwatch") == "gpu_not_watched"
    await program.ask("/gpus watch 2 mem=20G")
    first = await program.send("/gpus watch 1 for=5m")
    assert get_buttons(first)["Unwatch GPU 1"] == "/gpus unwatch 1"

    watched = await program.send(get_buttons(first)["Show GPU watches"])
    assert to_plain_text(watched).splitlines()[:3] == [
        "2 GPUs watched here",
        "GPU 1: Notifies when nobody uses it for 5 min",
        "GPU 2: Notifies when it has 20.0 GiB of free memory",
    ]
    bob = await program.add_person(program.sandbox.bob, Role.MEMBER)
    assert await bob.send_for_error_code("/gpus unwatch 1") == "gpu_not_watched", (
        "each conversation has its own watches"
    )

    assert "Notifications for GPU 1 are off here." in await program.ask("/gpus unwatch GPU-1")
    assert "Notifications for GPU 0 aren't on here" in to_plain_text(await program.send("/gpus unwatch 0"))
    assert "Notifications for GPU 2 are off here." in await program.ask("/gpus unwatch")
    assert await _poll(program) == []


async def test_watch_can_be_removed_without_a_driver(program: RunningProgram) -> None:
    install_gpus(program, FakeGpu("GPU-0"))
    await program.ask("/gpus watch 0")
    program.program.process.__dict__.pop("gpu_reader")
    assert "Notifications for GPU 0 are off here." in await program.ask("/gpus unwatch 0")
