"""“typing…” under the bot's name while a command takes longer than a moment."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from telegram.error import TelegramError

from clearml_chatops.bot.frontends.telegram.sender import Sender
from clearml_chatops.models.messages import Conversation

_REFRESH_INTERVAL = timedelta(seconds=4.5)
"""Telegram takes the sign away after five seconds."""


@asynccontextmanager
async def show_typing_indicator(
    delay: timedelta, sender: Sender, conversation: Conversation
) -> AsyncIterator[None]:
    """Shows that the bot works, once patience has run out, until the block ends."""
    indicator_task = asyncio.create_task(_show_after_delay(delay, sender, conversation))
    try:
        yield
    finally:
        indicator_task.cancel()
        await asyncio.gather(indicator_task, return_exceptions=True)


async def _show_after_delay(delay: timedelta, sender: Sender, conversation: Conversation) -> None:
    await asyncio.sleep(delay.total_seconds())
    # A sign that cannot be shown is not worth a word.
    with contextlib.suppress(TelegramError):
        await sender.show_typing(conversation)
        # A group has 20 requests a minute, which are for answers.
        while not conversation.id.startswith("-"):
            await asyncio.sleep(_REFRESH_INTERVAL.total_seconds())
            await sender.show_typing(conversation)
