"""Actions of buttons, stored under short tokens that expire."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from clearml_chatops.models.actions import Action
from clearml_chatops.models.messages import Conversation
from clearml_chatops.storage.actions import ActionStore
from clearml_chatops.storage.database import Database

LIFETIME = timedelta(days=7)
_TOKEN_BYTES = 12


class ActionService:
    def __init__(self, *, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def create_token(self, action: Action) -> str:
        """Store an action for a week and return its token: 16 characters of `A-Za-z0-9_-`."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        async with self._database.writing() as session:
            store = ActionStore(session)
            await store.remove_expired(now=self._clock())
            await store.add(token, action, expires=self._clock() + LIFETIME)
        return token

    async def find_action(self, token: str) -> Action | None:
        """Return the action; None if the token has expired or never existed."""
        async with self._database.reading() as session:
            return await ActionStore(session).get(token, now=self._clock())

    async def record_question(self, conversation: Conversation, message_id: str, token: str) -> None:
        """Record which message asks the question of an action."""
        async with self._database.writing() as session:
            await ActionStore(session).put_question(conversation, message_id, token)

    async def find_action_by_question(self, conversation: Conversation, message_id: str) -> Action | None:
        """Return the action that a message asks a question for; None if it asks none or has expired."""
        async with self._database.reading() as session:
            return await ActionStore(session).find_by_question(conversation, message_id, now=self._clock())
