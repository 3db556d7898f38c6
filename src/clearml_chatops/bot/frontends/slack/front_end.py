"""Slack as a place to talk to the bot: acknowledge first, then work, then answer where it was asked."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta

from aiohttp.web import RouteDef

from clearml_chatops.bot.frontends.front_end import Arrived, Cards, nothing_to_note
from clearml_chatops.bot.frontends.slack.access import SlackAccess
from clearml_chatops.bot.frontends.slack.answering import Answering, Handle
from clearml_chatops.bot.frontends.slack.boot import Bot, SlackUnreachableError, check_app_token, check_bot_token
from clearml_chatops.bot.frontends.slack.connection import Connection
from clearml_chatops.bot.frontends.slack.dialogs import Dialogs
from clearml_chatops.bot.frontends.slack.experiment_select import ExperimentSelect, Suggest
from clearml_chatops.bot.frontends.slack.home import Home
from clearml_chatops.bot.frontends.slack.incoming import PLATFORM
from clearml_chatops.bot.frontends.slack.library_log import library_logger
from clearml_chatops.bot.frontends.slack.listeners import Listeners
from clearml_chatops.bot.frontends.slack.outgoing import Outgoing, web_client
from clearml_chatops.bot.frontends.slack.pacing import Pace
from clearml_chatops.bot.frontends.slack.places import RealMessage
from clearml_chatops.bot.frontends.slack.rendering import render
from clearml_chatops.bot.frontends.slack.signed_requests import SignedRequests
from clearml_chatops.bot.frontends.slack.timing import USUAL, Timing
from clearml_chatops.bot.frontends.slack.views import Views
from clearml_chatops.bot.frontends.slack.work import Work
from clearml_chatops.handlers.registry import Registry
from clearml_chatops.models.cards import EditPace
from clearml_chatops.models.errors import SettingsError
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Reply

logger = logging.getLogger(__name__)

_LONGEST_PAUSE = timedelta(minutes=1)
_EDIT_PACE = EditPace(card=timedelta(seconds=5))
_USERS = ("U", "W")
"""How the ids of people begin, who are written to by direct message."""


class SlackFrontEnd:
    """One workspace, by Socket Mode where there is an app token, else by HTTP.

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
        self._access = access
        self._timing = timing
        self._library_logger = library_logger()
        self._client = web_client(token=access.bot_token, api_url=access.api_url, logger=self._library_logger)
        self._work = Work(timing)
        outgoing, views = Outgoing(self._client, Pace()), Views(self._client)
        self._outgoing = outgoing
        self._answering = Answering(
            handle=handle, registry=registry, cards=cards, outgoing=outgoing, work=self._work
        )
        dialogs = Dialogs(answering=self._answering, views=views, registry=registry, head_start=timing.head_start)
        self._experiment_select = ExperimentSelect(suggest, within=timing.suggesting)
        self._listeners = Listeners(
            registry=registry,
            prefix=prefix,
            work=self._work,
            answering=self._answering,
            dialogs=dialogs,
            home=Home(answering=self._answering, dialogs=dialogs, views=views, outgoing=outgoing),
            experiment_select=self._experiment_select,
        )
        self._bot: Bot | None = None
        self._requests = None if access.app_token else SignedRequests(access.signing_secret)
        self._connection: Connection | SignedRequests | None = None
        self._connecting: asyncio.Task[None] | None = None

    @property
    def routes(self) -> Sequence[RouteDef]:
        return self._requests.routes if self._requests else ()

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
        await self._work.end()
        await self._experiment_select.close()
        await asyncio.gather(*([ending] if ending else []), return_exceptions=True)
        self._connection = None

    async def deliver(self, conversation: Conversation, reply: Reply, arrived: Arrived = nothing_to_note) -> None:
        """Posts what nobody asked for, such as a notification; it has `arrived` when Slack has it, files apart.

        Raises:
            DestinationGoneError: the bot cannot write there, now or later.
            DeliveryFailedError: it did not get there; trying again later makes sense.
        """
        channel = conversation.id
        if channel.startswith(_USERS):
            channel = await self._outgoing.direct_channel(channel)
        message = RealMessage(self._outgoing, channel, conversation.thread, arrived=arrived)
        await self._answering.show(message, reply)

    async def edit(self, conversation: Conversation, message_id: str, reply: Reply) -> None:
        """Has a message that was posted show this reply; a card that was deleted meanwhile is posted anew.

        Raises DestinationGoneError, DeliveryFailedError as `deliver`.
        """
        message = RealMessage(self._outgoing, conversation.id, conversation.thread, message_id)
        await self._outgoing.turn_to_edit()
        # What was uploaded with the message is there still, so that only a new one has files.
        if not await message.change(render(reply)) and reply.is_card:
            await self.deliver(conversation, reply)

    def edit_pace(self, conversation: Conversation) -> EditPace:  # noqa: ARG002  # the same everywhere
        """Slack counts edits for the whole app, and apart from messages."""
        return _EDIT_PACE

    async def _connect(self) -> None:
        bot = await check_bot_token(self._client)
        address = "" if self._requests else await check_app_token(self._client, self._access.app_token)
        self._bot = bot
        app = self._listeners.bolt_app(self._client, bot, self._library_logger)
        if self._requests:
            self._requests.listen(app)
            self._connection = self._requests
            return
        connection = Connection(
            app=app, app_token=self._access.app_token, address=address, heartbeat=self._timing.heartbeat
        )
        connection.start()
        self._connection = connection

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
