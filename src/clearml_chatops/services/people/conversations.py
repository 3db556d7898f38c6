"""Conversations that get a new id, like a Telegram group that becomes a supergroup."""

from collections.abc import Callable
from datetime import datetime

from clearml_chatops.models.messages import Conversation
from clearml_chatops.storage.conversation_moves import ConversationMover
from clearml_chatops.storage.database import Database


class ConversationService:
    def __init__(self, *, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def move(self, old: Conversation, new: Conversation) -> None:
        """Move everything of the old conversation to the new one. Repeating it changes nothing."""
        async with self._database.writing() as session:
            await ConversationMover(session).move(old, new, now=self._clock())
