"""Conversations that get another id: a Telegram group that becomes a supergroup."""

from collections.abc import Callable
from datetime import datetime

from clearml_chatops.models.messages import Conversation
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.places import PlaceStore


class ConversationService:
    def __init__(self, *, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def moved(self, old: Conversation, new: Conversation) -> None:
        """Has what is told to the old conversation be told to the new one; saying so twice changes nothing."""
        async with self._database.writing() as session:
            await PlaceStore(session).move(old, new, now=self._clock())
