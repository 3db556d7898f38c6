"""“typing…” under the bot's name while a command takes longer than a moment."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from telegram.error import TelegramError

from clearml_chatops.bot.frontends.telegram.sending import Sender
from clearml_chatops.models.messages import Conversation

_SHOWN_FOR = timedelta(seconds=4.5)
"""Telegram takes the sign away after five seconds."""


@asynccontextmanager
async def typing_after(patience: timedelta, sender: Sender, conversation: Conversation) -> AsyncIterator[None]:
    """Shows that the bot works, once patience has run out, until the block ends."""
    showing = asyncio.create_task(_show_after(patience, sender, conversation))
    try:
        yield
    finally:
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)


async def _show_after(patience: timedelta, sender: Sender, conversation: Conversation) -> None:
    await asyncio.sleep(patience.total_seconds())
    # A sign that cannot be shown is not worth a word.
    with contextlib.suppress(TelegramError):
        await sender.show_typing(conversation)
        # A group has 20 requests a minute, which are for answers.
        while not conversation.id.startswith("-"):
            await asyncio.sleep(_SHOWN_FOR.total_seconds())
            await sender.show_typing(conversation)
