"""The connection to Telegram, by long polling or by webhook, with reconnects."""

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from aiohttp.web import RouteDef
from telegram import Update
from telegram.error import InvalidToken, TelegramError
from telegram.ext import AIORateLimiter, Application, ExtBot, TypeHandler, Updater

from clearml_chatops.bot.frontends.telegram.polling import PollingReport, PollingRequest
from clearml_chatops.bot.frontends.telegram.webhook import Webhook
from clearml_chatops.models.errors import SettingsError

logger = logging.getLogger(__name__)

_TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]+")
_API_URL = re.compile(r"https?://[^\s/]+\S*")
_MAX_RETRIES = 5
"""For a request that Telegram answered with 429; each retry waits as long as Telegram says."""

_POLL_TIMEOUT = timedelta(seconds=30)
_FIRST_RETRY_DELAY = timedelta(seconds=1)
_MAX_RETRY_DELAY = timedelta(minutes=1)
_STOP_POLLING_TIMEOUT = timedelta(seconds=0.8)
"""For confirming the received updates. If Telegram doesn't answer in time, stopping goes on."""

_ALLOWED_UPDATES = ("message", "callback_query")

_Application = Application[ExtBot[Any], Any, Any, Any, Any, Any]


class Connection:
    """The connection of one bot.

    Args:
        token: The bot's token.
        api_url: A proxy or an own Bot API server; empty for Telegram's own.
        webhook_url: The public address at which Telegram reaches `routes`. Without one the bot polls.
        receive: Takes an update and returns at once.
        on_connected: Called when the bot is connected.

    Raises:
        SettingsError: The token or an address is malformed.
    """

    def __init__(
        self,
        *,
        token: str,
        api_url: str,
        webhook_url: str,
        receive: Callable[[Update], None],
        on_connected: Callable[[], None],
    ) -> None:
        if not _TOKEN.fullmatch(token):
            raise SettingsError(
                name="TELEGRAM_BOT_TOKEN", reason="not a bot token. Copy one like 123456:ABC-… from @BotFather."
            )
        if api_url and not _API_URL.fullmatch(api_url):
            raise SettingsError(name="TELEGRAM_API_URL", reason="must start with http:// or https://.")
        # Its log lines contain the address of each request, which contains the token.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self._receive = receive
        self._on_connected = on_connected
        self._polling_report = PollingReport()
        self._application = self._build_application(token, api_url.rstrip("/"))
        self._webhook = (
            Webhook(url=webhook_url, token=token, bot=self.bot, receive=receive) if webhook_url else None
        )
        self._retry_task: asyncio.Task[None] | None = None

    @property
    def routes(self) -> Sequence[RouteDef]:
        """The routes that the web server serves for Telegram; none if the bot polls."""
        return (self._webhook.route,) if self._webhook else ()

    @property
    def bot(self) -> ExtBot[Any]:
        return self._application.bot

    async def open(self) -> None:
        """Connect. If Telegram can't be reached, return anyway and keep trying in the background.

        Raises:
            SettingsError: Telegram doesn't accept the token or the webhook's address.
        """
        try:
            await self._connect()
        except SettingsError:
            await self.stop_receiving()
            await self.close()
            raise
        except TelegramError as error:
            logger.warning(
                "Can't reach Telegram (%s). The bot keeps trying; everything else works meanwhile.",
                error.message,
                extra={"action": "telegram_unreachable"},
            )
            self._retry_task = asyncio.create_task(self._retry_connecting())

    async def stop_receiving(self) -> None:
        """Stop polling, or refuse webhook requests. Updates that were received earlier are still handled."""
        if self._retry_task is not None:
            self._retry_task.cancel()
            await asyncio.gather(self._retry_task, return_exceptions=True)
        if self._webhook is not None:
            self._webhook.close()
        if self._updater.running:
            await self._stop_polling()
        if self._application.running:
            await self._application.stop()

    async def close(self) -> None:
        """Close all connections, after `stop_receiving`."""
        await self._application.shutdown()
        # An application that was never initialized ignores `shutdown`, but its connections may be open.
        await self.bot.shutdown()

    async def _stop_polling(self) -> None:
        stop_task = asyncio.create_task(self._updater.stop())
        await asyncio.wait([stop_task], timeout=_STOP_POLLING_TIMEOUT.total_seconds())
        while not stop_task.done():
            # The library mistakes the first cancellation for one of its own task, and continues.
            stop_task.cancel()
            await asyncio.wait([stop_task], timeout=_STOP_POLLING_TIMEOUT.total_seconds() / 10)
        await asyncio.gather(stop_task, return_exceptions=True)

    @property
    def _updater(self) -> Updater:
        updater = self._application.updater
        assert updater is not None, "the application is built with one"
        return updater

    def _build_application(self, token: str, api_url: str) -> _Application:
        builder = (
            Application.builder()
            .token(token)
            .rate_limiter(AIORateLimiter(max_retries=_MAX_RETRIES))
            .concurrent_updates(True)
            .job_queue(None)
            .get_updates_request(PollingRequest(self._polling_report.report_answer))
        )
        if api_url:
            builder = builder.base_url(f"{api_url}/bot").base_file_url(f"{api_url}/file/bot")
        application: _Application = builder.build()
        application.add_handler(TypeHandler(Update, self._receive_update))
        return application

    async def _receive_update(self, update: Update, _context: object) -> None:
        self._receive(update)

    async def _connect(self) -> None:
        """Take the steps that are still missing. A step that fails is repeated the next time.

        Raises:
            SettingsError: Telegram doesn't accept the token or the webhook's address.
            TelegramError: Telegram doesn't answer.
        """
        try:
            await self._application.initialize()
        except InvalidToken:
            # The library's own error contains the token, so it isn't chained.
            raise SettingsError(
                name="TELEGRAM_BOT_TOKEN", reason="Telegram doesn't accept it. Get the right one from @BotFather."
            ) from None
        if not self._application.running:
            await self._application.start()
        if self._webhook is not None:
            await self._webhook.open(_ALLOWED_UPDATES)
        elif not self._updater.running:
            # First the library deletes an old webhook, because Telegram refuses polls while one is set.
            # No updates are dropped.
            await self._updater.start_polling(
                timeout=_POLL_TIMEOUT,
                allowed_updates=_ALLOWED_UPDATES,
                error_callback=self._polling_report.report_failure,
            )
        self._on_connected()

    async def _retry_connecting(self) -> None:
        delay = _FIRST_RETRY_DELAY
        while True:
            await asyncio.sleep(delay.total_seconds())
            delay = min(delay * 2, _MAX_RETRY_DELAY)
            try:
                await self._connect()
            except SettingsError as error:
                logger.error(  # noqa: TRY400  # an admin needs only the sentence
                    "%s Restart the bot with the right one.",
                    error,
                    extra={"action": "telegram_settings_rejected"},
                )
                return
            except TelegramError:
                continue
            logger.info("Connected to Telegram.", extra={"action": "telegram_connected"})
            return
