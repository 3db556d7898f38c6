"""Which place the answer to what was heard belongs in."""

from dataclasses import dataclass

from clearml_chatops.bot.frontends.front_end import DeliveryFailedError, DestinationGoneError
from clearml_chatops.bot.frontends.slack.ephemeral_replies import EphemeralReply, PublicReply
from clearml_chatops.bot.frontends.slack.incoming_requests import SlackRequest
from clearml_chatops.bot.frontends.slack.rendering import RenderedMessage
from clearml_chatops.bot.frontends.slack.reply_targets import ChannelMessage, PostedMessage, ReplyTarget
from clearml_chatops.bot.frontends.slack.slack_api import SlackApi


def choose_reply_target(api: SlackApi, request: SlackRequest) -> ReplyTarget:
    """Where it was asked: whispered to the person, in the thread, or instead of the message with the button."""
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
    """What takes the place of the message whose button was pressed; in its thread where that cannot be changed."""

    message: ChannelMessage
    fallback: ChannelMessage

    async def show_typing_indicator(self) -> None:
        """Shows nothing: the list stays until its next page is there."""

    async def show(self, rendered: RenderedMessage) -> PostedMessage:
        try:
            is_updated = await self.message.try_to_update(rendered)
        except (DeliveryFailedError, DestinationGoneError):
            is_updated = False
        if not is_updated:
            return await self.fallback.show(rendered)
        await self.message.upload_files(rendered)
        return PostedMessage(self.message.channel, self.message.thread, self.message.message_id)
