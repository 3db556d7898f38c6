"""The connection to Telegram: opened beside other things in one loop, opened again, closed in time."""

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

from clearml_chatops.bot.frontends.telegram.polling import PollingReport, WatchedRequest
from clearml_chatops.bot.frontends.telegram.webhook import Webhook
from clearml_chatops.models.errors import SettingsError

logger = logging.getLogger(__name__)

_TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]+")
_API_URL = re.compile(r"https?://[^\s/]+\S*")
_MOST_RETRIES = 5
"""Of a request that Telegram answered with 429; each waits as long as Telegram says."""

_POLL = timedelta(seconds=30)
_FIRST_PAUSE = timedelta(seconds=1)
_LONGEST_PAUSE = timedelta(minutes=1)
_FAREWELL = timedelta(seconds=0.8)
"""For telling Telegram what was received. When it does not answer, nobody waits for it."""

_WANTED_UPDATES = ("message", "callback_query")

_Application = Application[ExtBot[Any], Any, Any, Any, Any, Any]


class Connection:
    """A bot that polls, or that Telegram brings its updates to.

    Args:
        token: The bot's token.
        api_url: Another address than Telegram's own: a proxy, a Bot API server of one's own.
        webhook_url: The public address at which Telegram reaches `routes`. Without one the bot polls.
        receive: Takes an update and returns at once.
        connected: Called once the bot is connected.

    Raises:
        SettingsError: the token or an address cannot be one.
    """

    def __init__(
        self,
        *,
        token: str,
        api_url: str,
        webhook_url: str,
        receive: Callable[[Update], None],
        connected: Callable[[], None],
    ) -> None:
        if not _TOKEN.fullmatch(token):
            raise SettingsError(
                name="TELEGRAM_BOT_TOKEN", reason="is not a bot's token, which @BotFather gives: 123456:ABC-…"
            )
        if api_url and not _API_URL.fullmatch(api_url):
            raise SettingsError(name="TELEGRAM_API_URL", reason="must begin with http:// or https://")
        # Its lines hold the address of each request, and that holds the token.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self._receive = receive
        self._connected = connected
        self._report = PollingReport()
        self._application = self._built(token, api_url.rstrip("/"))
        self._webhook = (
            Webhook(url=webhook_url, token=token, bot=self.bot, receive=receive) if webhook_url else None
        )
        self._opening: asyncio.Task[None] | None = None

    @property
    def routes(self) -> Sequence[RouteDef]:
        """What the web server answers for Telegram; nothing where the bot polls."""
        return (self._webhook.route,) if self._webhook else ()

    @property
    def bot(self) -> ExtBot[Any]:
        return self._application.bot

    async def open(self) -> None:
        """Connects. Where Telegram cannot be reached this returns all the same, and goes on trying.

        Raises:
            SettingsError: Telegram does not accept the token or the webhook's address.
        """
        try:
            await self._connect()
        except SettingsError:
            await self.stop_receiving()
            await self.close()
            raise
        except TelegramError as error:
            logger.warning(
                "Telegram cannot be reached (%s); trying again, everything else goes on.",
                error.message,
                extra={"action": "telegram_unreachable"},
            )
            self._opening = asyncio.create_task(self._connect_later())

    async def stop_receiving(self) -> None:
        """Ends the poll, or refuses what Telegram brings; what was received before is still taken."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        if self._webhook is not None:
            self._webhook.close()
        if self._updater.running:
            await self._stop_polling()
        if self._application.running:
            await self._application.stop()

    async def close(self) -> None:
        """Closes all connections, after `stop_receiving`."""
        await self._application.shutdown()
        # The application is left alone where it was never initialized, but its connections may be open.
        await self.bot.shutdown()

    async def _stop_polling(self) -> None:
        stopping = asyncio.create_task(self._updater.stop())
        await asyncio.wait([stopping], timeout=_FAREWELL.total_seconds())
        while not stopping.done():
            # The library takes the first cancellation for that of its own task, and goes on.
            stopping.cancel()
            await asyncio.wait([stopping], timeout=_FAREWELL.total_seconds() / 10)
        await asyncio.gather(stopping, return_exceptions=True)

    @property
    def _updater(self) -> Updater:
        updater = self._application.updater
        assert updater is not None, "the application is built with one"
        return updater

    def _built(self, token: str, api_url: str) -> _Application:
        builder = (
            Application.builder()
            .token(token)
            .rate_limiter(AIORateLimiter(max_retries=_MOST_RETRIES))
            .concurrent_updates(True)
            .job_queue(None)
            .get_updates_request(WatchedRequest(self._report.answered))
        )
        if api_url:
            builder = builder.base_url(f"{api_url}/bot").base_file_url(f"{api_url}/file/bot")
        application: _Application = builder.build()
        application.add_handler(TypeHandler(Update, self._take))
        return application

    async def _take(self, update: Update, _context: object) -> None:
        self._receive(update)

    async def _connect(self) -> None:
        """Takes the steps that are not taken yet; a step that fails is taken again the next time.

        Raises:
            SettingsError: Telegram does not accept the token or the webhook's address.
            TelegramError: Telegram does not answer.
        """
        try:
            await self._application.initialize()
        except InvalidToken:
            # Without the library's own error, whose words hold the token.
            raise SettingsError(
                name="TELEGRAM_BOT_TOKEN", reason="Telegram does not accept it; @BotFather shows the right one."
            ) from None
        if not self._application.running:
            await self._application.start()
        if self._webhook is not None:
            await self._webhook.open(_WANTED_UPDATES)
        elif not self._updater.running:
            # The library deletes a webhook before, which else has each poll refused, and drops no updates.
            await self._updater.start_polling(
                timeout=_POLL, allowed_updates=_WANTED_UPDATES, error_callback=self._report.failed
            )
        self._connected()

    async def _connect_later(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            await asyncio.sleep(pause.total_seconds())
            pause = min(pause * 2, _LONGEST_PAUSE)
            try:
                await self._connect()
            except SettingsError as error:
                logger.error(  # noqa: TRY400  # the sentence is all that an admin needs
                    "%s Start the program again with the right one.",
                    error,
                    extra={"action": "telegram_settings_rejected"},
                )
                return
            except TelegramError:
                continue
            logger.info("Telegram is reached.", extra={"action": "telegram_reached"})
            return
