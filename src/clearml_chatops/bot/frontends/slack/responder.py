"""Has requests handled, and shows the replies where they were asked for."""

import logging
from dataclasses import replace
from functools import partial

from clearml_chatops.bot.frontends.front_end import (
    Cards,
    DeliveryFailedError,
    DestinationGoneError,
    MessageHandler,
)
from clearml_chatops.bot.frontends.slack.incoming_requests import PLATFORM, SlackRequest
from clearml_chatops.bot.frontends.slack.rendering import render
from clearml_chatops.bot.frontends.slack.reply_routing import choose_reply_target
from clearml_chatops.bot.frontends.slack.reply_targets import DirectMessage, PostedMessage, ReplyTarget
from clearml_chatops.bot.frontends.slack.running_commands import RunningCommands
from clearml_chatops.bot.frontends.slack.slack_api import SlackApi
from clearml_chatops.bot.frontends.slack.stored_commands import StoredCommands
from clearml_chatops.handlers.forms import opens_form
from clearml_chatops.handlers.registry import Registry
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Identity
from clearml_chatops.models.replies import Button, Buttons, Form, Reply

logger = logging.getLogger(__name__)


_OPEN_FORM_LABEL = "Open form"
_DIRECT_CHANNEL_PREFIX = "D"
"""How the channel ids of direct messages begin."""


class Responder:
    def __init__(
        self,
        *,
        handle: MessageHandler,
        registry: Registry,
        cards: Cards,
        stored_commands: StoredCommands,
        api: SlackApi,
        running_commands: RunningCommands,
    ) -> None:
        self._handle = handle
        self._registry = registry
        self._cards = cards
        self._stored_commands = stored_commands
        self._api = api
        self._running_commands = running_commands

    async def answer(self, request: SlackRequest) -> None:
        """Handle a request, and show the reply where it was asked for."""
        target = choose_reply_target(self._api, request)
        reply = await self._running_commands.wait_for_reply(
            lambda: self._handle_request(request), target.show_typing_indicator
        )
        await self._show_with_fallback(request, target, reply)

    async def get_reply(self, request: SlackRequest) -> Reply:
        """Return the reply to a request. The caller shows it, and a loading view before it."""
        return await self._running_commands.wait_for_reply(lambda: self._handle_request(request))

    async def show_reply(self, request: SlackRequest, reply: Reply) -> str:
        """Show a reply where it was asked for, or else in direct messages. Return the channel if known."""
        return await self._show_with_fallback(request, choose_reply_target(self._api, request), reply)

    async def show(self, target: ReplyTarget, reply: Reply) -> PostedMessage:
        """Show a reply at a target. Raises DestinationGoneError and DeliveryFailedError."""
        posted = await target.show(render(await self._stored_commands.shorten(reply)))
        await self._remember(posted, reply)
        return posted

    async def _show_with_fallback(self, request: SlackRequest, target: ReplyTarget, reply: Reply) -> str:
        if any(isinstance(block, Form) for block in reply.blocks) and opens_form(
            self._registry, request.command_line
        ):
            # A message has no input fields, but its button has a trigger_id that opens a modal.
            reply = reply.followed_by(Buttons((Button(_OPEN_FORM_LABEL, request.command_line),)))
        try:
            posted = await self.show(target, reply)
            if request.starts_thread and posted.thread == request.thread:
                # The thread that a mention starts now belongs to its experiment, like the thread of a card.
                await self._remember(
                    PostedMessage(request.channel, "", request.thread), replace(reply, is_card=False)
                )
        except (DestinationGoneError, DeliveryFailedError) as error:
            logger.warning(
                "An answer is sent as a direct message instead: %s", error, extra={"action": "slack_fallback"}
            )
            posted = await self.show(DirectMessage(self._api, request.user_id), reply)
        return posted.channel

    async def _remember(self, posted: PostedMessage, reply: Reply) -> None:
        if reply.experiment_id and posted.message_id:
            await self._cards.record_message(
                Conversation(PLATFORM, posted.channel, posted.thread),
                posted.message_id,
                reply.experiment_id,
                is_card=reply.is_card,
            )

    async def _handle_request(self, request: SlackRequest) -> Reply:
        is_direct_message = request.channel.startswith(_DIRECT_CHANNEL_PREFIX)
        channel = Conversation(PLATFORM, request.channel)
        experiment_id = (
            await self._cards.find_experiment_id(channel, request.source_message_id)
            if request.source_message_id
            else ""
        )
        if not experiment_id and request.thread and request.thread != request.source_message_id:
            experiment_id = await self._cards.find_experiment_id(channel, request.thread)
        return await self._handle(
            IncomingMessage(
                sender=Identity(PLATFORM, request.user_id, request.team_id),
                sender_name=request.user_name or await self._api.get_user_name(request.user_id),
                conversation=Conversation(PLATFORM, request.channel, request.thread),
                text=request.command_line,
                context_experiment_id=experiment_id or request.experiment_id,
                is_visible_to_others=not request.is_ephemeral and not is_direct_message,
                is_direct_message=is_direct_message,
                starts_thread=request.starts_thread,
                fetch_sender_time_zone=partial(self._api.get_time_zone, request.user_id),
            )
        )
