"""A Telegram front end on a fake Telegram server, and a person who has opened a chat with it."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from aiohttp.test_utils import unused_port

from clearml_chatops.bot.frontends.telegram import TelegramFrontEnd
from clearml_chatops.bot.web_server import run_web_server
from clearml_chatops.models.actions import Action
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Button, Buttons, Reply
from tests.frontends.conftest import FakeBot, MemoryRequests, build_small_registry
from tests.support.telegram import Person, TelegramServer


@dataclass
class MemoryActions:
    """Actions in memory. `fixed_tokens` gives an action the same token again."""

    actions: dict[str, Action] = field(default_factory=dict)
    fixed_tokens: dict[Action, str] = field(default_factory=dict)
    questions: dict[tuple[str, str], str] = field(default_factory=dict)

    async def create_token(self, action: Action) -> str:
        token = self.fixed_tokens.get(action) or secrets.token_urlsafe(24)
        self.actions[token] = action
        return token

    async def find_action(self, token: str) -> Action | None:
        return self.actions.get(token)

    async def record_question(self, conversation: Conversation, message_id: str, token: str) -> None:
        self.questions[conversation.id, message_id] = token

    async def find_action_by_question(self, conversation: Conversation, message_id: str) -> Action | None:
        return self.actions.get(self.questions.get((conversation.id, message_id), ""))


@dataclass
class MemoryCards:
    experiments: dict[tuple[str, str], str] = field(default_factory=dict)
    card_ids: set[str] = field(default_factory=set)

    async def record_message(
        self, conversation: Conversation, message_id: str, experiment_id: str, *, is_card: bool
    ) -> None:
        self.experiments[conversation.id, message_id] = experiment_id
        if is_card:
            self.card_ids.add(message_id)

    async def find_experiment_id(self, conversation: Conversation, message_id: str) -> str:
        return self.experiments.get((conversation.id, message_id), "")


@dataclass
class MemoryConversations:
    moves: list[tuple[str, str]] = field(default_factory=list)

    async def move(self, old: Conversation, new: Conversation) -> None:
        self.moves.append((old.id, new.id))


PUBLIC_ADDRESS = "https://bot.example.org/lab"

CARD = Reply.of("baseline", Buttons((Button("Log", "/log e1"), Button("Abort", "/abort e1"))), experiment_id="e1")

BOTH_TRANSPORTS = pytest.mark.parametrize("webhook_url", ["", PUBLIC_ADDRESS], ids=["polling", "webhook"])
"""The two ways to get updates from Telegram."""


@asynccontextmanager
async def serve_front_end(front_end: TelegramFrontEnd, telegram: TelegramServer) -> AsyncIterator[None]:
    """Serve the front end's routes inside the block, at the bot's public address."""
    port = unused_port()
    telegram.webhook.local_addresses = {PUBLIC_ADDRESS: f"http://127.0.0.1:{port}"}
    async with run_web_server(front_end.routes, host="127.0.0.1", port=port):
        yield


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as server:
        yield server


@pytest.fixture
def anna(telegram: TelegramServer) -> Person:
    return telegram.add_person("Anna", "Berg")


@pytest.fixture
def actions() -> MemoryActions:
    return MemoryActions()


@pytest.fixture
def cards() -> MemoryCards:
    return MemoryCards()


@pytest.fixture
def conversations() -> MemoryConversations:
    return MemoryConversations()


@pytest.fixture
def admin_ids() -> list[str]:
    """The Telegram ids of the admins."""
    return []


@pytest.fixture
def webhook_url() -> str:
    """The bot's public address; empty for polling, which most tests use."""
    return ""


@pytest.fixture
def unstarted_front_end(
    telegram: TelegramServer,
    bot: FakeBot,
    actions: MemoryActions,
    cards: MemoryCards,
    conversations: MemoryConversations,
    admin_ids: list[str],
    webhook_url: str,
) -> TelegramFrontEnd:
    """A front end that is not started yet. It shows “typing…” at once."""

    async def list_admin_ids() -> Sequence[str]:
        return admin_ids

    return TelegramFrontEnd(
        handle=bot.handle,
        registry=build_small_registry(),
        actions=actions,
        requests=MemoryRequests(),
        cards=cards,
        conversations=conversations,
        list_admin_ids=list_admin_ids,
        token=telegram.token,
        api_url=telegram.url,
        webhook_url=webhook_url,
        typing_delay=timedelta(0),
    )


@pytest.fixture
async def telegram_front_end(
    unstarted_front_end: TelegramFrontEnd, telegram: TelegramServer
) -> AsyncIterator[TelegramFrontEnd]:
    async with serve_front_end(unstarted_front_end, telegram):
        await unstarted_front_end.start()
        yield unstarted_front_end
        await unstarted_front_end.stop()
