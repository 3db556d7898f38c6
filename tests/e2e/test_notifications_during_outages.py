"""Notifications while ClearML is unreachable, and while platforms limit, fail and drop messages."""

from datetime import timedelta
from pathlib import Path

import pytest

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.sandbox.documents import Document, truncate_to_milliseconds
from tests.e2e.conftest import run_bot_in_process
from tests.support.dialogs import Turn
from tests.support.notified_events import find_notified_events
from tests.support.platform_chats import (
    Chat,
    SlackChat,
    TelegramChat,
    build_bot_settings,
    build_settings_for_both,
    open_chat,
    play,
    wait_for_messages,
)
from tests.support.polling import wait_until
from tests.support.telegram import Fault

_FAILED_POLL_COUNT = 5


async def test_notifications_come_once_and_in_order_after_failures_of_clearml_and_both_platforms(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    async with open_chat("slack") as slack, open_chat("telegram") as telegram:
        assert isinstance(slack, SlackChat)
        assert isinstance(telegram, TelegramChat)
        chats: tuple[Chat, ...] = (slack, telegram)
        settings = build_bot_settings(
            sandbox, tmp_path, CHATOPS_WATCH_SECONDS=0.2, **build_settings_for_both(slack, telegram, sandbox)
        )
        async with run_bot_in_process(settings):
            await play(slack, Turn("/queue create", ("yours",)))
            for number in range(4):
                await play(slack, Turn(f"/rerun baseline run {number}", ("Pending in",)))
                await play(telegram, Turn(f'/watch "run {number}"', (f"run {number}",)))

            # ClearML is unreachable, while the runs continue.
            sandbox.faults.disconnect("*")
            _start_and_finish_run(sandbox, "run 0", final_status="completed")
            _start_and_finish_run(sandbox, "run 1", final_status="failed")
            sandbox.requests.clear()
            for chat in chats:
                await play(chat, Turn("/queue list", ("doesn't answer",)))
            await wait_until(
                lambda: len(sandbox.requests.find_by_endpoint("tasks.get_all_ex")) >= _FAILED_POLL_COUNT
            )
            assert not any(_find_notifications(chat) for chat in chats)

            # ClearML is back, and now both platforms fail.
            slack.server.limit_rate("chat.postMessage", 1, 0, 1)
            slack.server.socket_mode.drop_connections()
            telegram.server.add_fault("sendMessage", Fault.too_many_requests(retry_after=1, times=2))
            telegram.server.add_fault("sendMessage", Fault.broken(500, times=5))
            telegram.server.add_fault("sendMessage", Fault.dropped(times=3))
            telegram.server.add_fault("getUpdates", Fault.dropped(times=2))
            sandbox.faults.clear()
            await wait_until(lambda: not slack.server.api.faults.rate_limits["chat.postMessage"])
            slack.server.api.faults.is_unavailable = True
            _start_and_finish_run(sandbox, "run 2", final_status="completed")
            before = len(slack.server.list_calls("chat.postMessage"))
            await wait_until(lambda: len(slack.server.list_calls("chat.postMessage")) > before)
            _start_and_finish_run(sandbox, "run 3", final_status="failed")
            slack.server.api.faults.is_unavailable = False

            for chat in chats:
                await _wait_for_notification(chat, ("run 3", "failed"))
                # All before it stands in the chat when this is answered.
                await play(chat, Turn("/whoami", ("alice",)))
        expected = [
            (f"run {number}", event)
            for number, end in enumerate(("completed", "failed", "completed", "failed"))
            for event in ("started", end)
        ]
        # The fourth event and those after it are in one message, where failures come first.
        assert {chat.platform: sorted(_find_notifications(chat)) for chat in chats} == {
            chat.platform: sorted(expected) for chat in chats
        }


@pytest.mark.parametrize("chat", ["slack", "telegram"], indirect=True)
async def test_a_run_that_started_and_failed_between_two_polls_is_one_message(
    sandbox: Sandbox, chat: Chat, tmp_path: Path
) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    settings = build_bot_settings(sandbox, tmp_path, CHATOPS_WATCH_SECONDS=0.2, **chat.build_settings(sandbox))
    async with run_bot_in_process(settings):
        await play(chat, Turn("/queue create", ("yours",)), Turn("/rerun baseline run 0", ("Pending in",)))
        _start_and_finish_run(sandbox, "run 0", final_status="failed")
        await wait_for_messages(chat, "“run 0” failed")
        await play(chat, Turn("/whoami", ("alice",)))
    (message,) = [text for text in chat.read_messages() if find_notified_events(text)]
    assert find_notified_events(message) == [("run 0", "started"), ("run 0", "failed")]


def _start_and_finish_run(sandbox: Sandbox, name: str, *, final_status: str) -> None:
    """Start and finish a run between two polls, without a request to ClearML."""
    (task,) = (task for task in sandbox.state.tasks.values() if task["name"] == name)
    # ClearML has no order for events in the same millisecond.
    now = sandbox.state.now() + timedelta(milliseconds=2 * int(name[-1]))
    times: Document = {
        "started": truncate_to_milliseconds(now - timedelta(milliseconds=20)),
        "completed": truncate_to_milliseconds(now),
        "status_changed": truncate_to_milliseconds(now),
    }
    task.update(times, status=final_status, last_worker="lab:gpu0")


async def _wait_for_notification(chat: Chat, event: tuple[str, str]) -> None:
    await wait_until(lambda: event in _find_notifications(chat))


def _find_notifications(chat: Chat) -> list[tuple[str, str]]:
    """Return the events that a chat was notified of. Cards and replies use other phrases."""
    return [event for text in chat.read_messages() for event in find_notified_events(text)]
