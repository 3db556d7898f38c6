"""HTTP mode: payloads posted to the app's request URL, signed with its secret."""

import asyncio
import hashlib
import hmac
import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlencode

import aiohttp

from tests.support.slack.socket_mode import Envelope, Payload

SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


class HttpEvents:
    """The sender of HTTP requests, used if `request_url` is set.

    `clock` gives the seconds that decide whether an acknowledgement is late. Signatures use the real time.
    """

    def __init__(self, clock: Callable[[], float], envelopes: dict[str, Envelope]) -> None:
        self.request_url = ""
        self._clock = clock
        self._envelopes = envelopes
        self._counter = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()

    async def send(
        self,
        kind: str,
        payload: Payload,
        *,
        on_acknowledged: Callable[[Payload | None], None] | None = None,
        retry_attempt: int = 0,
        retry_reason: str = "",
    ) -> Envelope:
        """Post a payload without waiting for the response."""
        request_id = f"request{next(self._counter)}"
        envelope = Envelope(request_id, kind, payload, sent_at=self._clock(), on_acknowledged=on_acknowledged)
        self._envelopes[envelope.id] = envelope
        retry_headers = {"X-Slack-Retry-Num": str(retry_attempt), "X-Slack-Retry-Reason": retry_reason}
        task = asyncio.create_task(self._post(envelope, retry_headers if retry_attempt else {}))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return envelope

    async def verify(self) -> bool:
        """Return whether the request URL passes Slack's verification."""
        body = json.dumps({"type": "url_verification", "token": "verification", "challenge": "3eZbrw1a"}).encode()
        headers = {"Content-Type": "application/json", **build_signature_headers(body)}
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.post(self.request_url, data=body, headers=headers) as response,
            ):
                return response.status == 200 and "3eZbrw1a" in await response.text()
        except aiohttp.ClientConnectionError:
            return False

    async def close(self) -> None:
        await asyncio.gather(*self._tasks)

    async def _post(self, envelope: Envelope, extra_headers: dict[str, str]) -> None:
        body, content_type = encode_body(envelope.type, envelope.payload)
        headers = {"Content-Type": content_type, **build_signature_headers(body), **extra_headers}
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.request_url, data=body, headers=headers) as response,
        ):
            text = await response.text()
            envelope.statuses.append(response.status)
            if response.status == 200:
                envelope.acknowledge(json.loads(text) if text else None, self._clock())


def encode_body(kind: str, payload: Payload) -> tuple[bytes, str]:
    """Return the body and content type that Slack uses for this kind of payload."""
    match kind:
        case "events_api":
            return json.dumps(payload).encode(), "application/json"
        case "slash_commands":
            return urlencode(payload).encode(), "application/x-www-form-urlencoded"
        case _:
            return urlencode({"payload": json.dumps(payload)}).encode(), "application/x-www-form-urlencoded"


def build_signature_headers(
    body: bytes, *, secret: str = SIGNING_SECRET, signed_at: datetime | None = None
) -> dict[str, str]:
    """Return the headers that prove that Slack sent a body, now or at the given time."""
    timestamp = str(int((signed_at or datetime.now(UTC)).timestamp()))
    digest = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}
