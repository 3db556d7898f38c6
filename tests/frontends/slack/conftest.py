"""Fixtures: a fake Slack workspace, the front end connected to it, and a bot that answers from a table."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from aiohttp.test_utils import unused_port
from yarl import URL

from clearml_chatops.bot.frontends.front_end import Cards
from clearml_chatops.bot.frontends.slack import SlackCredentials, SlackFrontEnd, Timing
from clearml_chatops.bot.frontends.slack.http_receiver import REQUEST_PATH
from clearml_chatops.bot.frontends.slack.rendering import TYPING_INDICATOR_TEXT
from clearml_chatops.bot.web_server import run_web_server
from clearml_chatops.handlers.arguments import ExperimentReference, ParameterValues, ParameterWords
from clearml_chatops.handlers.registry import CommandFamily, Registry
from clearml_chatops.models.actions import Action
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.replies import Reply
from tests.frontends.conftest import FakeBot, MemoryRequests, build_small_registry
from tests.support.polling import wait_until
from tests.support.slack import Message, Modal, Person, SlackServer
from tests.support.slack.http_events import SIGNING_SECRET
from tests.support.slack.server import APP_TOKEN, BOT_TOKEN

TEST_TIMING = Timing(
    typing_indicator_delay=timedelta(seconds=30),
    heartbeat=timedelta(seconds=0.2),
    shutdown_timeout=timedelta(seconds=5),
    suggestion_timeout=timedelta(seconds=30),
    submission_timeout=timedelta(seconds=30),
    acknowledgement_delay=timedelta(seconds=0.1),
)
"""No typing indicator or late acknowledgement unless a test is about it, and frequent checks of the connection."""


@dataclass
class FakeCards:
    experiment_ids: dict[tuple[str, str], str] = field(default_factory=dict)
    card_message_ids: set[str] = field(default_factory=set)
    threads: dict[str, str] = field(default_factory=dict)

    async def record_message(
        self, conversation: Conversation, message_id: str, experiment_id: str, *, is_card: bool
    ) -> None:
        self.experiment_ids[conversation.id, message_id] = experiment_id
        self.threads[message_id] = conversation.thread
        if is_card:
            self.card_message_ids.add(message_id)

    async def find_experiment_id(self, conversation: Conversation, message_id: str) -> str:
        return self.experiment_ids.get((conversation.id, message_id), "")


@dataclass
class FakeActions:
    stored: dict[str, Action] = field(default_factory=dict)

    async def create_token(self, action: Action) -> str:
        token = f"token{len(self.stored)}"
        self.stored[token] = action
        return token

    async def find_action(self, token: str) -> Action | None:
        return self.stored.get(token)

    async def record_question(self, conversation: Conversation, message_id: str, token: str) -> None: ...

    async def find_action_by_question(self, conversation: Conversation, message_id: str) -> Action | None: ...


@dataclass
class SlowBot(FakeBot):
    """Answers once `may_answer` is set."""

    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, message: IncomingMessage) -> Reply:
        reply = await super().handle(message)
        await self.may_answer.wait()
        return reply


over_both_transports = pytest.mark.parametrize("by_http", [False, True], ids=["socket", "http"])
"""Runs a test over Socket Mode and over HTTP."""


def build_form_registry() -> Registry:
    """Return a registry whose commands open forms: `/set`, `/set <id>` and `/clone`."""
    family = CommandFamily("Things")

    @family.command("set", examples=(), max_form_words=1)
    async def set_(context: object, words: ParameterWords = (), values: ParameterValues = ()) -> Reply:
        """Change parameters."""
        raise NotImplementedError

    @family.command("clone", examples=(), max_form_words=0)
    async def clone(context: object, experiment: ExperimentReference = "") -> Reply:
        """Copy an experiment."""
        raise NotImplementedError

    return Registry([family])


def build_credentials(slack: SlackServer) -> SlackCredentials:
    if slack.http_events.request_url:
        return SlackCredentials(BOT_TOKEN, signing_secret=SIGNING_SECRET, api_url=slack.api_url)
    return SlackCredentials(BOT_TOKEN, APP_TOKEN, api_url=slack.api_url)


async def suggest_nothing(_message: IncomingMessage) -> list[tuple[str, str]]:
    return []


def build_front_end(slack: SlackServer, bot: FakeBot, cards: Cards, **overrides: Any) -> SlackFrontEnd:
    settings: dict[str, Any] = {
        "handle": bot.handle,
        "registry": build_small_registry(),
        "suggest": suggest_nothing,
        "cards": cards,
        "requests": MemoryRequests(),
        "actions": FakeActions(),
        "credentials": build_credentials(slack),
        "timing": TEST_TIMING,
    }
    return SlackFrontEnd(**{**settings, **overrides})


@asynccontextmanager
async def connect_front_end(
    slack: SlackServer, bot: FakeBot, cards: Cards, **overrides: Any
) -> AsyncIterator[SlackFrontEnd]:
    front_end = build_front_end(slack, bot, cards, **overrides)
    port = URL(slack.http_events.request_url).port
    async with run_web_server(front_end.routes, host="127.0.0.1", port=port or 0):
        await front_end.start()
        try:
            yield front_end
        finally:
            await front_end.stop()


@pytest.fixture
def by_http() -> bool:
    """Return whether Slack sends requests by HTTP instead of Socket Mode."""
    return False


@pytest.fixture
async def slack(*, by_http: bool) -> AsyncIterator[SlackServer]:
    """A fake workspace. It fails the test if the bot called an unknown method, pinged everybody or used markup."""
    async with SlackServer() as server:
        if by_http:
            server.http_events.request_url = f"http://127.0.0.1:{unused_port()}{REQUEST_PATH}"
        yield server
        assert server.api.unknown_methods == []
        assert server.workspace.broadcasts == []
        assert server.find_markup_texts() == []


@pytest.fixture
def cards() -> FakeCards:
    return FakeCards()


@pytest.fixture
async def front_end(slack: SlackServer, bot: FakeBot, cards: FakeCards) -> AsyncIterator[SlackFrontEnd]:
    async with connect_front_end(slack, bot, cards) as front_end:
        yield front_end


@pytest.fixture
def anna(slack: SlackServer) -> Person:
    return slack.add_person("anna")


@pytest.fixture
def lab(slack: SlackServer) -> str:
    """A channel that the bot is in."""
    return slack.add_channel("lab")


async def wait_for_modal(person: Person, containing: str = "") -> Modal:
    """Return a person's top modal as soon as it has left the loading view and contains this text."""
    await wait_until(
        lambda: (
            person.modal
            and TYPING_INDICATOR_TEXT not in person.modal.visible_text
            and containing in person.modal.visible_text
        )
    )
    assert person.modal
    return person.modal


async def wait_for_first(find_messages: Callable[[], list[Message]]) -> Message:
    """Return the first of the messages as soon as there is one."""
    await wait_until(find_messages)
    return find_messages()[0]
