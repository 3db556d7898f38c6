"""The bot is killed in the midst of a burst. benchmarks/burst_crashes.py does it ten times with 1,000 failures."""

from pathlib import Path

from clearml_chatops.sandbox import Sandbox
from tests.support.burst_crashes import SEPARATE_COUNT, kill_during_burst
from tests.support.platform_chats import Chat


async def test_a_burst_survives_kills(sandbox: Sandbox, chat: Chat, tmp_path: Path) -> None:
    received = await kill_during_burst(sandbox, chat, tmp_path, failures=60, kills=2, seed=11)
    assert received.separate_count == SEPARATE_COUNT
    assert received.overview_counts == [60 - SEPARATE_COUNT]
