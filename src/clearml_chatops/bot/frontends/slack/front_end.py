"""Slack as a place to talk to the bot: acknowledge first, then work, then answer where it was asked."""

import asyncio
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from aiohttp.web import RouteDef
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck

from clearml_chatops.bot.frontends.front_end import Cards, DeliveryFailedError, DestinationGoneError
from clearml_chatops.bot.frontends.slack.access import SlackAccess
from clearml_chatops.bot.frontends.slack.block_kit import ACTION_PREFIX
from clearml_chatops.bot.frontends.slack.boot import Bot, SlackUnreachableError, check_app_token, check_bot_token
from clearml_chatops.bot.frontends.slack.connection import Connection
from clearml_chatops.bot.frontends.slack.duplicates import Duplicates
from clearml_chatops.bot.frontends.slack.incoming import (
    Heard,
    Payload,
    heard_button,
    heard_command,
    heard_message,
    keys_of,
)
from clearml_chatops.bot.frontends.slack.library_log import library_logger
from clearml_chatops.bot.frontends.slack.outgoing import Outgoing, web_client
from clearml_chatops.bot.frontends.slack.pacing import Pace
from clearml_chatops.bot.frontends.slack.places import DirectMessage, Place, PublicAnswer, RealMessage, Whisper
from clearml_chatops.bot.frontends.slack.rendering import render, working_line
from clearml_chatops.bot.frontends.slack.timing import USUAL, Timing
from clearml_chatops.handlers.registry import Registry
from clearml_chatops.models.errors import SettingsError
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Identity
from clearml_chatops.models.replies import Outcome, Reply, Text, Tone

logger = logging.getLogger(__name__)

Handle = Callable[[IncomingMessage], Awaitable[Reply]]
Suggest = Callable[[IncomingMessage], Awaitable[list[tuple[str, str]]]]

PLATFORM = "slack"
_ANY_COMMAND = re.compile("^/")
_ANY_BUTTON = re.compile(f"^{ACTION_PREFIX}")
_DIRECT_MESSAGE = "D"
"""What the ids of direct messages begin with."""
_LAST_WORDS = timedelta(seconds=1)
_LONGEST_PAUSE = timedelta(minutes=1)
_PAUSE_BETWEEN_EDITS = timedelta(seconds=5)
_STOPPED = (
    "The bot is being stopped before this was done. It may still happen; look with /show before you repeat it."
)


