"""The webhook: Telegram posts updates to the bot, and a secret header proves that it is Telegram."""

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
_AUTHENTICATION_HEADER = "X-Telegram-Bot-Api-Secret-Token"


class Webhook:
    """Receives updates at `PATH`. `url` is the public address of this program's web server.

    Raises:
        SettingsError: The address doesn't start with https://.
    """

    def __init__(self, *, url: str, token: str, bot: ExtBot[Any], receive: Callable[[Update], None]) -> None:
        if not url.startswith("https://"):
            raise SettingsError(
                name="TELEGRAM_WEBHOOK_URL", reason="must start with https://. Telegram needs HTTPS."
            )
        self._url = url.rstrip("/") + PATH
        # The same after a restart: updates that Telegram kept meanwhile come with the earlier secret.
        self._secret = hmac.new(token.encode(), b"webhook", hashlib.sha256).hexdigest()
        self._bot = bot
        self._receive = receive
        self._is_open = False

    @property
    def route(self) -> web.RouteDef:
        return web.post(PATH, self._handle_request)

    async def open(self, allowed_updates: Sequence[str]) -> None:
        """Set the webhook for updates of these kinds.

        Raises:
            SettingsError: Telegram doesn't accept the address.
            TelegramError: Telegram doesn't answer.
        """
        self._is_open = True
        try:
            await self._bot.set_webhook(self._url, secret_token=self._secret, allowed_updates=allowed_updates)
        except BadRequest as error:
            raise SettingsError(
                name="TELEGRAM_WEBHOOK_URL", reason=f"Telegram doesn't accept it ({error.message})."
            ) from error

    def close(self) -> None:
        """Refuse further updates. Telegram keeps them and sends them after the next start."""
        self._is_open = False

    async def _handle_request(self, request: web.Request) -> web.Response:
        """Confirm an update at once; its command runs in the background.

        Telegram sends an update again until the bot answers with 200.
        """
        received_secret = request.headers.get(_AUTHENTICATION_HEADER, "").encode(errors="replace")
        if not hmac.compare_digest(received_secret, self._secret.encode()):
            return web.Response(status=403)
        if not self._is_open:
            return web.Response(status=503)
        try:
            update = Update.de_json(await request.json(), self._bot)
        except (ValueError, TypeError, KeyError, AttributeError):
            logger.warning("The webhook received an invalid update.", extra={"action": "telegram_invalid_update"})
            return web.Response(status=400)
        self._receive(update)
        return web.Response()
