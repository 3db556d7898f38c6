"""The typing indicator: “typing…” under the bot's name while a command takes long."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from telegram.error import TelegramError

from clearml_chatops.bot.frontends.telegram.sender import Sender
from clearml_chatops.models.messages import Conversation

_REFRESH_INTERVAL = timedelta(seconds=4.5)
"""Telegram hides the indicator after five seconds."""


@asynccontextmanager
async def show_typing_indicator(
    delay: timedelta, sender: Sender, conversation: Conversation
) -> AsyncIterator[None]:
    """Show the typing indicator after a delay, until the block ends."""
    indicator_task = asyncio.create_task(_show_after_delay(delay, sender, conversation))
    try:
        yield
    finally:
        indicator_task.cancel()
        await asyncio.gather(indicator_task, return_exceptions=True)


async def _show_after_delay(delay: timedelta, sender: Sender, conversation: Conversation) -> None:
    await asyncio.sleep(delay.total_seconds())
    # If the indicator can't be shown, the command still works.
    with contextlib.suppress(TelegramError):
        await sender.show_typing(conversation)
        # A group takes 20 requests a minute, which are for replies.
        while not conversation.id.startswith("-"):
            await asyncio.sleep(_REFRESH_INTERVAL.total_seconds())
            await sender.show_typing(conversation)
