"""Socket Mode: a connection that reconnects by itself, and closes without losing accepted requests."""

import asyncio
import logging
from collections.abc import Awaitable
from datetime import timedelta

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

logger = logging.getLogger(__name__)

_CLOSE_TIMEOUT = timedelta(seconds=0.5)


class SocketModeReceiver:
    """Receives requests by Socket Mode. Create it in a running event loop, which the library needs.

    `url` is a fresh single-use URL from Slack.
    """

    def __init__(self, *, app: AsyncApp, app_token: str, url: str, heartbeat: timedelta) -> None:
        self._handler = AsyncSocketModeHandler(app, app_token, ping_interval=heartbeat.total_seconds())
        self._client = self._handler.client
        self._client.wss_uri = url
        self._client.socket_mode_request_listeners[:] = [self._handle_request]
        self._heartbeat = heartbeat
        self._tasks: list[asyncio.Task[None]] = []
        self._unacknowledged: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Connect, and stay connected."""
        self._tasks = [
            asyncio.create_task(self._connect()),
            asyncio.create_task(self._monitor()),
        ]

    async def stop_accepting(self) -> None:
        """Wait until the accepted requests are acknowledged. Slack redelivers what arrives from now on."""
        self._client.socket_mode_request_listeners.clear()
        if self._unacknowledged:
            await asyncio.wait(self._unacknowledged, timeout=_CLOSE_TIMEOUT.total_seconds())

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await _close_within_timeout(self._close())
        # The library doesn't wait for the tasks it cancels, and leaves them running if the other side hangs.
        library_tasks = (
            self._client.message_processor,
            self._client.current_session_monitor,
            self._client.message_receiver,
        )
        running = [future for future in library_tasks if future]
        for future in running:
            future.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await _close_within_timeout(self._client.aiohttp_client_session.close())

    async def _connect(self) -> None:
        await self._handler.connect_async()  # type: ignore[no-untyped-call]  # the library has no type for it

    async def _close(self) -> None:
        await self._handler.close_async()  # type: ignore[no-untyped-call]  # the library has no type for it

    async def _handle_request(self, _client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        """Handle a request, tracked until it is acknowledged."""
        handler_task = asyncio.create_task(self._handler.handle(self._client, request))
        self._unacknowledged.add(handler_task)
        handler_task.add_done_callback(self._unacknowledged.discard)
        await handler_task

    async def _monitor(self) -> None:
        """Drop the URL while disconnected: after a failed handshake the library retries it forever."""
        client = self._client
        connected = True
        while True:
            await asyncio.sleep(self._heartbeat.total_seconds())
            was_connected, connected = connected, await client.is_connected()
            if not connected:
                client.wss_uri = None
            if connected != was_connected:
                message = (
                    "The connection to Slack is back."
                    if connected
                    else "The connection to Slack is lost. Trying again."
                )
                logger.warning(message, extra={"action": "slack_connection"})


async def _close_within_timeout(closing: Awaitable[None]) -> None:
    """Wait for a close, with a timeout: the other side may be gone."""
    try:
        await asyncio.wait_for(closing, _CLOSE_TIMEOUT.total_seconds())
    except TimeoutError:
        logger.info("Slack didn't close the connection in time.", extra={"action": "slack_connection"})
