"""Each person's private chat with the bot.

Notifications that were not requested in a conversation go there, and quiet hours apply there.
"""

from collections.abc import Callable
from datetime import datetime

from clearml_chatops.models.messages import TERMINAL, Conversation, IncomingMessage
from clearml_chatops.models.people import Person
from clearml_chatops.storage.conversation_moves import ConversationMover
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.direct_messages import DirectMessageStore, to_direct_message
from clearml_chatops.storage.quiet import QuietStore


class DirectMessages:
    def __init__(self, *, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._recorded: dict[int, Conversation] = {}
        """What this process has recorded, so that the same chat is not written again."""

    async def record(self, person: Person, message: IncomingMessage) -> None:
        """Record the conversation of a private message. Terminals are not recorded, since people close them.

        Anything addressed to the person's user id, before the chat's own id was known, moves to the chat.
        """
        conversation = Conversation(message.conversation.platform, message.conversation.id)
        if (
            not message.is_private
            or conversation.platform == TERMINAL
            or self._recorded.get(person.id) == conversation
        ):
            return
        conversation_by_id = to_direct_message(message.sender)
        async with self._database.writing() as session:
            await DirectMessageStore(session).put(person.id, conversation)
            await QuietStore(session).put_private_conversation(conversation, person.id)
            if conversation_by_id != conversation:
                await ConversationMover(session).move(conversation_by_id, conversation, now=self._clock())
        self._recorded[person.id] = conversation
