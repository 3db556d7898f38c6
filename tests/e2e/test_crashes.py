"""The bot is killed without warning: nothing is lost. benchmarks/crash_recovery.py does it 200 times."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from tests.e2e.conftest import run_bot_as_subprocess
from tests.sandbox.support import Client
from tests.support.crashes import kill_repeatedly
from tests.support.dialogs import Turn
from tests.support.platform_chats import (
    Chat,
    SlackChat,
    TelegramChat,
    build_bot_settings,
    open_chat,
    play,
    wait_for_messages,
)
from tests.support.polling import wait_until
from tests.support.telegram import Fault

KILL_COUNT = 5


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramChat]:
    async with open_chat("telegram") as chat:
        assert isinstance(chat, TelegramChat)
        yield chat


async def test_nothing_is_lost_when_the_bot_is_killed_at_random_moments(
    sandbox: Sandbox, telegram: TelegramChat, tmp_path: Path
) -> None:
    counts = await kill_repeatedly(sandbox, telegram, tmp_path, kills=KILL_COUNT, seed=17)
    assert counts.kills == KILL_COUNT
    assert len(counts.expected) == 4 * KILL_COUNT
    assert counts.missing == []
    # A kill after Telegram has a message, but before the bot has recorded that, repeats this one message.
    assert counts.duplicate_messages <= KILL_COUNT


async def test_a_sent_message_is_not_repeated_if_the_bot_is_killed_before_storing_it(
    sandbox: Sandbox, chat: Chat, tmp_path: Path
) -> None:
    """Another program holds the database's lock, and the bot is killed while it waits for the lock."""
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    data = tmp_path / "data"
    settings = build_bot_settings(sandbox, data, CHATOPS_WATCH_SECONDS=0.2, **chat.build_settings(sandbox))
    async with aiohttp.ClientSession() as session:
        agent = Client(sandbox, session, sandbox.alice)
        async with run_bot_as_subprocess(settings, tmp_path) as process:
            await play(chat, Turn("/queue create", ("yours",)), Turn("/rerun baseline run 0", ("Pending in",)))
            task = next(task["id"] for task in sandbox.state.tasks.values() if task["name"] == "run 0")
            with closing(sqlite3.connect(data / "chatops.db", isolation_level=None, timeout=60)) as database:
                _run_before_next_answer(chat, lambda: database.execute("BEGIN IMMEDIATE"))
                await agent.call_for_data("tasks.started", task=task, force=True)
                await agent.call_for_data("workers.status_report", worker="lab:gpu0", task=task, timestamp=1)
                await wait_until(lambda: (data / "delivered").exists() and (data / "delivered").read_text())
                process.kill()
                await process.wait()
                assert database.in_transaction
        async with run_bot_as_subprocess(settings, tmp_path):
            await agent.call_for_data("tasks.completed", task=task)
            await wait_for_messages(chat, "” completed")
            await play(chat, Turn("/whoami", ("alice",)))
    text = "\n".join(chat.read_messages())
    assert text.count("” started on ") == text.count("” completed") == 1, text


def _run_before_next_answer(chat: Chat, action: Callable[[], object]) -> None:
    """Run an action after the platform has received the next message, but before it answers."""
    if isinstance(chat, SlackChat):
        side_effects = chat.server.api.faults.side_effects

        def run_once() -> None:
            side_effects.clear()
            action()

        side_effects["chat.postMessage"] = run_once
    else:
        assert isinstance(chat, TelegramChat)
        chat.server.add_fault("sendMessage", Fault.with_side_effect(action))
