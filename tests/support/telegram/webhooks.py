"""setWebhook, and the delivery of updates to the webhook until the bot confirms them."""

import asyncio
import contextlib
import re
from typing import Any

import aiohttp

from tests.support.telegram.api_calls import Call
from tests.support.telegram.refusals import build_bad_request
from tests.support.telegram.state import State

_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_PORTS = {None, "443", "80", "88", "8443"}
_RETRY_DELAY_SECONDS = 0.05
_SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"


def set_webhook(state: State, call: Call) -> Any:
    url = str(call.parameters.get("url", ""))
    url_match = re.match(r"https://[^/:]+(?::(\d+))?(?:/|$)", url)
    if url and not url_match:
        raise build_bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    if url_match and url_match[1] not in _PORTS:
        raise build_bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
    secret = str(call.parameters.get("secret_token", ""))
    if secret and not _SECRET.fullmatch(secret):
        raise build_bad_request("secret token contains unallowed characters")
    state.webhook_url, state.webhook_secret = url, secret
    state.allowed_updates = tuple(call.parameters.get("allowed_updates") or ())
    return True


def delete_webhook(state: State, call: Call) -> Any:
    state.webhook_url = ""
    if call.parameters.get("drop_pending_updates"):
        state.updates.clear()
    return True


def get_webhook_info(state: State, _call: Call) -> Any:
    return {"url": state.webhook_url, "has_custom_certificate": False, "pending_update_count": len(state.updates)}


class WebhookDelivery:
    """Sends updates one after the other. `refused_statuses` has the status of each refused request."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._task: asyncio.Task[None] | None = None
        self.local_addresses: dict[str, str] = {}
        self.refused_statuses: list[int] = []

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        async with aiohttp.ClientSession() as session:
            while True:
                async with self._state.changed:
                    await self._state.changed.wait_for(self._find_next_update)
                if not (update := self._find_next_update()) or await self._send_update(session, update):
                    continue
                await asyncio.sleep(_RETRY_DELAY_SECONDS)

    def _find_next_update(self) -> dict[str, Any] | None:
        if not self._state.webhook_url:
            return None
        kinds = self._state.allowed_updates
        allowed_updates = (update for update in self._state.updates if not kinds or set(kinds) & set(update))
        return next(allowed_updates, None)

    async def _send_update(self, session: aiohttp.ClientSession, update: dict[str, Any]) -> bool:
        """Send an update. Return whether the bot has confirmed it."""
        headers = {_SECRET_HEADER: self._state.webhook_secret} if self._state.webhook_secret else {}
        try:
            async with session.post(self._build_local_url(), json=update, headers=headers) as answer:
                status = answer.status
        except aiohttp.ClientError:
            return False
        if status // 100 != 2:
            self.refused_statuses.append(status)
            await self._state.notify_changed()
            return False
        # The same update may be pending twice; only this one is confirmed.
        self._state.updates[:] = [other for other in self._state.updates if other is not update]
        await self._state.notify_changed()
        return True

    def _build_local_url(self) -> str:
        """Return the local address for the webhook's public address."""
        public, local = next(
            (public, local)
            for public, local in self.local_addresses.items()
            if self._state.webhook_url.startswith(public)
        )
        return local + self._state.webhook_url.removeprefix(public)
