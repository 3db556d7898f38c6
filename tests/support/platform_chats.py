"""A person's private chat with the running bot, the same to a test on whichever platform it is."""

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
_PUBLIC_ADDRESS = "https://bot.example.org"


class Chat(Protocol):
    """Anna's private chat with the bot, which knows her as Alice, an admin."""

    @property
    def platform(self) -> str: ...

    @property
    def id(self) -> str:
        """By which the platform knows her."""
        ...

    async def write(self, line: str) -> None: ...

    def read_messages(self) -> list[str]:
        """What the bot has said there, oldest first, as it looks now."""
        ...

    def build_settings(self, sandbox: Sandbox) -> dict[str, Any]:
        """What the bot must be told so that it is there and knows her."""
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
            # Whoever enters the address in Slack sees that the bot answers there, or does not yet.
            await wait_until(self.server.http_events.verify)
        await self.anna.send_direct_message(line)

    def read_messages(self) -> list[str]:
        return [message.visible_text for message in self.server.list_posted_messages(self.anna.direct_channel)]

    def read_ephemeral_messages(self) -> list[str]:
        """What only she sees, in whichever channel."""
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
        webhook_settings = {"TELEGRAM_WEBHOOK_URL": _PUBLIC_ADDRESS, "CHATOPS_HTTP_PORT": self.webhook_port}
        return {
            "TELEGRAM_BOT_TOKEN": self.server.token,
            "TELEGRAM_API_URL": self.server.url,
            "CHATOPS_PEOPLE": [build_alice_entry(sandbox, telegram=self.id)],
            **(webhook_settings if self.webhook_port else {}),
        }


@asynccontextmanager
async def open_chat(platform: str) -> AsyncIterator[Chat]:
    """A platform of the test's own with Anna on it. Being called by a platform counts as one of its own."""
    if platform in {"slack", SLACK_BY_HTTP}:
        async with SlackServer() as slack:
            port = unused_port() if platform == SLACK_BY_HTTP else 0
            slack.http_events.request_url = f"http://127.0.0.1:{port}/slack/events" if port else ""
            yield SlackChat(slack, slack.add_person("anna"), http_port=port)
    else:
        async with TelegramServer() as telegram:
            port = unused_port() if platform == TELEGRAM_BY_WEBHOOK else 0
            telegram.webhook.local_addresses = {_PUBLIC_ADDRESS: f"http://127.0.0.1:{port}"}
            yield TelegramChat(telegram, telegram.add_person("Anna"), webhook_port=port)


def build_settings_for_both(slack: SlackChat, telegram: TelegramChat, sandbox: Sandbox) -> dict[str, Any]:
    """What the bot must be told to be on both platforms and know that they are one person."""
    people = [build_alice_entry(sandbox, slack=slack.id, telegram=telegram.id)]
    return {**slack.build_settings(sandbox), **telegram.build_settings(sandbox), "CHATOPS_PEOPLE": people}


def build_alice_entry(sandbox: Sandbox, **identities: str) -> dict[str, str]:
    """The entry of `CHATOPS_PEOPLE` that makes somebody Alice."""
    return {"name": "alice", "role": "admin", "clearml_user": sandbox.alice.id, **identities}


def build_bot_settings(sandbox: Sandbox, data_folder: Path, **overrides: Any) -> dict[str, Any]:
    """The bot with Carol's key, so that it acts for its people; its watcher looks often only where asked to."""
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
    """Writes line after line; each is answered by something new that shows its parts.

    Notifications may come in between: what is looked at is all that was said since the line.
    """
    for turn in turns:
        message_count = len(chat.read_messages())
        await chat.write(turn.line)
        await wait_for_messages(chat, *turn.expected_parts, skip=message_count)


async def wait_for_messages(chat: Chat, *parts: str, skip: int = 0) -> None:
    """Waits until the bot has said all these parts, in whichever of its messages from `after` on."""

    def join_messages() -> str:
        return "\n".join(chat.read_messages()[skip:])

    try:
        await wait_until(lambda: join_messages() and all(part in join_messages() for part in parts))
    except TimeoutError:
        missing = [part for part in parts if part not in join_messages()]
        message = f"{missing} not in: {join_messages()}"
        raise AssertionError(message) from None
