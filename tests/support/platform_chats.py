"""A person's private chat with the running bot, with the same interface for each platform."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from aiohttp.test_utils import unused_port

from clearml_chatops.sandbox import Sandbox
from tests.support.dialogs import Turn
from tests.support.polling import wait_until
from tests.support.slack import Person as SlackPerson
from tests.support.slack import SlackServer
from tests.support.slack.http_events import SIGNING_SECRET
from tests.support.slack.server import APP_TOKEN, BOT_TOKEN
from tests.support.slack.workspace import TEAM
from tests.support.telegram import Person as TelegramPerson
from tests.support.telegram import TelegramServer

PLATFORMS = ("slack", "telegram")
SLACK_BY_HTTP = "slack by http"
TELEGRAM_BY_WEBHOOK = "telegram by webhook"
_PUBLIC_URL = "https://bot.example.org"


class Chat(Protocol):
    """Anna's private chat with the bot, which knows Anna as Alice, an admin."""

    @property
    def platform(self) -> str: ...

    @property
    def id(self) -> str:
        """Anna's id on the platform."""
        ...

    async def write(self, line: str) -> None: ...

    def read_messages(self) -> list[str]:
        """Return the current texts of the bot's messages, oldest first."""
        ...

    def build_settings(self, sandbox: Sandbox) -> dict[str, Any]:
        """Return the bot's settings for this platform and for Anna."""
        ...


@dataclass(frozen=True)
class SlackChat:
    server: SlackServer
    anna: SlackPerson
    platform: str = "slack"
    http_port: int = 0

    @property
    def id(self) -> str:
        return f"{TEAM}/{self.anna.id}"

    async def write(self, line: str) -> None:
        if self.http_port:
            # Wait until the bot's web server is up, as Slack checks when the request URL is entered.
            await wait_until(self.server.http_events.verify)
        await self.anna.send_direct_message(line)

    def add_people(self, count: int) -> tuple[list[SlackPerson], list[dict[str, str]]]:
        """Add people to the workspace. Return them, and their entries of `CHATOPS_PEOPLE`."""
        people = [self.server.add_person(f"person{number}") for number in range(count)]
        return people, [{"name": item.name, "role": "viewer", "slack": f"{TEAM}/{item.id}"} for item in people]

    def read_messages(self) -> list[str]:
        return [message.visible_text for message in self.server.list_posted_messages(self.anna.direct_channel)]

    def read_ephemeral_messages(self) -> list[str]:
        """Return the ephemeral messages for Anna, of all channels."""
        return [message.visible_text for message in self.server.list_ephemeral_messages(self.anna)]

    def build_settings(self, sandbox: Sandbox) -> dict[str, Any]:
        http_settings = {"SLACK_SIGNING_SECRET": SIGNING_SECRET, "CHATOPS_HTTP_PORT": self.http_port}
        return {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_API_URL": self.server.api_url,
            "CHATOPS_PEOPLE": [build_alice_entry(sandbox, slack=self.id)],
            **(http_settings if self.http_port else {"SLACK_APP_TOKEN": APP_TOKEN}),
        }


@dataclass(frozen=True)
class TelegramChat:
    server: TelegramServer
    anna: TelegramPerson
    platform: str = "telegram"
    webhook_port: int = 0

    @property
    def id(self) -> str:
        return str(self.anna.id)

    async def write(self, line: str) -> None:
        await self.anna.send(line)

    def read_messages(self) -> list[str]:
        return self.anna.chat.texts

    def build_settings(self, sandbox: Sandbox) -> dict[str, Any]:
        webhook_settings = {"TELEGRAM_WEBHOOK_URL": _PUBLIC_URL, "CHATOPS_HTTP_PORT": self.webhook_port}
        return {
            "TELEGRAM_BOT_TOKEN": self.server.token,
            "TELEGRAM_API_URL": self.server.url,
            "CHATOPS_PEOPLE": [build_alice_entry(sandbox, telegram=self.id)],
            **(webhook_settings if self.webhook_port else {}),
        }


@asynccontextmanager
async def open_chat(platform: str) -> AsyncIterator[Chat]:
    """Open a fake platform with Anna on it. HTTP and webhook mode count as platforms of their own."""
    if platform in {"slack", SLACK_BY_HTTP}:
        async with SlackServer() as slack:
            port = unused_port() if platform == SLACK_BY_HTTP else 0
            slack.http_events.request_url = f"http://127.0.0.1:{port}/slack/events" if port else ""
            yield SlackChat(slack, slack.add_person("anna"), http_port=port)
    else:
        async with TelegramServer() as telegram:
            port = unused_port() if platform == TELEGRAM_BY_WEBHOOK else 0
            telegram.webhook.local_addresses = {_PUBLIC_URL: f"http://127.0.0.1:{port}"}
            yield TelegramChat(telegram, telegram.add_person("Anna"), webhook_port=port)


def build_settings_for_both(slack: SlackChat, telegram: TelegramChat, sandbox: Sandbox) -> dict[str, Any]:
    """Return the bot's settings for both platforms, with Anna as the same person on both."""
    people = [build_alice_entry(sandbox, slack=slack.id, telegram=telegram.id)]
    return {**slack.build_settings(sandbox), **telegram.build_settings(sandbox), "CHATOPS_PEOPLE": people}


def build_alice_entry(sandbox: Sandbox, **identities: str) -> dict[str, str]:
    """Return the entry of `CHATOPS_PEOPLE` that makes these identities Alice."""
    return {"name": "alice", "role": "admin", "clearml_user": sandbox.alice.id, **identities}


def build_bot_settings(sandbox: Sandbox, data_folder: Path, **overrides: Any) -> dict[str, Any]:
    """Return settings with Carol's admin key, which lets the bot act for people, and with a slow watcher."""
    return {
        "CLEARML_API_HOST": sandbox.url,
        "CLEARML_WEB_HOST": sandbox.url,
        "CLEARML_API_ACCESS_KEY": sandbox.carol.access_key,
        "CLEARML_API_SECRET_KEY": sandbox.carol.secret_key,
        "CHATOPS_DATA": str(data_folder),
        "CHATOPS_HOST": "lab",
        "CHATOPS_WATCH_SECONDS": 3600,
        **overrides,
    }


async def play(chat: Chat, *turns: Turn) -> None:
    """Send line after line, and wait until new messages contain the expected parts of each.

    Notifications may arrive in between, so all messages since the line are searched.
    """
    for turn in turns:
        message_count = len(chat.read_messages())
        await chat.write(turn.line)
        await wait_for_messages(chat, *turn.expected_parts, skip=message_count)


async def wait_for_messages(chat: Chat, *parts: str, skip: int = 0) -> None:
    """Wait until the bot's messages, without the first `skip` ones, contain all these parts."""

    def join_messages() -> str:
        return "\n".join(chat.read_messages()[skip:])

    try:
        await wait_until(lambda: join_messages() and all(part in join_messages() for part in parts))
    except TimeoutError:
        missing = [part for part in parts if part not in join_messages()]
        message = f"{missing} not in: {join_messages()}"
        raise AssertionError(message) from None
