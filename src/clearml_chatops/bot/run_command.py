"""`clearml-chatops run`: the chat front ends and the background loops in one event loop."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

from clearml_chatops.bot.background_loops import build_background_loops
from clearml_chatops.bot.delivery import Delivery
from clearml_chatops.bot.frontends.front_end import FrontEnd
from clearml_chatops.bot.frontends.slack import SlackCredentials, SlackFrontEnd
from clearml_chatops.bot.frontends.telegram import TelegramFrontEnd
from clearml_chatops.bot.live_cards import LiveCards
from clearml_chatops.bot.loops import Loop, run_loops
from clearml_chatops.bot.program import Program, assemble_program
from clearml_chatops.bot.settings import Settings
from clearml_chatops.bot.startup import Startup
from clearml_chatops.bot.web_server import run_web_server
from clearml_chatops.models.errors import SettingsError

_DELIVERY_INTERVAL = timedelta(seconds=2)
"""For messages that wait for a retry; new ones wake the loop."""


async def run_bot(settings: Settings, *, stop_event: asyncio.Event | None = None) -> bool:
    """Run the bot until SIGINT or SIGTERM. With a `stop_event`, until that is set; signals aren't handled then.

    It starts while the database or ClearML can't be used, and goes on by itself when they can.

    Raises:
        SettingsError, ClearMLCredentialsError: A setting is wrong, or there is no token.
        DatabaseOutdatedError, DatabaseUnusableError: The database is wrong.
    """
    async with assemble_program(settings) as program:
        await program.process.clearml.require_credentials()
        front_ends = _create_front_ends(program, settings)
        routes = [route for front_end in front_ends for route in front_end.routes]
        with _stop_on_signals(stop_event) as stopped:
            startup = Startup(program.process, (person.to_person() for person in settings.people), stopped)
            async with (
                startup.running(),
                run_web_server(routes, host=settings.http_host, port=settings.http_port),
                _run_front_ends(program, front_ends, startup.database_ready),
            ):
                await stopped.wait()
    return True


def _create_front_ends(program: Program, settings: Settings) -> list[FrontEnd]:
    """Return the front ends that have tokens. Raises SettingsError if none has, or if one lacks some."""
    front_ends = [
        front_end
        for front_end in (
            _create_slack_front_end(program, settings),
            _create_telegram_front_end(program, settings),
        )
        if front_end
    ]
    if not front_ends:
        raise SettingsError(
            name="TELEGRAM_BOT_TOKEN",
            reason="no chat platform has tokens. Set it, or set SLACK_BOT_TOKEN and SLACK_APP_TOKEN.",
        )
    return front_ends


def _create_slack_front_end(program: Program, settings: Settings) -> FrontEnd | None:
    """Return the Slack front end: on Socket Mode with an app token, else on HTTP with a signing secret."""
    bot_token = settings.slack_bot_token.get_secret_value()
    app_token = settings.slack_app_token.get_secret_value()
    signing_secret = settings.slack_signing_secret.get_secret_value()
    if not (bot_token or app_token or signing_secret):
        return None
    if not bot_token:
        raise SettingsError(name="SLACK_BOT_TOKEN", reason="not set. Slack needs the app's bot token, too.")
    if not (app_token or signing_secret):
        raise SettingsError(
            name="SLACK_APP_TOKEN", reason="not set. Slack needs it, too, or SLACK_SIGNING_SECRET for HTTP."
        )
    return SlackFrontEnd(
        handle=program.dispatcher.handle,
        suggest=program.dispatcher.suggest_experiments,
        registry=program.dispatcher.registry,
        cards=program.process.cards,
        requests=program.process.requests,
        actions=program.process.actions,
        credentials=SlackCredentials(bot_token, app_token, signing_secret, settings.slack_api_url),
        prefix=settings.slack_prefix,
    )


def _create_telegram_front_end(program: Program, settings: Settings) -> FrontEnd | None:
    """Return the Telegram front end: on a webhook if its address is set, else on long polling."""
    token = settings.telegram_bot_token.get_secret_value()
    if not token:
        return None
    return TelegramFrontEnd(
        handle=program.dispatcher.handle,
        registry=program.dispatcher.registry,
        actions=program.process.actions,
        requests=program.process.requests,
        cards=program.process.cards,
        conversations=program.process.conversations,
        list_admin_ids=partial(program.process.accounts.list_admin_user_ids, TelegramFrontEnd.platform),
        token=token,
        api_url=settings.telegram_api_url,
        webhook_url=settings.telegram_webhook_url,
    )


@asynccontextmanager
async def _run_front_ends(
    program: Program, front_ends: list[FrontEnd], database_ready: asyncio.Event
) -> AsyncIterator[None]:
    """Run the front ends and all loops inside the block. The loops that send stop before the front ends."""
    started: list[FrontEnd] = []
    try:
        for front_end in front_ends:
            await front_end.start()
            started.append(front_end)
        stop_event = asyncio.Event()
        deliveries = [_create_delivery(program, front_end, front_ends, stop_event) for front_end in front_ends]
        finish_tasks: list[asyncio.Task[None]] = []
        try:
            loops = list(_build_loops(program, front_ends, deliveries))
            async with run_loops(loops, stop_event, start_event=database_ready):
                try:
                    yield
                finally:
                    # In parallel with stopping the loops: both together must take less than 5 seconds.
                    stop_event.set()
                    finish_tasks += [asyncio.create_task(delivery.finish()) for delivery in deliveries]
        finally:
            await asyncio.gather(*finish_tasks)
    finally:
        await asyncio.gather(*(front_end.stop() for front_end in started))


def _create_delivery(
    program: Program, front_end: FrontEnd, front_ends: list[FrontEnd], stop_event: asyncio.Event
) -> Delivery:
    return Delivery(
        notifications=program.process.notifications,
        platform=front_end.platform,
        send=front_end.deliver,
        editor=front_end,
        connected_platforms=[each.platform for each in front_ends],
        stop_event=stop_event,
    )


def _build_loops(program: Program, front_ends: list[FrontEnd], deliveries: list[Delivery]) -> Iterator[Loop]:
    process = program.process
    yield from build_background_loops(process)
    for front_end, delivery in zip(front_ends, deliveries, strict=True):
        yield Loop(
            delivery.start_due_deliveries,
            _DELIVERY_INTERVAL,
            "Can't deliver notifications",
            wake_event=process.outbox_wakeup.subscribe(),
        )
        live_cards = LiveCards(cards=process.cards, front_end=front_end, clock=process.clock)
        yield Loop(
            live_cards.edit_due_cards,
            live_cards.get_interval,
            "Can't update cards",
            wake_event=process.outbox_wakeup.subscribe(),
        )


@contextlib.contextmanager
def _stop_on_signals(stop_event: asyncio.Event | None) -> Iterator[asyncio.Event]:
    """Yield the given event, or else a new one that SIGINT and SIGTERM set."""
    if stop_event is not None:
        yield stop_event
        return
    stop_event = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, stop_event.set)
    try:
        yield stop_event
    finally:
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(signal_number)
