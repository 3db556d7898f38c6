"""A bot on a Telegram of the test's own, and a person who has opened a chat with it."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from aiohttp.test_utils import unused_port

from clearml_chatops.bot.frontends.telegram import TelegramFrontEnd
from clearml_chatops.bot.web_server import serving
from clearml_chatops.models.actions import Action
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Button, Buttons, Reply
from tests.frontends.conftest import FakeBot, small_registry
from tests.support.telegram import Person, TelegramServer


@dataclass
class MemoryActions:
    """What buttons do, until a test has them expire. `token_of` gives the same token again for an action."""

    actions: dict[str, Action] = field(default_factory=dict)
    token_of: dict[Action, str] = field(default_factory=dict)
    questions: dict[tuple[str, str], str] = field(default_factory=dict)

    async def remember(self, action: Action) -> str:
        token = self.token_of.get(action) or secrets.token_urlsafe(24)
        self.actions[token] = action
        return token

    async def recall(self, token: str) -> Action | None:
        return self.actions.get(token)

    async def remember_question(self, conversation: Conversation, message_id: str, token: str) -> None:
        self.questions[conversation.id, message_id] = token

    async def asked_by(self, conversation: Conversation, message_id: str) -> Action | None:
        return self.actions.get(self.questions.get((conversation.id, message_id), ""))


@dataclass
class MemoryCards:
    experiments: dict[tuple[str, str], str] = field(default_factory=dict)
    live: set[str] = field(default_factory=set)

    async def remember(
        self, conversation: Conversation, message_id: str, experiment_id: str, *, is_card: bool
    ) -> None:
        self.experiments[conversation.id, message_id] = experiment_id
        if is_card:
            self.live.add(message_id)

    async def experiment_of(self, conversation: Conversation, message_id: str) -> str:
        return self.experiments.get((conversation.id, message_id), "")


@dataclass
class MemoryPlaces:
    moves: list[tuple[str, str]] = field(default_factory=list)

    async def moved(self, old: Conversation, new: Conversation) -> None:
        self.moves.append((old.id, new.id))


PUBLIC_ADDRESS = "https://bot.example.org/lab"

CARD = Reply.of("baseline", Buttons((Button("Log", "/log e1"), Button("Abort", "/abort e1"))), about="e1")

BOTH_WAYS = pytest.mark.parametrize("webhook_url", ["", PUBLIC_ADDRESS], ids=["polling", "webhook"])
"""The two ways in which Telegram gives its updates."""


@asynccontextmanager
async def reachable(front_end: TelegramFrontEnd, telegram: TelegramServer) -> AsyncIterator[None]:
    """The front end's routes are served inside, and the bot's public address leads to them."""
    port = unused_port()
    telegram.webhook.leads_to = {PUBLIC_ADDRESS: f"http://127.0.0.1:{port}"}
    async with serving(front_end.routes, host="127.0.0.1", port=port):
        yield


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as server:
        yield server


@pytest.fixture
def anna(telegram: TelegramServer) -> Person:
    return telegram.person("Anna", "Berg")


@pytest.fixture
def actions() -> MemoryActions:
    return MemoryActions()


@pytest.fixture
def cards() -> MemoryCards:
    return MemoryCards()


@pytest.fixture
def places() -> MemoryPlaces:
    return MemoryPlaces()


@pytest.fixture
def admins() -> list[str]:
    """The Telegram ids of the admins."""
    return []


@pytest.fixture
def webhook_url() -> str:
    """Where the bot is brought its updates; empty where it polls, as most tests have it."""
    return ""


@pytest.fixture
def quiet_front_end(
    telegram: TelegramServer,
    bot: FakeBot,
    actions: MemoryActions,
    cards: MemoryCards,
    places: MemoryPlaces,
    admins: list[str],
    webhook_url: str,
) -> TelegramFrontEnd:
    """A front end that is not started yet. It says “typing…” at once."""

    async def known_admins() -> Sequence[str]:
        return admins

    return TelegramFrontEnd(
        handle=bot.handle,
        registry=small_registry(),
        actions=actions,
        cards=cards,
        places=places,
        admins=known_admins,
        token=telegram.token,
        api_url=telegram.url,
        webhook_url=webhook_url,
        patience=timedelta(0),
    )


@pytest.fixture
async def telegram_front_end(
    quiet_front_end: TelegramFrontEnd, telegram: TelegramServer
) -> AsyncIterator[TelegramFrontEnd]:
    async with reachable(quiet_front_end, telegram):
        await quiet_front_end.start()
        yield quiet_front_end
        await quiet_front_end.stop()
