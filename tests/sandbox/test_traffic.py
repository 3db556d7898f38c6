"""What tests see of the requests, and the faults they can make."""

import asyncio
import io
import sys
from contextlib import suppress
from urllib.parse import urlsplit

import aiohttp
import pytest

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.command import serve
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments

from .support import Client


async def test_concurrent_requests_count_once_in_a_sequence(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.delay("tasks.get_all", 0.2)
    await client.call_for_data("queues.get_all")
    await asyncio.gather(*(client.call_for_data("tasks.get_all") for _ in range(3)))
    await client.call_for_data("auth.login")
    await client.call_for_data("debug.ping")

    assert sandbox.requests.list_endpoints() == ["queues.get_all", *["tasks.get_all"] * 3, "debug.ping"]
    assert sandbox.requests.count_longest_sequence() == 3
    first, second, _ = sandbox.requests.find_by_endpoint("tasks.get_all")
    assert first.overlaps(second)
    assert (first.user, first.status, first.body) == ("Alice Adams", 200, {})
    sandbox.requests.clear()
    assert len(sandbox.requests) == 0


async def test_fault_applies_as_many_times_as_configured(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.answer("tasks.create", status=503, body="<h1>busy</h1>", times=1)
    headers = {"Authorization": "Bearer x"}
    async with client.session.post(f"{sandbox.url}/tasks.create", headers=headers) as response:
        assert (response.status, await response.text()) == (503, "<h1>busy</h1>")
    assert sandbox.state.tasks == {}
    await client.call_for_data("tasks.create", name="draft", type="training")

    sandbox.faults.reject_credentials()
    refused = await client.call("tasks.get_all")
    assert (refused.status, refused.subcode) == (401, 22)
    sandbox.faults.clear()
    await client.call_for_data("tasks.get_all")


async def test_response_can_be_lost_after_the_request_took_effect(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.disconnect("tasks.create", times=1, takes_effect=True)
    with pytest.raises(aiohttp.ClientError):
        await client.call("tasks.create", name="draft", type="training")
    assert [task["name"] for task in sandbox.state.tasks.values()] == ["draft"]


async def test_command_prints_its_environment_and_stops_on_the_stop_event() -> None:
    stream, stop_event = io.StringIO(), asyncio.Event()
    serving = asyncio.create_task(serve(port=0, empty=False, stream=stream, stop_event=stop_event))
    while "ready" not in stream.getvalue():
        await asyncio.sleep(0.01)
        assert not serving.done()
    printed = stream.getvalue().splitlines()
    exported = dict(line.removeprefix("export ").split("=", 1) for line in printed if line.startswith("export"))
    assert set(exported) >= {"CLEARML_API_HOST", "CLEARML_API_ACCESS_KEY", "CLEARML_API_SECRET_KEY"}
    assert sum("CLEARML_API_SECRET_KEY" in line for line in printed) == 3
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


async def test_given_keys_belong_to_alice_and_a_taken_port_raises() -> None:
    async with Sandbox(alice_keys=("KEY", "secret")) as first:
        assert (first.alice.access_key, first.alice.secret_key) == ("KEY", "secret")
        second = Sandbox()
        with pytest.raises(OSError, match="address already in use"):
            await second.start(port=int(first.url.rpartition(":")[2]))


async def test_client_disconnect_during_a_request_logs_nothing(
    client: Client, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """As an agent does that is killed: nobody is to read a traceback of it."""
    address = urlsplit(sandbox.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = b"POST /tasks.get_all HTTP/1.1\r\nHost: lab\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n"
    writer.write(head + b"{")
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.abort()
    await client.call_for_data(
        "debug.ping"
    )  # which the sandbox reads after it has seen that the other one is gone
    assert not caplog.records