class SlackFrontEnd:
    """One workspace, by Socket Mode.

    `handle` answers messages, `suggest` finds experiments while one types; `cards` remembers which message
    is whose card. `prefix` stands before the bare commands (`/ml-clone`).
    """

    platform = PLATFORM

    def __init__(
        self,
        *,
        handle: Handle,
        registry: Registry,
        cards: Cards,
        suggest: Suggest,
        access: SlackAccess,
        prefix: str = "",
        timing: Timing = USUAL,
    ) -> None:
        self._handle = handle
        self._registry = registry
        self._cards = cards
        self._suggest = suggest
        self._access = access
        self._prefix = prefix
        self._timing = timing
        self._library_logger = library_logger()
        self._client = web_client(token=access.bot_token, api_url=access.api_url, logger=self._library_logger)
        self._outgoing = Outgoing(self._client, Pace())
        self._duplicates = Duplicates()
        self._bot: Bot | None = None
        self._connection: Connection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self._out_of_time = asyncio.Event()

    @property
    def routes(self) -> Sequence[RouteDef]:
        return ()

    async def start(self) -> None:
        """Begins to listen.

        While Slack cannot be reached this is tried again in the background.

        Raises:
            SettingsError: a token or a scope is wrong.
        """
        try:
            await self._connect()
        except SlackUnreachableError as error:
            self._warn_of_outage(error)
            self._connecting = asyncio.create_task(self._connect_patiently())

    async def stop(self) -> None:
        """Listens no more, and lets the commands under way be answered: within 4 seconds each of them is."""
        if self._connecting:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        if self._connection:
            await self._connection.take_no_more()
        # The work goes on while the connection ends.
        ending = asyncio.create_task(self._connection.close()) if self._connection else None
        for patience in (self._timing.wait_at_the_end, _LAST_WORDS):
            if self._under_way:
                await asyncio.wait(self._under_way, timeout=patience.total_seconds())
            self._out_of_time.set()
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, *([ending] if ending else []), return_exceptions=True)
        self._connection = None

    async def deliver(self, conversation: Conversation, reply: Reply) -> None:
        """Posts what nobody asked for, such as a notification.

        Raises:
            DestinationGoneError: the bot cannot write there, now or later.
            DeliveryFailedError: it did not get there; trying again later makes sense.
        """
        await self._show(RealMessage(self._outgoing, conversation.id, conversation.thread), reply)

    async def edit(self, conversation: Conversation, message_id: str, reply: Reply) -> None:
        """Has a message that was posted show this reply; one that was deleted meanwhile is posted anew.

        Raises DestinationGoneError, DeliveryFailedError as `deliver`.
        """
        await self._show(RealMessage(self._outgoing, conversation.id, conversation.thread, message_id), reply)

    def pause_between_edits(self, conversation: Conversation) -> timedelta:  # noqa: ARG002  # the same everywhere
        return _PAUSE_BETWEEN_EDITS

    async def _connect(self) -> None:
        bot = await check_bot_token(self._client)
        address = await check_app_token(self._client, self._access.app_token)
        self._bot = bot
        self._connection = Connection(
            app=self._bolt_app(bot),
            app_token=self._access.app_token,
            address=address,
            heartbeat=self._timing.heartbeat,
        )
        self._connection.start()

    async def _connect_patiently(self) -> None:
        """Connects when Slack is there again. Settings found wrong only then cannot stop the program any more."""
        pause = self._timing.heartbeat
        while self._connection is None:
            await asyncio.sleep(pause.total_seconds())
            pause = min(pause * 2, _LONGEST_PAUSE)
            try:
                await self._connect()
            except SlackUnreachableError as error:
                self._warn_of_outage(error)
            except SettingsError as error:
                logger.error("Slack is left out: %s", error, extra={"action": "slack_settings"})  # noqa: TRY400  # the line says it all
                return

    def _warn_of_outage(self, error: SlackUnreachableError) -> None:
        logger.warning("Slack cannot be reached (%s); trying again.", error, extra={"action": "slack_unreachable"})

    def _bolt_app(self, bot: Bot) -> AsyncApp:
        """The listeners. They only acknowledge: one that raises after `ack()` would lose the acknowledgement."""

        async def authorise() -> AuthorizeResult:
            # Known from the boot. Bolt itself would ask Slack before it acknowledges the first commands.
            return AuthorizeResult(
                enterprise_id=None,
                team_id=bot.team_id,
                bot_user_id=bot.user_id,
                bot_id=bot.bot_id,
                bot_token=self._client.token,
            )

        async def on_command(ack: AsyncAck, body: dict[str, Any]) -> None:
            await ack()
            self._begin(body, lambda: heard_command(body, self._registry, self._prefix))

        async def on_button(ack: AsyncAck, body: dict[str, Any]) -> None:
            await ack()
            self._begin(body, lambda: heard_button(body))

        async def on_message(body: dict[str, Any]) -> None:
            # Bolt has acknowledged it.
            self._begin(body, lambda: heard_message(body, self._registry, bot.user_id))

        app = AsyncApp(client=self._client, authorize=authorise, logger=self._library_logger)
        app.command(_ANY_COMMAND)(on_command)
        app.action(_ANY_BUTTON)(on_button)
        app.event("app_mention")(on_message)
        app.event("message")(on_message)
        return app

    def _begin(self, body: Payload, hear: Callable[[], Heard | None]) -> None:
        """Does the work in a task of its own."""
        task = asyncio.create_task(self._work(body, hear))
        self._under_way.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error(
                "A command of Slack's was not answered.", exc_info=error, extra={"action": "slack_unanswered"}
            )

    async def _work(self, body: Payload, hear: Callable[[], Heard | None]) -> None:
        if self._duplicates.is_repeated(*keys_of(body)):
            return
        heard = hear()
        if heard is None:
            return
        place = self._place_of(heard)
        reply = await self._reply_to(heard, place)
        try:
            await self._show(place, reply)
        except (DestinationGoneError, DeliveryFailedError) as error:
            logger.warning("An answer goes to direct messages: %s", error, extra={"action": "slack_fallback"})
            await self._show(DirectMessage(self._outgoing, heard.user_id), reply)

    def _place_of(self, heard: Heard) -> Place:
        whisper = Whisper(self._outgoing, heard.address, heard.user_id, replaces=not heard.pressed)
        if heard.ephemeral:
            return whisper
        message = RealMessage(self._outgoing, heard.channel, heard.thread)
        return PublicAnswer(message, whisper) if heard.public else message

    async def _reply_to(self, heard: Heard, place: Place) -> Reply:
        """The reply, after a sign of life where it takes long; an apology where the program ends before it."""
        handling = asyncio.ensure_future(self._handled(heard))
        out_of_time = asyncio.create_task(self._out_of_time.wait())
        patience = asyncio.create_task(asyncio.sleep(self._timing.patience.total_seconds()))
        try:
            await asyncio.wait({handling, patience, out_of_time}, return_when=asyncio.FIRST_COMPLETED)
            if not handling.done() and patience.done():
                with suppress(DestinationGoneError, DeliveryFailedError):
                    await place.show(working_line())
            await asyncio.wait({handling, out_of_time}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            patience.cancel()
            out_of_time.cancel()
            handling.cancel()
        if not handling.done() or handling.cancelled():
            return Reply((Text(_STOPPED, Tone.WARNING),), Outcome.BROKEN)
        error = handling.exception()
        return _apology(error) if error else handling.result()

    async def _handled(self, heard: Heard) -> Reply:
        channel = Conversation(PLATFORM, heard.channel)
        about = await self._cards.experiment_of(channel, heard.card) if heard.card else ""
        if not about and heard.thread and heard.thread != heard.card:
            about = await self._cards.experiment_of(channel, heard.thread)
        return await self._handle(
            IncomingMessage(
                sender=Identity(PLATFORM, heard.user_id, heard.team_id),
                sender_name=heard.user_name or await self._outgoing.name_of(heard.user_id),
                conversation=Conversation(PLATFORM, heard.channel, heard.thread),
                text=heard.line,
                about=about,
                in_public=not heard.ephemeral and not heard.channel.startswith(_DIRECT_MESSAGE),
            )
        )

    async def _show(self, place: Place, reply: Reply) -> None:
        channel, message_id = await place.show(render(reply))
        if reply.experiment_id and message_id:
            await self._cards.remember(
                Conversation(PLATFORM, channel), message_id, reply.experiment_id, is_card=reply.is_card
            )


def _apology(error: BaseException) -> Reply:
    incident = secrets.token_hex(4)
    logger.error("Incident %s", incident, exc_info=error, extra={"action": "incident", "incident": incident})
    text = f"Something unexpected happened. An admin finds it in the log under the incident id {incident}."
    return Reply((Text(text, Tone.FAILURE),), Outcome.BROKEN)
