"""`clearml-chatops run`: the whole bot on Slack and Telegram, with their real libraries over real sockets."""

from datetime import timedelta
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from clearml_chatops.bot.frontends.slack.rate_limiter import RateLimiter
from clearml_chatops.bot.run_command import run_bot
from clearml_chatops.bot.settings import Settings
from clearml_chatops.models.errors import SettingsError
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from tests.e2e.conftest import run_bot_in_process
from tests.sandbox.support import Client
from tests.support.dialogs import ALL_DIALOGS, Turn
from tests.support.platform_chats import (
    PLATFORMS,
    SLACK_BY_HTTP,
    TELEGRAM_BY_WEBHOOK,
    Chat,
    build_bot_settings,
    play,
    wait_for_messages,
)
from tests.support.polling import wait_until
from tests.support.telegram import TelegramServer


@pytest.fixture
def _without_pacing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turn off Slack's limit of one message a second: seventy messages would take more than a minute."""
    fast_rate_limiter = partial(RateLimiter, interval=timedelta(milliseconds=1))
    monkeypatch.setattr("clearml_chatops.bot.frontends.slack.front_end.RateLimiter", fast_rate_limiter)


@pytest.mark.usefixtures("_without_pacing")
@pytest.mark.parametrize("chat", [*PLATFORMS, SLACK_BY_HTTP, TELEGRAM_BY_WEBHOOK], indirect=True)
async def test_the_same_dialogs_run_on_every_platform(sandbox: Sandbox, chat: Chat, tmp_path: Path) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    async with run_bot_in_process(build_bot_settings(sandbox, tmp_path, **chat.build_settings(sandbox))):
        await play(chat, *ALL_DIALOGS)
    clones = [task for task in sandbox.state.tasks.values() if task["name"] == "second"]
    assert [task["user"] for task in clones] == [sandbox.alice.id], "the web UI shows the right owner"


async def test_a_person_is_notified_once_of_each_status_of_their_run(
    sandbox: Sandbox, chat: Chat, tmp_path: Path
) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    settings = build_bot_settings(sandbox, tmp_path, CHATOPS_WATCH_SECONDS=0.1, **chat.build_settings(sandbox))
    async with run_bot_in_process(settings), aiohttp.ClientSession() as session:
        agent = Client(sandbox, session, sandbox.alice)
        await play(chat, Turn("/queue create", ("yours",)), Turn("/rerun baseline notified", ("Pending in",)))
        task = next(task["id"] for task in sandbox.state.tasks.values() if task["name"] == "notified")
        await agent.call_for_data("tasks.started", task=task, force=True)
        await agent.call_for_data("workers.register", worker="lab:gpu0", queues=[])
        await agent.call_for_data("workers.status_report", worker="lab:gpu0", task=task, timestamp=1)
        await wait_for_messages(chat, "” started on ")
        await agent.call_for_data("tasks.completed", task=task)
        await wait_for_messages(chat, "” completed")
    assert ["” completed" in text for text in chat.read_messages()].count(True) == 1


async def test_a_run_from_the_web_ui_is_notified_in_a_direct_message_and_can_be_unwatched(
    sandbox: Sandbox, chat: Chat, tmp_path: Path
) -> None:
    """Slack's direct messages have their own id, which is unknown before the person writes there."""
    baseline = add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    settings = build_bot_settings(sandbox, tmp_path, CHATOPS_WATCH_SECONDS=0.1, **chat.build_settings(sandbox))
    async with run_bot_in_process(settings), aiohttp.ClientSession() as session:
        agent = Client(sandbox, session, sandbox.alice)
        await wait_until(lambda: sandbox.requests.find_by_endpoint("tasks.get_all_ex"))
        await agent.call_for_data("workers.register", worker="lab:gpu0", queues=[])

        async def start_run(name: str) -> str:
            clone = await agent.call_for_data("tasks.clone", task=baseline["id"], new_task_name=name)
            task = str(clone["id"])
            await agent.call_for_data("tasks.enqueue", task=task, queue_name="default")
            await agent.call_for_data("tasks.started", task=task, force=True)
            await agent.call_for_data("workers.status_report", worker="lab:gpu0", task=task, timestamp=1)
            await wait_for_messages(chat, f"“{name}” started")
            return task

        first_task = await start_run("before she has written")
        await play(chat, Turn("/watching", ("before she",)), Turn(f"/unwatch {first_task}", ("are off here",)))
        second_task = await start_run("after that")
        await play(chat, Turn(f"/unwatch {second_task}", ("are off here",)))
        for task in (first_task, second_task):
            await agent.call_for_data("tasks.completed", task=task)
        await start_run("at last")
    assert not [text for text in chat.read_messages() if "” completed" in text]


async def test_an_unknown_user_gets_one_line_with_their_id_and_nothing_else(
    sandbox: Sandbox, chat: Chat, tmp_path: Path
) -> None:
    settings = build_bot_settings(sandbox, tmp_path, **{**chat.build_settings(sandbox), "CHATOPS_PEOPLE": []})
    async with run_bot_in_process(settings):
        await play(chat, Turn("/queue list", (chat.id.split("/")[-1],)))
    assert len(chat.read_messages()) == 1
    assert set(sandbox.requests.list_endpoints()) <= {"auth.login"}, "the bot logs in at its start"


@pytest.mark.parametrize(
    ("tokens", "setting_name"),
    [
        ({}, "TELEGRAM_BOT_TOKEN"),
        ({"SLACK_BOT_TOKEN": "xoxb-1"}, "SLACK_APP_TOKEN"),
        ({"SLACK_APP_TOKEN": "xapp-1"}, "SLACK_BOT_TOKEN"),
        ({"SLACK_SIGNING_SECRET": "shhh"}, "SLACK_BOT_TOKEN"),
        ({"TELEGRAM_BOT_TOKEN": "nonsense"}, "TELEGRAM_BOT_TOKEN"),
    ],
)
async def test_missing_tokens_are_named(
    sandbox: Sandbox, tmp_path: Path, tokens: dict[str, str], setting_name: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        await run_bot(Settings.model_validate(build_bot_settings(sandbox, tmp_path, **tokens)))
    assert caught.value.values["name"] == setting_name


async def test_one_platform_being_down_does_not_stop_the_other(
    sandbox: Sandbox, chat: Chat, tmp_path: Path
) -> None:
    async with TelegramServer() as closed_server:
        closed_url = closed_server.url
    unreachable_platform = {
        "slack": {"TELEGRAM_BOT_TOKEN": "42:AAE", "TELEGRAM_API_URL": closed_url},
        "telegram": {
            "SLACK_BOT_TOKEN": "xoxb-1",
            "SLACK_APP_TOKEN": "xapp-1",
            "SLACK_API_URL": f"{closed_url}/api/",
        },
    }[chat.platform]
    async with run_bot_in_process(
        build_bot_settings(sandbox, tmp_path, **chat.build_settings(sandbox), **unreachable_platform)
    ):
        await play(chat, Turn("/whoami", ("alice", "admin")))
