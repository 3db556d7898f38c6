"""A person's private chat with the running bot, the same to a test on whichever platform it is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from aiohttp.test_utils import unused_port

from clearml_chatops.sandbox import Sandbox
from tests.support.dialogs import Turn
from tests.support.slack import Person as SlackPerson
from tests.support.slack import SlackServer
from tests.support.slack.http_events import SIGNING_SECRET
from tests.support.slack.server import APP_TOKEN, BOT_TOKEN
from tests.support.slack.workspace import TEAM
from tests.support.telegram import Person as TelegramPerson
from tests.support.telegram import TelegramServer
from tests.support.waiting import until

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

    def heard(self) -> list[str]:
        """What the bot has said there, oldest first, as it looks now."""
        ...

    def settings(self, sandbox: Sandbox) -> dict[str, Any]:
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
            await until(self.server.http_events.verify)
        await self.anna.direct_message(line)

    def heard(self) -> list[str]:
        return [message.shown for message in self.server.posted(self.anna.direct_channel)]

    def whispers(self) -> list[str]:
        """What only she sees, in whichever channel."""
        return [message.shown for message in self.server.whispered(self.anna)]

    def settings(self, sandbox: Sandbox) -> dict[str, Any]:
        by_http = {"SLACK_SIGNING_SECRET": SIGNING_SECRET, "CHATOPS_HTTP_PORT": self.http_port}
        return {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_API_URL": self.server.api_url,
            "CHATOPS_PEOPLE": [alice(sandbox, slack=self.id)],
            **(by_http if self.http_port else {"SLACK_APP_TOKEN": APP_TOKEN}),
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
        await self.anna.say(line)

    def heard(self) -> list[str]:
        return self.anna.chat.texts

    def settings(self, sandbox: Sandbox) -> dict[str, Any]:
        by_webhook = {"TELEGRAM_WEBHOOK_URL": _PUBLIC_ADDRESS, "CHATOPS_HTTP_PORT": self.webhook_port}
        return {
            "TELEGRAM_BOT_TOKEN": self.server.token,
            "TELEGRAM_API_URL": self.server.url,
            "CHATOPS_PEOPLE": [alice(sandbox, telegram=self.id)],
            **(by_webhook if self.webhook_port else {}),
        }


@asynccontextmanager
async def chat_on(platform: str) -> AsyncIterator[Chat]:
    """A platform of the test's own with Anna on it. Being called by a platform counts as one of its own."""
    if platform in {"slack", SLACK_BY_HTTP}:
        async with SlackServer() as slack:
            port = unused_port() if platform == SLACK_BY_HTTP else 0
            slack.http_events.address = f"http://127.0.0.1:{port}/slack/events" if port else ""
            yield SlackChat(slack, slack.person("anna"), http_port=port)
    else:
        async with TelegramServer() as telegram:
            port = unused_port() if platform == TELEGRAM_BY_WEBHOOK else 0
            telegram.webhook.leads_to = {_PUBLIC_ADDRESS: f"http://127.0.0.1:{port}"}
            yield TelegramChat(telegram, telegram.person("Anna"), webhook_port=port)


def settings_of_both(slack: SlackChat, telegram: TelegramChat, sandbox: Sandbox) -> dict[str, Any]:
    """What the bot must be told to be on both platforms and know that they are one person."""
    people = [alice(sandbox, slack=slack.id, telegram=telegram.id)]
    return {**slack.settings(sandbox), **telegram.settings(sandbox), "CHATOPS_PEOPLE": people}


def alice(sandbox: Sandbox, **identities: str) -> dict[str, str]:
    """The entry of `CHATOPS_PEOPLE` that makes somebody Alice."""
    return {"name": "alice", "role": "admin", "clearml_user": sandbox.alice.id, **identities}


def bot_settings(sandbox: Sandbox, data: Path, **more: Any) -> dict[str, Any]:
    """The bot with Carol's key, so that it acts for its people; its watcher looks often only where asked to."""
    return {
        "CLEARML_API_HOST": sandbox.url,
        "CLEARML_WEB_HOST": sandbox.url,
        "CLEARML_API_ACCESS_KEY": sandbox.carol.access_key,
        "CLEARML_API_SECRET_KEY": sandbox.carol.secret_key,
        "CHATOPS_DATA": str(data),
        "CHATOPS_HOST": "lab",
        "CHATOPS_WATCH_SECONDS": 3600,
        **more,
    }


async def play(chat: Chat, *turns: Turn) -> None:
    """Writes line after line; each is answered by something new that shows its parts.

    Notifications may come in between: what is looked at is all that was said since the line.
    """
    for turn in turns:
        before = len(chat.heard())
        await chat.write(turn.line)
        await hear(chat, *turn.shows, after=before)


async def hear(chat: Chat, *parts: str, after: int = 0) -> None:
    """Waits until the bot has said all these parts, in whichever of its messages from `after` on."""

    def said() -> str:
        return "\n".join(chat.heard()[after:])

    try:
        await until(lambda: said() and all(part in said() for part in parts))
    except TimeoutError:
        missing = [part for part in parts if part not in said()]
        message = f"{missing} not in: {said()}"
        raise AssertionError(message) from None
