"""Chooses where the answer to a request goes."""

from dataclasses import dataclass

from clearml_chatops.bot.frontends.front_end import DeliveryFailedError, DestinationGoneError
from clearml_chatops.bot.frontends.slack.ephemeral_replies import EphemeralReply, PublicReply
from clearml_chatops.bot.frontends.slack.incoming_requests import SlackRequest
from clearml_chatops.bot.frontends.slack.rendering import RenderedMessage
from clearml_chatops.bot.frontends.slack.reply_targets import ChannelMessage, PostedMessage, ReplyTarget
from clearml_chatops.bot.frontends.slack.slack_api import SlackApi


def choose_reply_target(api: SlackApi, request: SlackRequest) -> ReplyTarget:
    """Return the target for a request: an ephemeral reply, the thread, or the message with the button."""
    ephemeral_reply = EphemeralReply(
        api,
        request.response_url,
        request.user_id,
        can_replace=not request.is_interaction,
        channel=request.channel,
        in_place=request.in_place,
    )
    if request.is_ephemeral:
        return ephemeral_reply
    message = ChannelMessage(api, request.channel, request.thread)
    if request.in_place:
        thread = "" if request.thread == request.source_message_id else request.thread
        return ReplacementMessage(
            ChannelMessage(api, request.channel, thread, request.source_message_id), fallback=message
        )
    return PublicReply(message, ephemeral_reply) if request.is_public else message


@dataclass(slots=True)
class ReplacementMessage:
    """Replaces the message with the pressed button, or answers in its thread if it can't be updated."""

    message: ChannelMessage
    fallback: ChannelMessage

    async def show_typing_indicator(self) -> None:
        """Do nothing: the list stays visible until its next page is ready."""

    async def show(self, rendered: RenderedMessage) -> PostedMessage:
        try:
            is_updated = await self.message.try_to_update(rendered)
        except (DeliveryFailedError, DestinationGoneError):
            is_updated = False
        if not is_updated:
            return await self.fallback.show(rendered)
        await self.message.upload_files(rendered)
        return PostedMessage(self.message.channel, self.message.thread, self.message.message_id)
