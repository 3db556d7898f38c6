"""The sandbox command and the demo experiments."""

import asyncio
import io
import sys
from contextlib import suppress

import aiohttp
import pytest

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.command import serve
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments

from .support import Client


@pytest.mark.parametrize(("version", "server"), [("2.23", "1.9.2"), ("2.30", "1.16.0"), ("2.34", "2.3.0")])
async def test_command_prints_its_environment_and_stops_on_the_stop_event(version: str, server: str) -> None:
    stream, stop_event = io.StringIO(), asyncio.Event()
    serving = asyncio.create_task(
        serve(port=0, empty=False, api_version=version, stream=stream, stop_event=stop_event)
    )
    while "ready" not in stream.getvalue():
        await asyncio.sleep(0.01)
        assert not serving.done()
    printed = stream.getvalue().splitlines()
    exported = dict(line.removeprefix("export ").split("=", 1) for line in printed if line.startswith("export"))
    assert set(exported) >= {"CLEARML_API_HOST", "CLEARML_API_ACCESS_KEY", "CLEARML_API_SECRET_KEY"}
    assert sum("CLEARML_API_SECRET_KEY" in line for line in printed) == 3
    assert printed[0] == f"# ClearML server {server}, API {version}"
    assert printed[-1] == "ready"

    async with aiohttp.ClientSession() as session:
        async with session.get(f"{exported['CLEARML_API_HOST']}/debug.ping") as response:
            assert response.status == 200
        stop_event.set()
        await serving
        with suppress(aiohttp.ClientError):
            await session.get(f"{exported['CLEARML_API_HOST']}/debug.ping")
            pytest.fail("the server still answers")


async def test_command_stops_on_a_signal() -> None:
    code = (
        "import asyncio, sys; from clearml_chatops.sandbox.command import serve; "
        "asyncio.run(serve(port=0, empty=True, stream=sys.stdout))"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    try:
        while (line := await process.stdout.readline()) != b"ready\n":
            assert line, "the server ended before it was ready"
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 30) == 0
    finally:
        if process.returncode is None:
            process.kill()


async def test_demo_experiments_include_one_to_clone_and_several_to_find(client: Client, sandbox: Sandbox) -> None:
    baseline = add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    assert (baseline["name"], baseline["status"], baseline["user"]) == (
        "baseline",
        "completed",
        sandbox.alice.id,
    )
    assert "Task.init" in baseline["script"]["diff"]
    assert {task["status"] for task in sandbox.state.tasks.values()} == {"completed", "failed", "stopped"}
    failed = next(task for task in sandbox.state.tasks.values() if task["status"] == "failed")
    log = await client.call_for_data("events.get_task_log", task=failed["id"], batch_size=1)
    assert "CUDA out of memory" in log["events"][0]["msg"]
    curves = await client.call_for_data("events.scalar_metrics_iter_histogram", task=baseline["id"])
    assert len(curves["loss"]["train"]["x"]) == 60
