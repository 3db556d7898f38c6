"""Kills the bot 200 times by SIGKILL at random moments while experiments begin and end.

No event may be lost; told twice may be only what was being sent, below 1 in 100 kills.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.support.chats import TelegramChat, chat_on
from tests.support.crashes import killed_again_and_again

from clearml_chatops.sandbox import Sandbox

KILLS = 200


async def measure(folder: Path, kills: int) -> None:
    async with Sandbox() as sandbox, chat_on("telegram") as chat:
        assert isinstance(chat, TelegramChat)
        toll = await killed_again_and_again(sandbox, chat, folder, kills=kills, seed=1)
        print(
            f"{toll.kills} kills, {len(toll.wanted)} events: {len(toll.lost)} lost, "
            f"{toll.doubled} told twice, in {toll.doubled_messages} messages "
            f"({toll.doubled_messages / toll.kills:.1%} of the kills)"
        )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(measure(Path(name), int(sys.argv[1]) if len(sys.argv) > 1 else KILLS))
