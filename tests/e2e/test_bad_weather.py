"""Slow servers, dropped sockets, full channels and a sudden end: every command is answered, and once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from tests.e2e.conftest import process_running, running
from tests.sandbox.support import Client
from tests.support.chats import SlackChat, TelegramChat, bot_settings, chat_on, hear, play, settings_of_both
from tests.support.dialogs import Turn
from tests.support.slack import Envelope
from tests.support.telegram import Fault
from tests.support.waiting import until

COMMANDS = 20


@pytest.fixture
async def slack() -> AsyncIterator[SlackChat]:
    async with chat_on("slack") as chat:
        assert isinstance(chat, SlackChat)
        yield chat


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramChat]:
    async with chat_on("telegram") as chat:
        assert isinstance(chat, TelegramChat)
        yield chat


async def test_a_hundred_commands_at_once_are_acknowledged_and_answered_while_clearml_is_slow(
    sandbox: Sandbox, slack: SlackChat, tmp_path: Path
) -> None:
    """How fast the acknowledgements are is measured by benchmarks/slack_acknowledgements.py."""
    server, lab = slack.server, slack.server.channel("lab")
    async with running(bot_settings(sandbox, tmp_path, **slack.settings(sandbox))):
        await server.sockets.wait_for_connection()
        sandbox.faults.delay("*", 1.0)
        texts = [f"find nothing{number:03}" for number in range(100)]
        envelopes = await asyncio.gather(*(slack.anna.slash("/clearml", text, lab) for text in texts))
        await asyncio.gather(*(envelope.acknowledged.wait() for envelope in envelopes))
        # Each answer takes the place of its own "working…".
        await until(lambda: len(_shown(slack.whispers(), "No experiment fits")) == len(texts))
    assert server.timed_out == []
    assert {envelope.acks for envelope in envelopes} == {1}
    for text in texts:
        assert len(_shown(slack.whispers(), text.removeprefix("find "))) == 1


async def test_slack_dropping_its_sockets_and_asking_for_patience_loses_and_doubles_nothing(
    sandbox: Sandbox, slack: SlackChat, tmp_path: Path
) -> None:
    server = slack.server
    async with running(bot_settings(sandbox, tmp_path, **slack.settings(sandbox))):
        await server.sockets.wait_for_connection()
        envelopes: list[Envelope] = []
        for number in range(COMMANDS):
            if number % 5 == 2:
                server.limit_rate("chat.postMessage", 1)
            if number % 5 == 3:
                server.sockets.cut()
            envelopes.append(await slack.anna.direct_message(f"/find nothing{number:03}"))
        await _redelivered_until_acknowledged(slack, envelopes)
        await _answered_once(slack)


async def test_telegram_dropping_its_sockets_and_asking_for_patience_loses_and_doubles_nothing(
    sandbox: Sandbox, telegram: TelegramChat, tmp_path: Path
) -> None:
    server = telegram.server
    async with running(bot_settings(sandbox, tmp_path, **telegram.settings(sandbox))):
        server.misbehave("getUpdates", Fault.dropped(times=2))
        server.misbehave("sendMessage", Fault.too_many_requests(retry_after=1, skip=4))
        server.misbehave("sendMessage", Fault.dropped(times=2))
        for number in range(COMMANDS):
            if number == COMMANDS // 2:
                server.misbehave("getUpdates", Fault.broken(502, times=2))
                server.misbehave("getUpdates", Fault.dropped(times=2))
            await telegram.write(f"/find nothing{number:03}")
        await _answered_once(telegram)


async def test_a_command_that_runs_when_the_program_is_ended_is_answered_once(
    sandbox: Sandbox, slack: SlackChat, telegram: TelegramChat, tmp_path: Path
) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    settings = bot_settings(
        sandbox, tmp_path / "data", CHATOPS_WATCH_SECONDS=0.2, **settings_of_both(slack, telegram, sandbox)
    )
    sandbox.faults.delay("tasks.clone", 1.0)
    chats = (slack, telegram)
    async with process_running(settings, tmp_path) as process:
        for chat in chats:
            await chat.write(f"/clone baseline from {chat.platform}")
        await until(lambda: len(sandbox.requests.named("tasks.clone")) == len(chats))
        process.terminate()
        assert await process.wait() == 0
    clones = Counter(task["name"] for task in sandbox.state.tasks.values() if task["name"].startswith("from "))
    assert clones == {"from slack": 1, "from telegram": 1}
    async with process_running(settings, tmp_path):
        for chat in chats:
            await play(chat, Turn("/whoami", ("alice",)))
            assert len(_shown(chat.heard(), f"Cloned as “from {chat.platform}”")) == 1


async def test_a_command_that_does_not_end_in_time_is_told_of(
    sandbox: Sandbox, slack: SlackChat, telegram: TelegramChat, tmp_path: Path
) -> None:
    settings = bot_settings(sandbox, tmp_path / "data", **settings_of_both(slack, telegram, sandbox))
    chats = (slack, telegram)
    async with process_running(settings, tmp_path) as process:
        await slack.server.sockets.wait_for_connection()
        sandbox.faults.delay("queues.get_all_ex", 14.0)
        for chat in chats:
            await chat.write("/queue list")
        await until(lambda: len(sandbox.requests.named("queues.get_all_ex")) == len(chats))
        process.terminate()
        assert await process.wait() == 0
        still_asked = [request for request in sandbox.requests.named("queues.get_all_ex") if not request.finished]
        assert still_asked, "it does not wait for the server"
    for chat in chats:
        assert len(_shown(chat.heard(), "stopped before")) == 1, chat.heard()


async def test_what_happens_while_the_program_is_down_is_told_once_when_it_is_back(
    sandbox: Sandbox, slack: SlackChat, telegram: TelegramChat, tmp_path: Path
) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    settings = bot_settings(
        sandbox, tmp_path / "data", CHATOPS_WATCH_SECONDS=0.2, **settings_of_both(slack, telegram, sandbox)
    )
    chats = (slack, telegram)
    async with aiohttp.ClientSession() as session:
        agent = Client(sandbox, session, sandbox.alice)
        async with process_running(settings, tmp_path) as process:
            await play(telegram, Turn("/queue create", ("yours",)))
            for chat in chats:
                await play(chat, Turn(f"/rerun baseline from {chat.platform}", ("Pending in",)))
            # The first news of each platform meets one that asks for more patience than the program has.
            slack.server.limit_rate("chat.postMessage", 20)
            telegram.server.misbehave("sendMessage", Fault.too_many_requests(retry_after=20))
            tasks = [task["id"] for task in sandbox.state.tasks.values() if task["name"].startswith("from ")]
            for task in tasks:
                await agent.data("tasks.started", task=task, force=True)
                await agent.data("workers.status_report", worker="lab:gpu0", task=task, timestamp=1)
            await until(lambda: _refused(slack, telegram))
            process.terminate()
            assert await process.wait() == 0
        for task in tasks:
            await agent.data("tasks.completed", task=task)
        async with process_running(settings, tmp_path):
            for chat in chats:
                await hear(chat, "has left Pending", "is Completed")
                await play(chat, Turn("/whoami", ("alice",)))
    for chat in chats:
        told = "\n".join(chat.heard())
        assert told.count("has left Pending") == told.count("is Completed") == 1, told
        assert told.index("has left Pending") < told.index("is Completed")


async def _redelivered_until_acknowledged(slack: SlackChat, envelopes: Sequence[Envelope]) -> None:
    """What Slack does with an envelope that nobody has acknowledged."""
    for envelope in envelopes:
        if not envelope.acknowledged.is_set():
            again = await slack.server.redeliver(envelope)
            await again.acknowledged.wait()


async def _answered_once(chat: SlackChat | TelegramChat) -> None:
    """Waits for all answers, and for one more command, so that a second answer would be there."""
    wanted = [f"“nothing{number:03}”" for number in range(COMMANDS)]
    await hear(chat, *wanted)
    await play(chat, Turn("/whoami", ("alice",)))
    assert {part: len(_shown(chat.heard(), part)) for part in wanted} == dict.fromkeys(wanted, 1)


def _shown(texts: Sequence[str], part: str) -> list[str]:
    return [text for text in texts if part in text]


def _refused(slack: SlackChat, telegram: TelegramChat) -> bool:
    """Whether both have asked for patience."""
    asked: Any = slack.server.api.mood.rate_limits["chat.postMessage"]
    return not asked and telegram.server.is_out_of_faults("sendMessage")
