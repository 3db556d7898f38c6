"""Conversations that get another id: a Telegram group that becomes a supergroup."""

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
        """Has what is told to the old conversation be told to the new one; saying so twice changes nothing."""
        async with self._database.writing() as session:
            await ConversationMover(session).move(old, new, now=self._clock())
