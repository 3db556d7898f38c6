"""The bot is killed without warning: nothing is lost. benchmarks/kills.py does it 200 times."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from clearml_chatops.sandbox import Sandbox
from tests.support.chats import TelegramChat, chat_on
from tests.support.crashes import killed_again_and_again

KILLS = 5


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramChat]:
    async with chat_on("telegram") as chat:
        assert isinstance(chat, TelegramChat)
        yield chat


async def test_nothing_is_lost_where_the_bot_is_killed_at_random_moments(
    sandbox: Sandbox, telegram: TelegramChat, tmp_path: Path
) -> None:
    toll = await killed_again_and_again(sandbox, telegram, tmp_path, kills=KILLS, seed=17)
    assert toll.kills == KILLS
    assert len(toll.wanted) == 4 * KILLS
    assert toll.lost == []
    # Only a kill between Telegram's answer and the commit can double, and each only what was being sent.
    assert toll.doubled <= KILLS
