"""Socket Mode: single-use URLs, envelopes to the bot, acknowledgements back."""

import asyncio
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

ACKNOWLEDGEMENT_TIMEOUT = 3.0
"""Seconds until Slack gives up on an acknowledgement and shows `operation_timeout`."""

Payload = dict[str, Any]


@dataclass
class Envelope:
    """A payload on its way to the bot."""

    id: str
    type: str
    payload: Payload
    sent_at: float = 0.0
    acked_after: float | None = None
    ack_payload: Payload | None = None
    acks: int = 0
    acknowledged: asyncio.Event = field(default_factory=asyncio.Event)
    statuses: list[int] = field(default_factory=list)
    """The status codes of the bot's responses in HTTP mode."""
    on_acknowledged: Callable[[Payload | None], None] | None = None
    """Called with the payload of an acknowledgement in time."""

    @property
    def timed_out(self) -> bool:
        """Whether the person saw `operation_timeout`."""
        return self.acked_after is not None and self.acked_after > ACKNOWLEDGEMENT_TIMEOUT

    def acknowledge(self, payload: Payload | None, now: float) -> None:
        self.acks += 1
        self.ack_payload = payload
        if self.acked_after is None:
            self.acked_after = now - self.sent_at
        if self.on_acknowledged and not self.timed_out:
            self.on_acknowledged(payload)
        self.acknowledged.set()


class SocketMode:
    """The WebSocket side of the server. Each envelope goes to one of the connections."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.envelopes: dict[str, Envelope] = {}
        self.connections: list[web.WebSocketResponse] = []
        self.opened_count = 0
        self.refused_ticket_count = 0
        self.dead_url_count = 0
        """How many of the next URLs are dead."""
        self.base_url = ""
        self._clock = clock
        self._tickets: set[str] = set()
        self._counter = itertools.count(1)
        self._connected = asyncio.Event()

    def create_url(self) -> str:
        """Return a ws:// URL that opens one connection, once."""
        ticket = f"ticket{next(self._counter)}"
        if self.dead_url_count:
            self.dead_url_count -= 1
        else:
            self._tickets.add(ticket)
        return f"{self.base_url}/link/?ticket={ticket}&app_id=A0001"

    async def connect(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            self.refused_ticket_count += 1
            return web.Response(status=404)
        self._tickets.remove(ticket)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.opened_count += 1
        self.connections.append(socket)
        await socket.send_json(
            {"type": "hello", "num_connections": len(self.connections), "connection_info": {"app_id": "A0001"}}
        )
        self._connected.set()
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._receive(json.loads(message.data))
        finally:
            self._forget(socket)
        return socket

    async def send(
        self,
        kind: str,
        payload: Payload,
        *,
        on_acknowledged: Callable[[Payload | None], None] | None = None,
        **more: Any,
    ) -> Envelope:
        """Send an envelope as soon as there is a connection."""
        envelope = Envelope(f"envelope{next(self._counter)}", kind, payload, on_acknowledged=on_acknowledged)
        self.envelopes[envelope.id] = envelope
        await self.resend(envelope, **more)
        return envelope

    async def resend(self, envelope: Envelope, **more: Any) -> None:
        """Send the same envelope. `retry_attempt` and `retry_reason` mark it as a redelivery."""
        await self.wait_for_connection()
        envelope.sent_at = self._clock()
        await self.connections[-1].send_json(
            {
                "envelope_id": envelope.id,
                "type": envelope.type,
                "accepts_response_payload": envelope.type != "events_api",
                "payload": envelope.payload,
                **more,
            }
        )

    async def wait_for_connection(self) -> None:
        await self._connected.wait()

    async def request_reconnect(self) -> None:
        """Ask for a reconnect, as Slack does before it refreshes a connection."""
        for socket in list(self.connections):
            await socket.send_json({"type": "disconnect", "reason": "refresh_requested", "debug_info": {}})

    async def close(self) -> None:
        """Close every connection with a close handshake."""
        for socket in list(self.connections):
            self._forget(socket)
            await socket.close()

    def drop_connections(self) -> None:
        """Drop every connection without a close handshake."""
        for socket in list(self.connections):
            self._forget(socket)
            transport = socket._req.transport if socket._req else None
            if transport is not None:
                transport.abort()

    def _forget(self, socket: web.WebSocketResponse) -> None:
        if socket in self.connections:
            self.connections.remove(socket)
        if not self.connections:
            self._connected.clear()

    def _receive(self, message: Payload) -> None:
        self.envelopes[message["envelope_id"]].acknowledge(message.get("payload"), self._clock())
