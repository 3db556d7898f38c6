"""The bot is killed, and the platform delivers what it believes was lost: nothing is carried out twice."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from tests.e2e.conftest import run_bot_as_subprocess
from tests.support.dialogs import Turn
from tests.support.platform_chats import (
    PLATFORMS,
    SLACK_BY_HTTP,
    TELEGRAM_BY_WEBHOOK,
    Chat,
    SlackChat,
    TelegramChat,
    build_bot_settings,
    play,
    wait_for_messages,
)
from tests.support.polling import wait_until
from tests.support.telegram import Fault

INTERRUPTED = "The bot was stopped while it did this"

Redeliver = Callable[[], Awaitable[object]]


@pytest.fixture
def settings(sandbox: Sandbox, chat: Chat, tmp_path: Path) -> dict[str, Any]:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    return build_bot_settings(sandbox, tmp_path / "data", **chat.build_settings(sandbox))


@asynccontextmanager
async def _run_bot_until_killed(settings: dict[str, Any], folder: Path) -> AsyncIterator[None]:
    async with run_bot_as_subprocess(settings, folder) as process:
        yield
        process.kill()
        await process.wait()


async def _write(chat: Chat, line: str) -> Redeliver:
    """Send a line. Return a function that delivers the same message again."""
    await _wait_for_web_server(chat)
    if isinstance(chat, SlackChat):
        envelope = await chat.anna.send_direct_message(line)
        return lambda: chat.server.redeliver(envelope)
    assert isinstance(chat, TelegramChat)
    await chat.write(line)
    update = chat.server.state.updates[-1]
    return lambda: chat.server.state.redeliver(update)


async def _deliver_again(chat: Chat, redeliver: Redeliver) -> None:
    await _wait_for_web_server(chat)
    await redeliver()
    await play(chat, Turn("/whoami", ("alice",)))


async def _wait_for_web_server(chat: Chat) -> None:
    if isinstance(chat, SlackChat) and chat.http_port:
        await wait_until(chat.server.http_events.verify)


def _count_clones(sandbox: Sandbox) -> int:
    return [task["name"] for task in sandbox.state.tasks.values()].count("only once")


async def test_an_answered_command_is_not_repeated_after_a_kill(
    sandbox: Sandbox, chat: Chat, settings: dict[str, Any], tmp_path: Path
) -> None:
    async with _run_bot_until_killed(settings, tmp_path):
        redeliver = await _write(chat, "/clone baseline only once")
        await wait_for_messages(chat, "Cloned as “only once”")
        # The answer to the next command shows that this one is recorded as answered.
        await play(chat, Turn("/whoami", ("alice",)))
    message_count = len(chat.read_messages())
    async with _run_bot_until_killed(settings, tmp_path):
        await _deliver_again(chat, redeliver)
        await _deliver_again(chat, redeliver)
    assert _count_clones(sandbox) == 1
    assert len(chat.read_messages()) == message_count + 2, "a repeat is silent"


@pytest.mark.parametrize(
    ("chat", "moment"),
    [
        *((platform, "before ClearML has answered") for platform in PLATFORMS),
        *((platform, "before the answer is sent") for platform in (SLACK_BY_HTTP, TELEGRAM_BY_WEBHOOK)),
    ],
    indirect=["chat"],
)
async def test_a_command_interrupted_by_a_kill_is_reported_once_and_not_repeated(
    sandbox: Sandbox, chat: Chat, settings: dict[str, Any], tmp_path: Path, moment: str
) -> None:
    async with _run_bot_until_killed(settings, tmp_path):
        await play(chat, Turn("/find baseline", ("baseline",)))
        if moment == "before ClearML has answered":
            sandbox.faults.delay("tasks.clone", 14)
        else:
            _delay_next_message(chat)
        redeliver = await _write(chat, "/clone baseline only once")
        await wait_until(
            lambda: (
                sandbox.requests.find_by_endpoint("tasks.clone")
                and (moment == "before ClearML has answered" or _is_next_message_delayed(chat))
            )
        )
    sandbox.faults.clear()
    async with _run_bot_until_killed(settings, tmp_path):
        await _wait_for_web_server(chat)
        await redeliver()
        await wait_for_messages(chat, INTERRUPTED)
        await _deliver_again(chat, redeliver)
    async with _run_bot_until_killed(settings, tmp_path):
        await _deliver_again(chat, redeliver)
    assert len(sandbox.requests.find_by_endpoint("tasks.clone")) == 1
    assert "\n".join(chat.read_messages()).count(INTERRUPTED) == 1


def _delay_next_message(chat: Chat) -> None:
    """Let the platform refuse the next message for longer than the test takes."""
    if isinstance(chat, SlackChat):
        chat.server.limit_rate("chat.postMessage", 60)
    else:
        assert isinstance(chat, TelegramChat)
        chat.server.add_fault("sendMessage", Fault.too_many_requests(retry_after=60))


def _is_next_message_delayed(chat: Chat) -> bool:
    if isinstance(chat, SlackChat):
        return not chat.server.api.faults.rate_limits["chat.postMessage"]
    assert isinstance(chat, TelegramChat)
    return chat.server.has_no_faults_left("sendMessage")
