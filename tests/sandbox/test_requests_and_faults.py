"""The request log and simulated faults."""

import asyncio

import aiohttp
import pytest

from clearml_chatops.sandbox import Sandbox

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
