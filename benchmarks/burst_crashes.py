"""Kills the bot ten times with SIGKILL while 1,000 experiments of one person fail, on Slack and on Telegram.

Goal: no failure is lost or doubled, in at most 4 messages; a fifth follows with the file of all names. A kill
after the platform has a new message, but before the bot has recorded that, repeats this one message.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.support.burst_crashes import kill_during_burst
from tests.support.platform_chats import PLATFORMS, open_chat

from clearml_chatops.sandbox import Sandbox

KILLS = 10
FAILURES = 1000


async def measure(folder: Path, platform: str, kills: int) -> None:
    async with Sandbox() as sandbox, open_chat(platform) as chat:
        received = await kill_during_burst(
            sandbox, chat, folder / platform, failures=FAILURES, kills=kills, seed=1
        )
        print(
            f"{platform}: {kills} kills, {FAILURES} failures: {received.failure_count} received, "
            f"{received.separate_count} in messages of their own, {received.overview_counts} in others"
        )


async def measure_all(folder: Path, kills: int) -> None:
    for platform in PLATFORMS:
        (folder / platform).mkdir()
        await measure(folder, platform, kills)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(measure_all(Path(name), int(sys.argv[1]) if len(sys.argv) > 1 else KILLS))
