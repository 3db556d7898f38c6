"""`clearml-chatops run`: the chat front ends and the background loops, in one event loop."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

from clearml_chatops.bot.composition import Program, composed
from clearml_chatops.bot.delivery import Delivery
from clearml_chatops.bot.frontends.front_end import FrontEnd
from clearml_chatops.bot.frontends.slack import SlackFrontEnd
from clearml_chatops.bot.frontends.telegram import TelegramFrontEnd
from clearml_chatops.bot.settings import Settings
from clearml_chatops.models.errors import SettingsError

_DELIVERY_INTERVAL = timedelta(seconds=0.5)


async def run_bot(settings: Settings, *, stop: asyncio.Event | None = None) -> bool:
    """Runs until SIGINT, SIGTERM, or until `stop` is set, which leaves the signals alone.

    Raises:
        SettingsError: a token is wrong, or there is none.
        DatabaseOutdatedError, DatabaseUnusableError: it cannot start.
    """
    async with composed(settings) as program:
        await program.process.clearml.require_credentials()
        await program.process.accounts.seed(person.to_person() for person in settings.people)
        async with _running(program, _front_ends(program, settings)):
            if stop is not None:
                await stop.wait()
            else:
                with _set_by_signals() as stopped:
                    await stopped.wait()
    return True


def _front_ends(program: Program, settings: Settings) -> list[FrontEnd]:
    """The front ends that have their tokens. Raises SettingsError where none has, or one has half of them."""
    found: list[FrontEnd] = []
    slack_bot, slack_app = settings.slack_bot_token.get_secret_value(), settings.slack_app_token.get_secret_value()
    if slack_bot or slack_app:
        if not (slack_bot and slack_app):
            missing = "SLACK_APP_TOKEN" if slack_bot else "SLACK_BOT_TOKEN"
            raise SettingsError(name=missing, reason="not set; Slack needs both tokens of the app.")
        found.append(
            SlackFrontEnd(
                handle=program.dispatcher.handle,
                registry=program.dispatcher.registry,
                cards=program.process.cards,
                bot_token=slack_bot,
                app_token=slack_app,
                api_url=settings.slack_api_url,
                prefix=settings.slack_prefix,
            )
        )
    if token := settings.telegram_bot_token.get_secret_value():
        found.append(
            TelegramFrontEnd(
                handle=program.dispatcher.handle,
                registry=program.dispatcher.registry,
                actions=program.process.actions,
                cards=program.process.cards,
                token=token,
                api_url=settings.telegram_api_url,
            )
        )
    if not found:
        raise SettingsError(
            name="TELEGRAM_BOT_TOKEN",
            reason="no chat platform has its tokens; set it, or SLACK_BOT_TOKEN and SLACK_APP_TOKEN.",
        )
    return found


@asynccontextmanager
async def _running(program: Program, front_ends: list[FrontEnd]) -> AsyncIterator[None]:
    """Front ends, watcher and deliveries run inside. A front end stops before what it needs does."""
    loops: list[asyncio.Task[None]] = []
    started: list[FrontEnd] = []
    try:
        for front_end in front_ends:
            await front_end.start()
            started.append(front_end)
            delivery = Delivery(
                notifications=program.process.notifications,
                platform=front_end.platform,
                send=front_end.deliver,
                interval=_DELIVERY_INTERVAL,
            )
            loops.append(asyncio.create_task(delivery.run()))
        loops.append(asyncio.create_task(program.process.watcher.run()))
        yield
    finally:
        for loop in loops:
            loop.cancel()
        for loop in loops:
            with contextlib.suppress(asyncio.CancelledError):
                await loop
        await asyncio.gather(*(front_end.stop() for front_end in started))


@contextlib.contextmanager
def _set_by_signals() -> Iterator[asyncio.Event]:
    """An event that SIGINT and SIGTERM set."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    try:
        yield stopped
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
