"""The bot is killed in the midst of a burst. benchmarks/burst_crashes.py does it ten times with 1,000 failures."""

from pathlib import Path

from clearml_chatops.sandbox import Sandbox
from tests.support.burst_crashes import SEPARATE_COUNT, kill_during_burst
from tests.support.platform_chats import Chat

FAILURES = 60


async def test_no_failure_is_lost_or_doubled(sandbox: Sandbox, chat: Chat, tmp_path: Path) -> None:
    received = await kill_during_burst(sandbox, chat, tmp_path, failures=FAILURES, kills=2, seed=11)
    assert received.failure_count == FAILURES
    # Where the bot takes a minute to start, the first burst has ended by then, and another one starts.
    bursts = len(received.overview_counts)
    assert 1 <= bursts <= 3
    assert received.separate_count <= SEPARATE_COUNT * bursts
