"""The Slack front end: connects to a workspace, answers commands, posts and edits messages."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta

from aiohttp.web import RouteDef

from clearml_chatops.bot.frontends.front_end import (
    Actions,
    Cards,
    MessageHandler,
    OnDelivered,
    Requests,
    ignore_delivery,
)
from clearml_chatops.bot.frontends.slack.credentials import SlackCredentials
from clearml_chatops.bot.frontends.slack.experiment_select import ExperimentSelect, ExperimentSuggester
from clearml_chatops.bot.frontends.slack.form_modals import FormModals
from clearml_chatops.bot.frontends.slack.home_tab import HomeTab
from clearml_chatops.bot.frontends.slack.http_receiver import HttpReceiver
from clearml_chatops.bot.frontends.slack.incoming_requests import PLATFORM
from clearml_chatops.bot.frontends.slack.library_logging import get_library_logger
from clearml_chatops.bot.frontends.slack.listeners import Listeners
from clearml_chatops.bot.frontends.slack.rate_limiter import RateLimiter
from clearml_chatops.bot.frontends.slack.rendering import render
from clearml_chatops.bot.frontends.slack.reply_targets import ChannelMessage
from clearml_chatops.bot.frontends.slack.responder import Responder
from clearml_chatops.bot.frontends.slack.running_commands import RunningCommands
from clearml_chatops.bot.frontends.slack.slack_api import SlackApi, create_web_client
from clearml_chatops.bot.frontends.slack.socket_mode import SocketModeReceiver
from clearml_chatops.bot.frontends.slack.startup_checks import (
    SlackUnreachableError,
    check_app_token,
    check_bot_token,
)
from clearml_chatops.bot.frontends.slack.stored_commands import StoredCommands
from clearml_chatops.bot.frontends.slack.timing import DEFAULT_TIMING, Timing
from clearml_chatops.bot.frontends.slack.views import Views
from clearml_chatops.handlers.registry import Registry
from clearml_chatops.models.cards import EditIntervals
from clearml_chatops.models.errors import SettingsError
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Reply

logger = logging.getLogger(__name__)

_MAX_RECONNECT_DELAY = timedelta(minutes=1)
_EDIT_INTERVALS = EditIntervals(card=timedelta(seconds=5))
_USER_ID_PREFIXES = ("U", "W")
"""How user ids begin; a notification to one goes to that person's direct messages."""


