"""The bot is killed without warning: nothing is lost. benchmarks/kills.py does it 200 times."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from tests.e2e.conftest import process_running
from tests.sandbox.support import Client
from tests.support.chats import Chat, SlackChat, TelegramChat, bot_settings, chat_on, hear, play
from tests.support.crashes import killed_again_and_again
from tests.support.dialogs import Turn
from tests.support.telegram import Fault
from tests.support.waiting import until

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
    # Only a kill between Telegram's taking it and the note of that can double, and each only what was being sent.
    assert toll.doubled_messages <= KILLS


async def test_what_a_platform_has_taken_is_told_once_though_the_bot_is_killed_before_its_database_knows(
    sandbox: Sandbox, chat: Chat, tmp_path: Path
) -> None:
    """Another program has the database's lock when the answer comes; the bot is killed while it waits for that."""
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    data = tmp_path / "data"
    settings = bot_settings(sandbox, data, CHATOPS_WATCH_SECONDS=0.2, **chat.settings(sandbox))
    async with aiohttp.ClientSession() as session:
        agent = Client(sandbox, session, sandbox.alice)
        async with process_running(settings, tmp_path) as process:
            await play(chat, Turn("/queue create", ("yours",)), Turn("/rerun baseline run 0", ("Pending in",)))
            task = next(task["id"] for task in sandbox.state.tasks.values() if task["name"] == "run 0")
            with closing(sqlite3.connect(data / "chatops.db", isolation_level=None, timeout=60)) as database:
                _before_a_message_is_taken(chat, lambda: database.execute("BEGIN IMMEDIATE"))
                await agent.data("tasks.started", task=task, force=True)
                await agent.data("workers.status_report", worker="lab:gpu0", task=task, timestamp=1)
                await until(lambda: (data / "told").exists() and (data / "told").read_text())
                process.kill()
                await process.wait()
                assert database.in_transaction
        async with process_running(settings, tmp_path):
            await agent.data("tasks.completed", task=task)
            await hear(chat, "is Completed")
            await play(chat, Turn("/whoami", ("alice",)))
    told = "\n".join(chat.heard())
    assert told.count("has left Pending") == told.count("is Completed") == 1, told


def _before_a_message_is_taken(chat: Chat, happens: Callable[[], object]) -> None:
    """Has something happen when the next message has reached the platform, before it is answered."""
    if isinstance(chat, SlackChat):
        before = chat.server.api.mood.before

        def once() -> None:
            before.clear()
            happens()

        before["chat.postMessage"] = once
    else:
        assert isinstance(chat, TelegramChat)
        chat.server.misbehave("sendMessage", Fault.after(happens))
