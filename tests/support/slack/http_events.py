"""HTTP mode: what happens is posted to the app's request URL, signed with its secret."""

import asyncio
import hashlib
import hmac
import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlencode

import aiohttp

from tests.support.slack.sockets import Envelope, Payload

SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


class HttpEvents:
    """The requests' side of the server, used where there is an `address`.

    `clock` gives the seconds by which acknowledgements are late; what is signed bears the real time.
    """

    def __init__(self, clock: Callable[[], float], envelopes: dict[str, Envelope]) -> None:
        self.address = ""
        self._clock = clock
        self._envelopes = envelopes
        self._numbers = itertools.count(1)
        self._under_way: set[asyncio.Task[None]] = set()

    async def send(
        self,
        kind: str,
        payload: Payload,
        *,
        then: Callable[[Payload | None], None] | None = None,
        retry_attempt: int = 0,
        retry_reason: str = "",
    ) -> Envelope:
        """Posts it, and waits for no answer."""
        number = f"request{next(self._numbers)}"
        envelope = Envelope(number, kind, payload, sent_at=self._clock(), then=then)
        self._envelopes[envelope.id] = envelope
        again = {"X-Slack-Retry-Num": str(retry_attempt), "X-Slack-Retry-Reason": retry_reason}
        task = asyncio.create_task(self._post(envelope, again if retry_attempt else {}))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return envelope

    async def verify(self) -> bool:
        """Whether the address answers as Slack wants it when somebody enters it as the request URL."""
        body = json.dumps({"type": "url_verification", "token": "verification", "challenge": "3eZbrw1a"}).encode()
        headers = {"Content-Type": "application/json", **signed(body)}
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.post(self.address, data=body, headers=headers) as response,
            ):
                return response.status == 200 and "3eZbrw1a" in await response.text()
        except aiohttp.ClientConnectionError:
            return False

    async def close(self) -> None:
        await asyncio.gather(*self._under_way)

    async def _post(self, envelope: Envelope, more: dict[str, str]) -> None:
        body, content_type = encoded(envelope.type, envelope.payload)
        headers = {"Content-Type": content_type, **signed(body), **more}
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.address, data=body, headers=headers) as response,
        ):
            text = await response.text()
            envelope.statuses.append(response.status)
            if response.status == 200:
                envelope.acknowledge(json.loads(text) if text else None, self._clock())


def encoded(kind: str, payload: Payload) -> tuple[bytes, str]:
    """A body and its content type, as Slack sends things of this kind."""
    match kind:
        case "events_api":
            return json.dumps(payload).encode(), "application/json"
        case "slash_commands":
            return urlencode(payload).encode(), "application/x-www-form-urlencoded"
        case _:
            return urlencode({"payload": json.dumps(payload)}).encode(), "application/x-www-form-urlencoded"


def signed(body: bytes, *, secret: str = SIGNING_SECRET, at: datetime | None = None) -> dict[str, str]:
    """The headers that prove that Slack sent a body, now or at that time."""
    timestamp = str(int((at or datetime.now(UTC)).timestamp()))
    digest = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}
