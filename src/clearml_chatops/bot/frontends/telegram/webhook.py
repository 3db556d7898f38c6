"""The webhook: Telegram brings the updates itself, and shows by a secret that it is Telegram."""

import hashlib
import hmac
import logging
from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web
from telegram import Update
from telegram.error import BadRequest
from telegram.ext import ExtBot

from clearml_chatops.models.errors import SettingsError

logger = logging.getLogger(__name__)

PATH = "/telegram"
_SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"


class Webhook:
    """Takes updates at `PATH`. `url` is the public address that leads to this program's web server.

    Raises:
        SettingsError: the address cannot be one.
    """

    def __init__(self, *, url: str, token: str, bot: ExtBot[Any], receive: Callable[[Update], None]) -> None:
        if not url.startswith("https://"):
            raise SettingsError(
                name="TELEGRAM_WEBHOOK_URL", reason="must begin with https://; Telegram calls no other address."
            )
        self._url = url.rstrip("/") + PATH
        # The same after a restart: what Telegram kept meanwhile comes with the secret of before.
        self._secret = hmac.new(token.encode(), b"webhook", hashlib.sha256).hexdigest()
        self._bot = bot
        self._receive = receive
        self._is_open = False

    @property
    def route(self) -> web.RouteDef:
        return web.post(PATH, self._handle_request)

    async def open(self, allowed_updates: Sequence[str]) -> None:
        """Has Telegram bring updates of these kinds.

        Raises:
            SettingsError: Telegram does not take the address.
            TelegramError: Telegram does not answer.
        """
        self._is_open = True
        try:
            await self._bot.set_webhook(self._url, secret_token=self._secret, allowed_updates=allowed_updates)
        except BadRequest as error:
            raise SettingsError(
                name="TELEGRAM_WEBHOOK_URL", reason=f"Telegram does not take it ({error.message})."
            ) from error

    def close(self) -> None:
        """Takes nothing more. Telegram is left to keep what comes, and brings it to the next start."""
        self._is_open = False

    async def _handle_request(self, request: web.Request) -> web.Response:
        """Says that an update has arrived, at once; the work on it goes on behind.

        Telegram brings an update again until it is told 200.
        """
        received_secret = request.headers.get(_SECRET_HEADER, "").encode(errors="replace")
        if not hmac.compare_digest(received_secret, self._secret.encode()):
            return web.Response(status=403)
        if not self._is_open:
            return web.Response(status=503)
        try:
            update = Update.de_json(await request.json(), self._bot)
        except (ValueError, TypeError, KeyError, AttributeError):
            logger.warning("The webhook was given no update.", extra={"action": "telegram_invalid_update"})
            return web.Response(status=400)
        self._receive(update)
        return web.Response()
