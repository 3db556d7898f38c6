"""News while ClearML is away, and platforms ask for patience, break and drop what they are sent."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.sandbox.documents import Document, stored
from tests.e2e.conftest import running
from tests.support.chats import (
    Chat,
    SlackChat,
    TelegramChat,
    bot_settings,
    chat_on,
    hear,
    play,
    settings_of_both,
)
from tests.support.dialogs import Turn
from tests.support.telegram import Fault
from tests.support.waiting import until

_NEWS = re.compile(r"“(run \d)” (has left Pending|is Completed|has Failed)")
_LOOKS_IN_VAIN = 5


async def test_all_news_come_once_and_in_order_when_clearml_and_both_platforms_have_been_in_trouble(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    async with chat_on("slack") as slack, chat_on("telegram") as telegram:
        assert isinstance(slack, SlackChat)
        assert isinstance(telegram, TelegramChat)
        chats: tuple[Chat, ...] = (slack, telegram)
        settings = bot_settings(
            sandbox, tmp_path, CHATOPS_WATCH_SECONDS=0.2, **settings_of_both(slack, telegram, sandbox)
        )
        async with running(settings):
            await play(slack, Turn("/queue create", ("yours",)))
            for number in range(4):
                await play(slack, Turn(f"/rerun baseline run {number}", ("Pending in",)))
                await play(telegram, Turn(f'/watch "run {number}"', (f"run {number}",)))

            # ClearML is away; the runs go on, as agents do.
            sandbox.faults.disconnect("*")
            _runs(sandbox, "run 0", end="completed")
            _runs(sandbox, "run 1", end="failed")
            sandbox.requests.clear()
            for chat in chats:
                await play(chat, Turn("/queue list", ("does not answer",)))
            await until(lambda: len(sandbox.requests.named("tasks.get_all_ex")) >= _LOOKS_IN_VAIN)
            assert not any(_news(chat) for chat in chats)

            # It is back, and whatever is written now meets a platform in trouble.
            slack.server.limit_rate("chat.postMessage", 1, 0, 1)
            slack.server.sockets.cut()
            telegram.server.misbehave("sendMessage", Fault.too_many_requests(retry_after=1, times=2))
            telegram.server.misbehave("sendMessage", Fault.broken(500, times=5))
            telegram.server.misbehave("sendMessage", Fault.dropped(times=3))
            telegram.server.misbehave("getUpdates", Fault.dropped(times=2))
            sandbox.faults.clear()
            await until(lambda: not slack.server.api.mood.rate_limits["chat.postMessage"])
            slack.server.api.mood.out_of_order = True
            _runs(sandbox, "run 2", end="completed")
            before = len(slack.server.called("chat.postMessage"))
            await until(lambda: len(slack.server.called("chat.postMessage")) > before)
            _runs(sandbox, "run 3", end="failed")
            slack.server.api.mood.out_of_order = False

            for chat in chats:
                await hear(chat, "“run 3” has Failed")
                # All before it stands in the chat when this is answered.
                await play(chat, Turn("/whoami", ("alice",)))
        wanted = [
            (f"run {number}", event)
            for number, end in enumerate(("is Completed", "has Failed", "is Completed", "has Failed"))
            for event in ("has left Pending", end)
        ]
        assert {chat.platform: _news(chat) for chat in chats} == {chat.platform: wanted for chat in chats}


@pytest.mark.parametrize("chat", ["slack", "telegram"], indirect=True)
async def test_a_run_that_began_and_failed_between_two_looks_is_one_message(
    sandbox: Sandbox, chat: Chat, tmp_path: Path
) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    settings = bot_settings(sandbox, tmp_path, CHATOPS_WATCH_SECONDS=0.2, **chat.settings(sandbox))
    async with running(settings):
        await play(chat, Turn("/queue create", ("yours",)), Turn("/rerun baseline run 0", ("Pending in",)))
        _runs(sandbox, "run 0", end="failed")
        await hear(chat, "“run 0” has Failed")
        await play(chat, Turn("/whoami", ("alice",)))
    (message,) = [text for text in chat.heard() if _NEWS.search(text)]
    assert _NEWS.findall(message) == [("run 0", "has left Pending"), ("run 0", "has Failed")]


def _runs(sandbox: Sandbox, name: str, *, end: str) -> None:
    """Has a run begin and end, all between two looks, without a request that ClearML would have to answer."""
    (task,) = (task for task in sandbox.state.tasks.values() if task["name"] == name)
    # What happens in one same millisecond has no order on ClearML.
    now = sandbox.state.now() + timedelta(milliseconds=2 * int(name[-1]))
    times: Document = {
        "started": stored(now - timedelta(milliseconds=20)),
        "completed": stored(now),
        "status_changed": stored(now),
    }
    task.update(times, status=end, last_worker="lab:gpu0")


def _news(chat: Chat) -> list[tuple[str, str]]:
    """What a chat has been told of runs, in order; cards and answers say it in other words."""
    return _NEWS.findall("\n".join(chat.heard()))
