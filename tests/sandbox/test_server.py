"""Starting the server, and clients that disconnect."""

import asyncio
from urllib.parse import urlsplit

import pytest

from clearml_chatops.sandbox import Sandbox

from .support import Client


async def test_given_keys_belong_to_alice_and_a_taken_port_raises() -> None:
    async with Sandbox(alice_keys=("KEY", "secret")) as first:
        assert (first.alice.access_key, first.alice.secret_key) == ("KEY", "secret")
        second = Sandbox()
        with pytest.raises(OSError, match="address already in use"):
            await second.start(port=int(first.url.rpartition(":")[2]))


async def test_client_disconnect_during_a_request_logs_nothing(
    client: Client, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Agents that are killed disconnect like this; it must not log a traceback."""
    url = urlsplit(sandbox.url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    head = b"POST /tasks.get_all HTTP/1.1\r\nHost: lab\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n"
    writer.write(head + b"{")
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.abort()
    # The sandbox reads this request only after it has noticed the disconnect.
    await client.call_for_data("debug.ping")
    assert not caplog.records