class SlackFrontEnd:
    """One workspace, connected by Socket Mode if there is an app token, otherwise by HTTP.

    `handle` answers messages, `suggest` finds experiments while a person types, `cards` remembers which
    message shows which experiment, `actions` the commands that don't fit in a button, and `requests` what was
    handled. `prefix` is put before the bare commands: `ml-` gives `/ml-clone`.
    """

    platform = PLATFORM

    def __init__(  # noqa: PLR0913  # keyword-only dependencies
        self,
        *,
        handle: MessageHandler,
        registry: Registry,
        cards: Cards,
        actions: Actions,
        suggest: ExperimentSuggester,
        requests: Requests,
        credentials: SlackCredentials,
        prefix: str = "",
        timing: Timing = DEFAULT_TIMING,
    ) -> None:
        self._credentials = credentials
        self._timing = timing
        self._library_logger = get_library_logger()
        self._client = create_web_client(
            token=credentials.bot_token, api_url=credentials.api_url, logger=self._library_logger
        )
        self._running_commands = RunningCommands(timing, requests)
        api, views = SlackApi(self._client, RateLimiter()), Views(self._client)
        self._api = api
        self._stored_commands = StoredCommands(actions)
        self._responder = Responder(
            handle=handle,
            registry=registry,
            cards=cards,
            stored_commands=self._stored_commands,
            api=api,
            running_commands=self._running_commands,
        )
        self._form_modals = FormModals(
            responder=self._responder,
            views=views,
            registry=registry,
            timing=timing,
        )
        self._experiment_select = ExperimentSelect(suggest, timeout=timing.suggestion_timeout)
        self._listeners = Listeners(
            registry=registry,
            prefix=prefix,
            running_commands=self._running_commands,
            responder=self._responder,
            stored_commands=self._stored_commands,
            form_modals=self._form_modals,
            home_tab=HomeTab(responder=self._responder, form_modals=self._form_modals, views=views, api=api),
            experiment_select=self._experiment_select,
        )
        self._http_receiver = None if credentials.app_token else HttpReceiver(credentials.signing_secret)
        self._receiver: SocketModeReceiver | HttpReceiver | None = None
        self._connect_task: asyncio.Task[None] | None = None

    @property
    def routes(self) -> Sequence[RouteDef]:
        return self._http_receiver.routes if self._http_receiver else ()

    async def start(self) -> None:
        """Start accepting requests. If Slack is unreachable, retry in the background.

        Raises:
            SettingsError: a token or a scope is wrong.
        """
        try:
            await self._connect()
        except SlackUnreachableError as error:
            self._warn_of_outage(error)
            self._connect_task = asyncio.create_task(self._retry_connecting())

    async def stop(self) -> None:
        """Stop accepting requests, and answer the running commands within 4 seconds."""
        if self._connect_task:
            self._connect_task.cancel()
            await asyncio.gather(self._connect_task, return_exceptions=True)
        self._form_modals.acknowledge_all()
        if self._receiver:
            await self._receiver.stop_accepting()
        # Commands keep running while the connection closes.
        close_task = asyncio.create_task(self._receiver.close()) if self._receiver else None
        await self._running_commands.finish()
        await self._experiment_select.close()
        await asyncio.gather(*([close_task] if close_task else []), return_exceptions=True)
        self._receiver = None

    async def deliver(
        self, conversation: Conversation, reply: Reply, on_delivered: OnDelivered = ignore_delivery
    ) -> None:
        """Post a message that isn't an answer, such as a notification.

        `on_delivered` is awaited as soon as Slack has the message, before its files are uploaded.

        Raises:
            DestinationGoneError: the bot can no longer write there.
            DeliveryFailedError: it wasn't posted; retrying later may work.
        """
        channel = conversation.id
        if channel.startswith(_USER_ID_PREFIXES):
            channel = await self._api.open_direct_channel(channel)
        message = ChannelMessage(self._api, channel, conversation.thread, on_delivered=on_delivered)
        await self._responder.show(message, reply)

    async def edit(self, conversation: Conversation, message_id: str, reply: Reply) -> bool:
        """Replace the content of a posted message. A card that was deleted meanwhile is posted again.

        Returns False if the message was deleted. Raises DestinationGoneError and DeliveryFailedError like
        `deliver`.
        """
        message = ChannelMessage(self._api, conversation.id, conversation.thread, message_id)
        await self._api.wait_for_edit_slot()
        # The files of the edited message are still there; only a new message uploads them.
        is_updated = await message.try_to_update(render(await self._stored_commands.shorten(reply)))
        if not is_updated and reply.is_card:
            await self.deliver(conversation, reply)
        return is_updated

    def get_edit_intervals(self, conversation: Conversation) -> EditIntervals:  # noqa: ARG002  # the same everywhere
        """Return the same intervals for all conversations: Slack limits edits per app, apart from messages."""
        return _EDIT_INTERVALS

    async def _connect(self) -> None:
        bot = await check_bot_token(self._client)
        url = "" if self._http_receiver else await check_app_token(self._client, self._credentials.app_token)
        app = self._listeners.build_bolt_app(self._client, bot, self._library_logger)
        if self._http_receiver:
            self._http_receiver.start_accepting(app)
            self._receiver = self._http_receiver
            return
        receiver = SocketModeReceiver(
            app=app, app_token=self._credentials.app_token, url=url, heartbeat=self._timing.heartbeat
        )
        receiver.start()
        self._receiver = receiver

    async def _retry_connecting(self) -> None:
        """Connect once Slack is reachable. Wrong settings found here are logged; the program keeps running."""
        delay = self._timing.heartbeat
        while self._receiver is None:
            await asyncio.sleep(delay.total_seconds())
            delay = min(delay * 2, _MAX_RECONNECT_DELAY)
            try:
                await self._connect()
            except SlackUnreachableError as error:
                self._warn_of_outage(error)
            except SettingsError as error:
                logger.error("Slack stays disconnected: %s", error, extra={"action": "slack_settings"})  # noqa: TRY400  # a traceback adds nothing
                return

    def _warn_of_outage(self, error: SlackUnreachableError) -> None:
        logger.warning("Can't reach Slack (%s). Trying again.", error, extra={"action": "slack_unreachable"})
