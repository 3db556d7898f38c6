"""`clearml-chatops run`: the assembled bot on Slack and Telegram, with their real libraries over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from clearml_chatops.bot.run_command import run_bot
from clearml_chatops.bot.settings import Settings
from clearml_chatops.models.errors import SettingsError
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from tests.sandbox.support import Client
from tests.support.dialogs import DRAFTING, QUEUEING, Answer, verify_dialog
from tests.support.ports import free_port
from tests.support.slack import Person as SlackPerson
from tests.support.slack import SlackServer
from tests.support.slack.http_events import SIGNING_SECRET
from tests.support.slack.server import APP_TOKEN, BOT_TOKEN
from tests.support.slack.workspace import TEAM
from tests.support.telegram import Person as TelegramPerson
from tests.support.telegram import TelegramServer
from tests.support.waiting import until


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as server:
        yield server


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with SlackServer() as server:
        yield server


def settings_for(sandbox: Sandbox, data: Path, **more: object) -> Settings:
    """The bot with Carol's key, so that it acts for its people; its watcher looks often only where asked to."""
    return Settings.model_validate(
        {
            "CLEARML_API_HOST": sandbox.url,
            "CLEARML_API_ACCESS_KEY": sandbox.carol.access_key,
            "CLEARML_API_SECRET_KEY": sandbox.carol.secret_key,
            "CHATOPS_DATA": data,
            "CHATOPS_HOST": "lab",
            "CHATOPS_WATCH_SECONDS": 3600,
            **more,
        }
    )


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[None]:
    stop = asyncio.Event()
    bot = asyncio.create_task(run_bot(settings, stop=stop))
    try:
        yield
    finally:
        stop.set()
        await bot


def person_named(sandbox: Sandbox, **identities: str) -> dict[str, str]:
    return {"name": "alice", "role": "admin", "clearml_user": sandbox.alice.id, **identities}


def telegram_settings(
    sandbox: Sandbox, telegram: TelegramServer, person: TelegramPerson, data: Path, **more: object
) -> Settings:
    """The bot on Telegram, where it knows this person as Alice."""
    return settings_for(
        sandbox,
        data,
        TELEGRAM_BOT_TOKEN=telegram.token,
        TELEGRAM_API_URL=telegram.url,
        CHATOPS_PEOPLE=[person_named(sandbox, telegram=str(person.id))],
        **more,
    )


async def test_the_main_job_is_done_from_telegram(
    sandbox: Sandbox, telegram: TelegramServer, tmp_path: Path
) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    anna = telegram.person("Anna")
    settings = telegram_settings(sandbox, telegram, anna, tmp_path)

    async def say(line: str) -> Answer:
        return Answer(await _said_on_telegram(telegram, anna, line))

    async with running(settings):
        await verify_dialog(say, (*DRAFTING, *QUEUEING))
    clones = [task for task in sandbox.state.tasks.values() if task["name"] == "second"]
    assert [task["user"] for task in clones] == [sandbox.alice.id], "the web UI shows the right owner"


async def test_the_main_job_is_done_from_slack(sandbox: Sandbox, slack: SlackServer, tmp_path: Path) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    anna = slack.person("anna")
    settings = settings_for(
        sandbox,
        tmp_path,
        SLACK_BOT_TOKEN=BOT_TOKEN,
        SLACK_APP_TOKEN=APP_TOKEN,
        SLACK_API_URL=slack.api_url,
        CHATOPS_PEOPLE=[person_named(sandbox, slack=f"{TEAM}/{anna.id}")],
    )

    async def say(line: str) -> Answer:
        return Answer(await _said_on_slack(slack, anna, line))

    async with running(settings):
        await slack.sockets.wait_for_connection()
        await verify_dialog(say, (*DRAFTING, *QUEUEING))


