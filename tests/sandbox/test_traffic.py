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


async def test_requests_beside_each_other_count_as_one_in_a_sequence(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.delay("tasks.get_all", 0.2)
    await client.data("queues.get_all")
    await asyncio.gather(*(client.data("tasks.get_all") for _ in range(3)))
    await client.data("auth.login")
    await client.data("debug.ping")

    assert sandbox.requests.names() == ["queues.get_all", *["tasks.get_all"] * 3, "debug.ping"]
    assert sandbox.requests.longest_sequence() == 3
    first, second, _ = sandbox.requests.named("tasks.get_all")
    assert first.overlaps(second)
    assert (first.user, first.status, first.body) == ("Alice Adams", 200, {})
    sandbox.requests.clear()
    assert len(sandbox.requests) == 0


async def test_a_fault_is_answered_as_often_as_it_was_set(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.answer("tasks.create", status=503, body="<h1>busy</h1>", times=1)
    headers = {"Authorization": "Bearer x"}
    async with client.session.post(f"{sandbox.url}/tasks.create", headers=headers) as response:
        assert (response.status, await response.text()) == (503, "<h1>busy</h1>")
    assert sandbox.state.tasks == {}
    await client.data("tasks.create", name="draft", type="training")

    sandbox.faults.refuse()
    refused = await client.call("tasks.get_all")
    assert (refused.status, refused.subcode) == (401, 22)
    sandbox.faults.clear()
    await client.data("tasks.get_all")


async def test_an_answer_can_be_lost_after_the_request_took_effect(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.disconnect("tasks.create", times=1, handled=True)
    with pytest.raises(aiohttp.ClientError):
        await client.call("tasks.create", name="draft", type="training")
    assert [task["name"] for task in sandbox.state.tasks.values()] == ["draft"]


async def test_the_command_prints_how_to_use_the_server_and_ends_when_told() -> None:
    stream, stop = io.StringIO(), asyncio.Event()
    serving = asyncio.create_task(serve(port=0, empty=False, stream=stream, stop=stop))
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
        stop.set()
        await serving
        with suppress(aiohttp.ClientError):
            await session.get(f"{exported['CLEARML_API_HOST']}/debug.ping")
            pytest.fail("the server still answers")


async def test_the_command_ends_by_a_signal() -> None:
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


async def test_the_demo_has_an_experiment_to_clone_and_some_to_find(client: Client, sandbox: Sandbox) -> None:
    baseline = add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    assert (baseline["name"], baseline["status"], baseline["user"]) == (
        "baseline",
        "completed",
        sandbox.alice.id,
    )
    assert "Task.init" in baseline["script"]["diff"]
    assert {task["status"] for task in sandbox.state.tasks.values()} == {"completed", "failed", "stopped"}
    failed = next(task for task in sandbox.state.tasks.values() if task["status"] == "failed")
    log = await client.data("events.get_task_log", task=failed["id"], batch_size=1)
    assert "CUDA out of memory" in log["events"][0]["msg"]
    curves = await client.data("events.scalar_metrics_iter_histogram", task=baseline["id"])
    assert len(curves["loss"]["train"]["x"]) == 60


async def test_given_keys_are_alice_s_and_a_taken_port_is_told() -> None:
    async with Sandbox(alice_keys=("KEY", "secret")) as first:
        assert (first.alice.access_key, first.alice.secret_key) == ("KEY", "secret")
        second = Sandbox()
        with pytest.raises(OSError, match="address already in use"):
            await second.start(port=int(first.url.rpartition(":")[2]))


async def test_who_hangs_up_in_the_middle_of_a_request_is_no_trouble(
    client: Client, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """As an agent does that is killed: nobody is to read a traceback of it."""
    address = urlsplit(sandbox.url)
    reading, writing = await asyncio.open_connection(address.hostname, address.port)
    head = b"POST /tasks.get_all HTTP/1.1\r\nHost: lab\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n"
    writing.write(head + b"{")
    await reading.readuntil(b"\r\n\r\n")
    writing.transport.abort()
    await client.data("debug.ping")  # which the sandbox reads after it has seen that the other one is gone
    assert not caplog.records
