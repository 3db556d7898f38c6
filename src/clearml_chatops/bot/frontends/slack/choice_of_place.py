"""Which place the answer to what was heard belongs in."""

from dataclasses import dataclass

from clearml_chatops.bot.frontends.front_end import DeliveryFailedError, DestinationGoneError
from clearml_chatops.bot.frontends.slack.incoming import Heard
from clearml_chatops.bot.frontends.slack.outgoing import Outgoing
from clearml_chatops.bot.frontends.slack.places import Place, RealMessage, Shown
from clearml_chatops.bot.frontends.slack.rendering import Rendered
from clearml_chatops.bot.frontends.slack.whispers import PublicAnswer, Whisper


def place_for(outgoing: Outgoing, heard: Heard) -> Place:
    """Where it was asked: whispered to the person, in the thread, or instead of the message with the button."""
    whisper = Whisper(
        outgoing,
        heard.address,
        heard.user_id,
        replaces=not heard.pressed,
        channel=heard.channel,
        in_place=heard.in_place,
    )
    if heard.ephemeral:
        return whisper
    message = RealMessage(outgoing, heard.channel, heard.thread)
    if heard.in_place:
        thread = "" if heard.thread == heard.card else heard.thread
        return NextMessage(RealMessage(outgoing, heard.channel, thread, heard.card), usual=message)
    return PublicAnswer(message, whisper) if heard.public else message


@dataclass(slots=True)
class NextMessage:
    """What takes the place of the message whose button was pressed; in its thread where that cannot be changed."""

    message: RealMessage
    usual: RealMessage

    async def show_work(self) -> None:
        """Shows nothing: the list stays until its next page is there."""

    async def show(self, rendered: Rendered) -> Shown:
        try:
            changed = await self.message.change(rendered)
        except (DeliveryFailedError, DestinationGoneError):
            changed = False
        if not changed:
            return await self.usual.show(rendered)
        await self.message.attach(rendered)
        return Shown(self.message.channel, self.message.thread, self.message.message_id)
