"""Slow servers, dropped connections, rate limits and restarts: every command is answered once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from tests.e2e.conftest import run_bot_as_subprocess, run_bot_in_process
from tests.sandbox.support import Client
from tests.support.dialogs import Turn
from tests.support.platform_chats import (
    SlackChat,
    TelegramChat,
    build_bot_settings,
    build_settings_for_both,
    open_chat,
    play,
    wait_for_messages,
)
from tests.support.polling import wait_until
from tests.support.slack import Envelope, SlackServer
from tests.support.slack import Person as SlackPerson
from tests.support.telegram import Fault

COMMAND_COUNT = 20


@pytest.fixture
async def slack() -> AsyncIterator[SlackChat]:
    async with open_chat("slack") as chat:
        assert isinstance(chat, SlackChat)
        yield chat


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramChat]:
    async with open_chat("telegram") as chat:
        assert isinstance(chat, TelegramChat)
        yield chat


async def test_a_hundred_commands_at_once_are_acknowledged_and_answered_while_clearml_is_slow(
    sandbox: Sandbox, slack: SlackChat, tmp_path: Path
) -> None:
    """benchmarks/slack_acknowledgements.py measures how fast the acknowledgements are."""
    server, lab = slack.server, slack.server.add_channel("lab")
    people, entries = slack.add_people(100)
    settings = {**slack.build_settings(sandbox), "CHATOPS_PEOPLE": entries}
    async with run_bot_in_process(build_bot_settings(sandbox, tmp_path, **settings)):
        await server.socket_mode.wait_for_connection()
        sandbox.faults.delay("*", 1.0)
        envelopes = await asyncio.gather(
            *(
                person.send_slash_command("/clearml", f"find nothing{number:03}", lab)
                for number, person in enumerate(people)
            )
        )
        await asyncio.gather(*(envelope.acknowledged.wait() for envelope in envelopes))
        # Each reply replaces its own “working…” message.
        await wait_until(lambda: all(_read_answers(server, person) for person in people))
    assert server.timed_out == []
    assert {envelope.acks for envelope in envelopes} == {1}
    for number, person in enumerate(people):
        (answer,) = _read_answers(server, person)
        assert f"nothing{number:03}" in answer


async def test_dropped_sockets_and_rate_limits_of_slack_lose_and_repeat_nothing(
    sandbox: Sandbox, slack: SlackChat, tmp_path: Path
) -> None:
    server = slack.server
    async with run_bot_in_process(build_bot_settings(sandbox, tmp_path, **slack.build_settings(sandbox))):
        await server.socket_mode.wait_for_connection()
        envelopes: list[Envelope] = []
        for number in range(COMMAND_COUNT):
            if number % 5 == 2:
                server.limit_rate("chat.postMessage", 1)
            if number % 5 == 3:
                server.socket_mode.drop_connections()
            envelopes.append(await slack.anna.send_direct_message(f"/find nothing{number:03}"))
        await _redeliver_until_acknowledged(slack, envelopes)
        await _assert_each_answered_once(slack)


async def test_dropped_connections_and_rate_limits_of_telegram_lose_and_repeat_nothing(
    sandbox: Sandbox, telegram: TelegramChat, tmp_path: Path
) -> None:
    server = telegram.server
    async with run_bot_in_process(build_bot_settings(sandbox, tmp_path, **telegram.build_settings(sandbox))):
        server.add_fault("getUpdates", Fault.dropped(times=2))
        server.add_fault("sendMessage", Fault.too_many_requests(retry_after=1, skip=4))
        server.add_fault("sendMessage", Fault.dropped(times=2))
        for number in range(COMMAND_COUNT):
            if number == COMMAND_COUNT // 2:
                server.add_fault("getUpdates", Fault.broken(502, times=2))
                server.add_fault("getUpdates", Fault.dropped(times=2))
            await telegram.write(f"/find nothing{number:03}")
        await _assert_each_answered_once(telegram)


async def test_a_command_running_at_shutdown_is_answered_once(
    sandbox: Sandbox, slack: SlackChat, telegram: TelegramChat, tmp_path: Path
) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    settings = build_bot_settings(
        sandbox, tmp_path / "data", CHATOPS_WATCH_SECONDS=0.2, **build_settings_for_both(slack, telegram, sandbox)
    )
    sandbox.faults.delay("tasks.clone", 1.0)
    chats = (slack, telegram)
    async with run_bot_as_subprocess(settings, tmp_path) as process:
        for chat in chats:
            await chat.write(f"/clone baseline from {chat.platform}")
        await wait_until(lambda: len(sandbox.requests.find_by_endpoint("tasks.clone")) == len(chats))
        process.terminate()
        assert await process.wait() == 0
    clones = Counter(task["name"] for task in sandbox.state.tasks.values() if task["name"].startswith("from "))
    assert clones == {"from slack": 1, "from telegram": 1}
    async with run_bot_as_subprocess(settings, tmp_path):
        for chat in chats:
            await play(chat, Turn("/whoami", ("alice",)))
            assert len(_filter_texts(chat.read_messages(), f"Cloned as “from {chat.platform}”")) == 1


async def test_a_command_interrupted_by_shutdown_is_reported(
    sandbox: Sandbox, slack: SlackChat, telegram: TelegramChat, tmp_path: Path
) -> None:
    settings = build_bot_settings(sandbox, tmp_path / "data", **build_settings_for_both(slack, telegram, sandbox))
    chats = (slack, telegram)
    async with run_bot_as_subprocess(settings, tmp_path) as process:
        await slack.server.socket_mode.wait_for_connection()
        sandbox.faults.delay("queues.get_all_ex", 14.0)
        for chat in chats:
            await chat.write("/queue list")
        await wait_until(lambda: len(sandbox.requests.find_by_endpoint("queues.get_all_ex")) == len(chats))
        process.terminate()
        assert await process.wait() == 0
        open_requests = [
            request
            for request in sandbox.requests.find_by_endpoint("queues.get_all_ex")
            if not request.finish_tick
        ]
        assert open_requests, "it doesn't wait for the server"
    for chat in chats:
        assert len(_filter_texts(chat.read_messages(), "stopped before")) == 1, chat.read_messages()


async def test_events_during_downtime_are_notified_once_after_restart(
    sandbox: Sandbox, slack: SlackChat, telegram: TelegramChat, tmp_path: Path
) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    settings = build_bot_settings(
        sandbox, tmp_path / "data", CHATOPS_WATCH_SECONDS=0.2, **build_settings_for_both(slack, telegram, sandbox)
    )
    chats = (slack, telegram)
    async with aiohttp.ClientSession() as session:
        agent = Client(sandbox, session, sandbox.alice)
        async with run_bot_as_subprocess(settings, tmp_path) as process:
            await play(telegram, Turn("/queue create", ("yours",)))
            for chat in chats:
                await play(chat, Turn(f"/rerun baseline from {chat.platform}", ("Pending in",)))
            # Each platform answers its first notification with a rate limit longer than the shutdown.
            slack.server.limit_rate("chat.postMessage", 20)
            telegram.server.add_fault("sendMessage", Fault.too_many_requests(retry_after=20))
            tasks = [task["id"] for task in sandbox.state.tasks.values() if task["name"].startswith("from ")]
            for task in tasks:
                await agent.call_for_data("tasks.started", task=task, force=True)
                await agent.call_for_data("workers.status_report", worker="lab:gpu0", task=task, timestamp=1)
            await wait_until(lambda: _have_both_rate_limited(slack, telegram))
            process.terminate()
            assert await process.wait() == 0
        for task in tasks:
            await agent.call_for_data("tasks.completed", task=task)
        async with run_bot_as_subprocess(settings, tmp_path):
            for chat in chats:
                await wait_for_messages(chat, "” started on ", "” completed")
                await play(chat, Turn("/whoami", ("alice",)))
    for chat in chats:
        text = "\n".join(chat.read_messages())
        assert text.count("” started on ") == text.count("” completed") == 1, text
        assert text.index("” started on ") < text.index("” completed")


async def _redeliver_until_acknowledged(slack: SlackChat, envelopes: Sequence[Envelope]) -> None:
    """Deliver unacknowledged envelopes again, as Slack does."""
    for envelope in envelopes:
        if not envelope.acknowledged.is_set():
            redelivered = await slack.server.redeliver(envelope)
            await redelivered.acknowledged.wait()


async def _assert_each_answered_once(chat: SlackChat | TelegramChat) -> None:
    """Wait for all replies and for the reply to one more command, then check that no reply came twice."""
    expected = [f"“nothing{number:03}”" for number in range(COMMAND_COUNT)]
    await wait_for_messages(chat, *expected)
    await play(chat, Turn("/whoami", ("alice",)))
    assert {part: len(_filter_texts(chat.read_messages(), part)) for part in expected} == dict.fromkeys(
        expected, 1
    )


def _read_answers(server: SlackServer, person: SlackPerson) -> list[str]:
    return _filter_texts(
        [message.visible_text for message in server.list_ephemeral_messages(person)], "No experiments match"
    )


def _filter_texts(texts: Sequence[str], part: str) -> list[str]:
    return [text for text in texts if part in text]


def _have_both_rate_limited(slack: SlackChat, telegram: TelegramChat) -> bool:
    """Return whether both platforms have answered with their rate limit."""
    pending_limits: Any = slack.server.api.faults.rate_limits["chat.postMessage"]
    return not pending_limits and telegram.server.has_no_faults_left("sendMessage")
