"""Kills the bot 200 times with SIGKILL at random moments while experiments start and end.

Goal: no event is lost, and repeated messages, which were being sent at a kill, are fewer than 1 in 100 kills.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.support.crashes import kill_repeatedly
from tests.support.platform_chats import TelegramChat, open_chat

from clearml_chatops.sandbox import Sandbox

KILLS = 200


async def measure(folder: Path, kills: int) -> None:
    async with Sandbox() as sandbox, open_chat("telegram") as chat:
        assert isinstance(chat, TelegramChat)
        result = await kill_repeatedly(sandbox, chat, folder, kills=kills, seed=1)
        print(
            f"{result.kills} kills, {len(result.expected)} events: {len(result.missing)} lost, "
            f"{result.duplicates} repeated, in {result.duplicate_messages} messages "
            f"({result.duplicate_messages / result.kills:.1%} of kills)"
        )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(measure(Path(name), int(sys.argv[1]) if len(sys.argv) > 1 else KILLS))
