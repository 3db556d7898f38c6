"""What buttons do: a command line under a short token that expires."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from clearml_chatops.storage.actions import ActionStore
from clearml_chatops.storage.database import Database

LIFETIME = timedelta(days=7)
_TOKEN_BYTES = 12


class ActionService:
    def __init__(self, *, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def remember(self, command: str) -> str:
        """A token of 16 characters of `A-Za-z0-9_-` that stands for the command line for a week."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        async with self._database.writing() as session:
            store = ActionStore(session)
            await store.remove_expired(now=self._clock())
            await store.add(token, command, expires=self._clock() + LIFETIME)
        return token

    async def recall(self, token: str) -> str | None:
        """The command line; None where the token has expired or was never given out."""
        async with self._database.reading() as session:
            return await ActionStore(session).command(token, now=self._clock())
