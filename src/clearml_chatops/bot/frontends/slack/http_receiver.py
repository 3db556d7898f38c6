"""HTTP mode: Slack sends signed requests to the bot.

Bolt's own signature check logs the body of a refused request and fails on a timestamp that isn't a number.
So requests are checked here, with the SDK's verifier, before Bolt gets them.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.signature import Clock, SignatureVerifier

from clearml_chatops.models.errors import SettingsError

logger = logging.getLogger(__name__)

REQUEST_PATH = "/slack/events"
"""The path for all of Slack's requests: events, commands, buttons, options."""
_BODY_TIMEOUT = timedelta(seconds=3)
"""Slack waits no longer than this for a response."""
_CLOSE_TIMEOUT = timedelta(seconds=0.5)
_WARNING_INTERVAL = timedelta(minutes=1)


def build_request_url(bot_url: str) -> str:
    """Return the request URL for a bot at `bot_url`, such as `https://bot.example`.

    Raises:
        ValueError: Slack can't call this URL.
    """
    try:
        parts = urlsplit(bot_url)
        is_usable = parts.scheme == "https" and parts.hostname and not parts.query and not parts.fragment
    except ValueError:
        is_usable = False
    if not is_usable:
        raise ValueError(f"Slack can't call {bot_url}. Use an address such as https://bot.example.")
    return f"{bot_url.rstrip('/').removesuffix(REQUEST_PATH)}{REQUEST_PATH}"


class HttpReceiver:
    """Receives Slack's requests. While it isn't accepting any, it answers 503, and Slack retries later.

    A request that isn't signed with the secret, or was signed more than five minutes ago, gets 401. A body
    that exceeds the web server's limit gets 413.

    Raises:
        SettingsError: the secret is blank.
    """

    def __init__(self, signing_secret: str, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        secret = signing_secret.strip()
        if not secret:
            raise SettingsError(
                name="SLACK_SIGNING_SECRET", reason="blank. Copy it from the app's Basic Information page."
            )
        self._clock = clock
        self._verifier = SignatureVerifier(secret, _VerifierClock(clock))
        self._app: AsyncApp | None = None
        self._last_warning_at: datetime | None = None
        self._unacknowledged: set[asyncio.Task[BoltResponse]] = set()

    @property
    def routes(self) -> Sequence[web.RouteDef]:
        return (web.post(REQUEST_PATH, self._handle_request),)

    def start_accepting(self, app: AsyncApp) -> None:
        self._app = app

    async def stop_accepting(self) -> None:
        """Stop accepting requests, and wait until the accepted ones are acknowledged."""
        self._app = None
        if self._unacknowledged:
            await asyncio.wait(self._unacknowledged, timeout=_CLOSE_TIMEOUT.total_seconds())

    async def close(self) -> None:
        """Do nothing: the web server that has the routes closes on its own."""

    async def _handle_request(self, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(_BODY_TIMEOUT.total_seconds()):
                body = await request.read()
        except TimeoutError:
            return web.Response(status=408)
        if not self._is_signed(body, request):
            self._warn_of_bad_signature()
            return web.Response(status=401)
        if self._app is None:
            return web.Response(status=503)
        # Pass only the content type: Bolt obeys some headers of its own, which Slack never sends.
        bolt_request = AsyncBoltRequest(body=body.decode(), headers={"content-type": request.content_type})
        handler_task = asyncio.create_task(self._app.async_dispatch(bolt_request))
        self._unacknowledged.add(handler_task)
        handler_task.add_done_callback(self._unacknowledged.discard)
        return await to_aiohttp_response(await handler_task)

    def _is_signed(self, body: bytes, request: web.Request) -> bool:
        timestamp = request.headers.get("X-Slack-Request-Timestamp")
        signature = request.headers.get("X-Slack-Signature")
        try:
            return self._verifier.is_valid(body, timestamp, signature)
        except (ValueError, TypeError):
            # The timestamp isn't a number, or the body or the signature isn't text.
            return False

    def _warn_of_bad_signature(self) -> None:
        """Log that the secret may be wrong, at most once a minute."""
        now = self._clock()
        if self._last_warning_at and now - self._last_warning_at < _WARNING_INTERVAL:
            return
        self._last_warning_at = now
        logger.warning(
            "Refused a request that isn't signed with SLACK_SIGNING_SECRET.",
            extra={"action": "slack_signature"},
        )


class _VerifierClock(Clock):
    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock().timestamp()
