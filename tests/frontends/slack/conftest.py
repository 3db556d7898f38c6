"""A Slack workspace on this machine, the front end connected to it, and a bot that answers from a table."""

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
from clearml_chatops.bot.frontends.slack import SlackAccess, SlackFrontEnd, Timing
from clearml_chatops.bot.frontends.slack.signed_requests import PATH
from clearml_chatops.bot.web_server import serving
from clearml_chatops.handlers.arguments import ExperimentReference, ParameterValues, ParameterWords
from clearml_chatops.handlers.registry import CommandFamily, Registry
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.replies import Reply
from tests.frontends.conftest import FakeBot, small_registry
from tests.support.slack import Message, Person, SlackServer, Window
from tests.support.slack.http_events import SIGNING_SECRET
from tests.support.slack.server import APP_TOKEN, BOT_TOKEN
from tests.support.waiting import until

QUICK = Timing(
    patience=timedelta(seconds=30),
    heartbeat=timedelta(seconds=0.2),
    wait_at_the_end=timedelta(seconds=5),
    suggesting=timedelta(seconds=30),
    head_start=timedelta(seconds=0.1),
)
"""No sign of life unless a test is about it; a connection that is looked after often."""


@dataclass
class RememberedCards:
    cards: dict[tuple[str, str], str] = field(default_factory=dict)
    live: set[str] = field(default_factory=set)
    threads: dict[str, str] = field(default_factory=dict)

    async def remember(
        self, conversation: Conversation, message_id: str, experiment_id: str, *, is_card: bool
    ) -> None:
        self.cards[conversation.id, message_id] = experiment_id
        self.threads[message_id] = conversation.thread
        if is_card:
            self.live.add(message_id)

    async def experiment_of(self, conversation: Conversation, message_id: str) -> str:
        return self.cards.get((conversation.id, message_id), "")


@dataclass
class SlowBot(FakeBot):
    """Answers when it may."""

    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, message: IncomingMessage) -> Reply:
        reply = await super().handle(message)
        await self.may_answer.wait()
        return reply


both_ways = pytest.mark.parametrize("by_http", [False, True], ids=["socket", "http"])
"""For tests of what has to work by Socket Mode and by HTTP."""


def registry_with_forms() -> Registry:
    """Commands that answer with forms: `/set`, `/set <id>` and `/clone`."""
    family = CommandFamily("Things")

    @family.command("set", examples=(), form_words=1)
    async def set_(context: object, words: ParameterWords = (), values: ParameterValues = ()) -> Reply:
        """Change parameters."""
        raise NotImplementedError

    @family.command("clone", examples=(), form_words=0)
    async def clone(context: object, experiment: ExperimentReference = "") -> Reply:
        """Copy an experiment."""
        raise NotImplementedError

    return Registry([family])


def access_to(slack: SlackServer) -> SlackAccess:
    if slack.http_events.address:
        return SlackAccess(BOT_TOKEN, signing_secret=SIGNING_SECRET, api_url=slack.api_url)
    return SlackAccess(BOT_TOKEN, APP_TOKEN, api_url=slack.api_url)


async def no_suggestions(_message: IncomingMessage) -> list[tuple[str, str]]:
    return []


def front_end_for(slack: SlackServer, bot: FakeBot, cards: Cards, **changed: Any) -> SlackFrontEnd:
    settings: dict[str, Any] = {
        "handle": bot.handle,
        "registry": small_registry(),
        "suggest": no_suggestions,
        "cards": cards,
        "access": access_to(slack),
        "timing": QUICK,
    }
    return SlackFrontEnd(**{**settings, **changed})


@asynccontextmanager
async def connected(
    slack: SlackServer, bot: FakeBot, cards: Cards, **changed: Any
) -> AsyncIterator[SlackFrontEnd]:
    front_end = front_end_for(slack, bot, cards, **changed)
    port = URL(slack.http_events.address).port
    async with serving(front_end.routes, host="127.0.0.1", port=port or 0):
        await front_end.start()
        try:
            yield front_end
        finally:
            await front_end.stop()


@pytest.fixture
def by_http() -> bool:
    """Whether Slack calls the bot, instead of the bot Slack."""
    return False


@pytest.fixture
async def slack(*, by_http: bool) -> AsyncIterator[SlackServer]:
    """A workspace in which nothing may happen that Slack has no name for, and nobody may be disturbed."""
    async with SlackServer() as server:
        if by_http:
            server.http_events.address = f"http://127.0.0.1:{unused_port()}{PATH}"
        yield server
        assert server.api.unknown == []
        assert server.workspace.broadcasts == []
        assert server.markup() == []


@pytest.fixture
def cards() -> RememberedCards:
    return RememberedCards()


@pytest.fixture
async def front_end(slack: SlackServer, bot: FakeBot, cards: RememberedCards) -> AsyncIterator[SlackFrontEnd]:
    async with connected(slack, bot, cards) as front_end:
        yield front_end


@pytest.fixture
def anna(slack: SlackServer) -> Person:
    return slack.person("anna")


@pytest.fixture
def lab(slack: SlackServer) -> str:
    """A channel that the bot is in."""
    return slack.channel("lab")


async def window_of(person: Person, shows: str = "") -> Window:
    """The window on top on a person's screen, as soon as it is no sign of life any more, or shows this."""
    await until(lambda: person.window and "working…" not in person.window.shown and shows in person.window.shown)
    assert person.window
    return person.window


async def first(found: Callable[[], list[Message]]) -> Message:
    """The first of the messages, as soon as there is one."""
    await until(found)
    return found()[0]