async def test_slack_calls_the_bot_where_there_is_a_signing_secret(
    sandbox: Sandbox, slack: SlackServer, tmp_path: Path
) -> None:
    anna, port = slack.person("anna"), free_port()
    settings = settings_for(
        sandbox,
        tmp_path,
        SLACK_BOT_TOKEN=BOT_TOKEN,
        SLACK_SIGNING_SECRET=SIGNING_SECRET,
        SLACK_API_URL=slack.api_url,
        CHATOPS_HTTP_PORT=port,
        CHATOPS_PEOPLE=[person_named(sandbox, slack=f"{TEAM}/{anna.id}")],
    )
    slack.http_events.address = f"http://127.0.0.1:{port}/slack/events"
    async with running(settings):
        await until(slack.http_events.verify)
        assert "default" in await _said_on_slack(slack, anna, "/queue list")
    assert slack.called("apps.connections.open") == []


async def test_a_person_is_told_on_telegram_how_his_run_goes(
    sandbox: Sandbox, telegram: TelegramServer, tmp_path: Path
) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    anna = telegram.person("Anna")
    settings = telegram_settings(sandbox, telegram, anna, tmp_path, CHATOPS_WATCH_SECONDS=0.1)
    async with running(settings), aiohttp.ClientSession() as session:
        agent = Client(sandbox, session, sandbox.alice)
        await _said_on_telegram(telegram, anna, "/queue create")
        await _said_on_telegram(telegram, anna, "/rerun baseline told of")
        task = next(task["id"] for task in sandbox.state.tasks.values() if task["name"] == "told of")
        await agent.data("tasks.started", task=task, force=True)
        await agent.data("workers.register", worker="lab:gpu0", queues=[])
        await agent.data("workers.status_report", worker="lab:gpu0", task=task, timestamp=1)
        await telegram.until(lambda: any("has left Pending" in text for text in anna.chat.texts))
        await agent.data("tasks.completed", task=task)
        await telegram.until(lambda: any("is Completed" in text for text in anna.chat.texts))
    assert sum("is Completed" in text for text in anna.chat.texts) == 1


async def test_a_stranger_gets_one_line_with_his_id_and_nothing_else(
    sandbox: Sandbox, telegram: TelegramServer, tmp_path: Path
) -> None:
    stranger = telegram.person("Eve")
    settings = settings_for(sandbox, tmp_path, TELEGRAM_BOT_TOKEN=telegram.token, TELEGRAM_API_URL=telegram.url)
    async with running(settings):
        assert f"telegram:{stranger.id}" in await _said_on_telegram(telegram, stranger, "/queue list")
    assert sandbox.requests.names() == []


@pytest.mark.parametrize(
    ("tokens", "named"),
    [
        ({}, "TELEGRAM_BOT_TOKEN"),
        ({"SLACK_BOT_TOKEN": "xoxb-1"}, "SLACK_APP_TOKEN"),
        ({"SLACK_APP_TOKEN": "xapp-1"}, "SLACK_BOT_TOKEN"),
        ({"TELEGRAM_BOT_TOKEN": "nonsense"}, "TELEGRAM_BOT_TOKEN"),
    ],
)
async def test_missing_tokens_are_named(
    sandbox: Sandbox, tmp_path: Path, tokens: dict[str, str], named: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        await run_bot(settings_for(sandbox, tmp_path, **tokens))
    assert caught.value.values["name"] == named


async def _said_on_telegram(telegram: TelegramServer, person: TelegramPerson, line: str) -> str:
    """The answer to a line in the private chat with the bot."""
    before = len(person.chat.answers)
    await person.say(line)
    await telegram.until(lambda: len(person.chat.answers) > before)
    return "\n".join(answer.text for answer in person.chat.answers[before:])


async def _said_on_slack(slack: SlackServer, person: SlackPerson, line: str) -> str:
    """The answer to a direct message, without the "working…" that may stand in its place before."""
    before = len(slack.posted(person.direct_channel))
    await person.direct_message(line)

    def answers() -> list[str]:
        return [message.shown for message in slack.posted(person.direct_channel)[before:]]

    await until(lambda: answers() and "working" not in answers()[-1].lower()[:10])
    return "\n".join(answers())
