"""`clearml-chatops run`: the assembled bot on Slack and Telegram, with their real libraries over real sockets."""

from datetime import timedelta
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from clearml_chatops.bot.frontends.slack.pacing import Pace
from clearml_chatops.bot.run_command import run_bot
from clearml_chatops.bot.settings import Settings
from clearml_chatops.models.errors import SettingsError
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from tests.e2e.conftest import running
from tests.sandbox.support import Client
from tests.support.chats import PLATFORMS, SLACK_BY_HTTP, TELEGRAM_BY_WEBHOOK, Chat, bot_settings, hear, play
from tests.support.dialogs import ALL, Turn
from tests.support.telegram import TelegramServer
from tests.support.waiting import until


@pytest.fixture
def _unpaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slack's message a second has tests of its own; seventy of them would take more than a minute."""
    quick = partial(Pace, interval=timedelta(milliseconds=1))
    monkeypatch.setattr("clearml_chatops.bot.frontends.slack.front_end.Pace", quick)


@pytest.mark.usefixtures("_unpaced")
@pytest.mark.parametrize("chat", [*PLATFORMS, SLACK_BY_HTTP, TELEGRAM_BY_WEBHOOK], indirect=True)
async def test_the_same_dialogs_run_on_every_platform(sandbox: Sandbox, chat: Chat, tmp_path: Path) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    async with running(bot_settings(sandbox, tmp_path, **chat.settings(sandbox))):
        await play(chat, *ALL)
    clones = [task for task in sandbox.state.tasks.values() if task["name"] == "second"]
    assert [task["user"] for task in clones] == [sandbox.alice.id], "the web UI shows the right owner"


async def test_a_person_is_told_once_how_his_run_goes(sandbox: Sandbox, chat: Chat, tmp_path: Path) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    settings = bot_settings(sandbox, tmp_path, CHATOPS_WATCH_SECONDS=0.1, **chat.settings(sandbox))
    async with running(settings), aiohttp.ClientSession() as session:
        agent = Client(sandbox, session, sandbox.alice)
        await play(chat, Turn("/queue create", ("yours",)), Turn("/rerun baseline told of", ("Pending in",)))
        task = next(task["id"] for task in sandbox.state.tasks.values() if task["name"] == "told of")
        await agent.data("tasks.started", task=task, force=True)
        await agent.data("workers.register", worker="lab:gpu0", queues=[])
        await agent.data("workers.status_report", worker="lab:gpu0", task=task, timestamp=1)
        await hear(chat, "has left Pending")
        await agent.data("tasks.completed", task=task)
        await hear(chat, "is Completed")
    assert ["is Completed" in text for text in chat.heard()].count(True) == 1


async def test_what_a_person_enqueues_in_the_web_ui_is_told_in_private_and_can_be_declined(
    sandbox: Sandbox, chat: Chat, tmp_path: Path
) -> None:
    """Slack's direct messages have an id of their own, which is not known before she has written there."""
    baseline = add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    settings = bot_settings(sandbox, tmp_path, CHATOPS_WATCH_SECONDS=0.1, **chat.settings(sandbox))
    async with running(settings), aiohttp.ClientSession() as session:
        agent = Client(sandbox, session, sandbox.alice)
        await until(lambda: sandbox.requests.named("tasks.get_all_ex"))
        await agent.data("workers.register", worker="lab:gpu0", queues=[])

        async def run(name: str) -> str:
            clone = await agent.data("tasks.clone", task=baseline["id"], new_task_name=name)
            task = str(clone["id"])
            await agent.data("tasks.enqueue", task=task, queue_name="default")
            await agent.data("tasks.started", task=task, force=True)
            await agent.data("workers.status_report", worker="lab:gpu0", task=task, timestamp=1)
            await hear(chat, f"“{name}” has left Pending")
            return task

        before = await run("before she has written")
        await play(chat, Turn("/watching", ("before she",)), Turn(f"/unwatch {before}", ("no longer watched",)))
        after = await run("after that")
        await play(chat, Turn(f"/unwatch {after}", ("no longer watched",)))
        for task in (before, after):
            await agent.data("tasks.completed", task=task)
        await run("at last")
    assert not [text for text in chat.heard() if "is Completed" in text]


async def test_a_stranger_gets_one_line_with_his_id_and_nothing_else(
    sandbox: Sandbox, chat: Chat, tmp_path: Path
) -> None:
    settings = bot_settings(sandbox, tmp_path, **{**chat.settings(sandbox), "CHATOPS_PEOPLE": []})
    async with running(settings):
        await play(chat, Turn("/queue list", (chat.id.split("/")[-1],)))
    assert len(chat.heard()) == 1
    assert sandbox.requests.names() == []


@pytest.mark.parametrize(
    ("tokens", "named"),
    [
        ({}, "TELEGRAM_BOT_TOKEN"),
        ({"SLACK_BOT_TOKEN": "xoxb-1"}, "SLACK_APP_TOKEN"),
        ({"SLACK_APP_TOKEN": "xapp-1"}, "SLACK_BOT_TOKEN"),
        ({"SLACK_SIGNING_SECRET": "shhh"}, "SLACK_BOT_TOKEN"),
        ({"TELEGRAM_BOT_TOKEN": "nonsense"}, "TELEGRAM_BOT_TOKEN"),
    ],
)
async def test_missing_tokens_are_named(
    sandbox: Sandbox, tmp_path: Path, tokens: dict[str, str], named: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        await run_bot(Settings.model_validate(bot_settings(sandbox, tmp_path, **tokens)))
    assert caught.value.values["name"] == named


async def test_one_platform_being_down_does_not_stop_the_other(
    sandbox: Sandbox, chat: Chat, tmp_path: Path
) -> None:
    async with TelegramServer() as gone:
        nowhere = gone.url
    elsewhere = {
        "slack": {"TELEGRAM_BOT_TOKEN": "42:AAE", "TELEGRAM_API_URL": nowhere},
        "telegram": {
            "SLACK_BOT_TOKEN": "xoxb-1",
            "SLACK_APP_TOKEN": "xapp-1",
            "SLACK_API_URL": f"{nowhere}/api/",
        },
    }[chat.platform]
    async with running(bot_settings(sandbox, tmp_path, **chat.settings(sandbox), **elsewhere)):
        await play(chat, Turn("/whoami", ("alice", "admin")))
