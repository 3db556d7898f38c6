"""Live cards on Slack: the real loop, the real front end and cards in a file, on a clock that the test moves."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from clearml_chatops.bot.frontends.slack import SlackFrontEnd
from clearml_chatops.bot.live_cards import LiveCards
from clearml_chatops.handlers.cards import experiment_card
from clearml_chatops.models.messages import Conversation
from clearml_chatops.sandbox import Sandbox
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import connected
from tests.support.experiments import add_script
from tests.support.program import RunningProgram
from tests.support.slack import Message, SlackServer


@dataclass
class World:
    """An experiment whose card is in a channel, and a clock that stands until it is moved."""

    slack: SlackServer
    sandbox: Sandbox
    program: RunningProgram
    experiment_id: str
    place: Conversation
    now: datetime = datetime(2026, 11, 22, 12, tzinfo=UTC)
    changes: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        process = self.program.program.process
        self.clearml = process.clearml.bot
        self.cards = replace(process, clock=lambda: self.now).cards

    def connect(self, front_end: SlackFrontEnd) -> None:
        self.front_end = front_end
        self.live_cards = LiveCards(cards=self.cards, front_end=front_end, clock=lambda: self.now)

    async def show_card(self) -> Message:
        found = await self.clearml.experiments([self.experiment_id])
        reply = experiment_card(found[self.experiment_id], now=self.now, web_link="")
        await self.front_end.deliver(self.place, reply)
        return self.messages[-1]

    async def change(self) -> str:
        """The experiment gets another name, which its card has to show."""
        self.changes += 1
        name = self.sandbox.state.tasks[self.experiment_id]["name"] = f"name {self.changes}"
        await self.cards.mark_due([self.experiment_id])
        return name

    async def pass_seconds(self, seconds: float) -> None:
        """Time goes on a second at a time, as the loop looks."""
        for _ in range(round(seconds)):
            self.now += timedelta(seconds=1)
            await self.live_cards.edit_due()

    @property
    def messages(self) -> list[Message]:
        return self.slack.posted(self.place.id)

    @property
    def edits(self) -> int:
        return len(self.slack.called("chat.update"))


@pytest.fixture(params=["", "17.1"], ids=["in the channel", "in a thread"])
async def world(
    request: pytest.FixtureRequest, slack: SlackServer, sandbox: Sandbox, program: RunningProgram, lab: str
) -> AsyncIterator[World]:
    place = Conversation("slack", lab, request.param)
    world = World(slack, sandbox, program, add_script(sandbox, "name 0", "print()"), place)
    async with connected(slack, FakeBot(), cards=world.cards) as front_end:
        world.connect(front_end)
        yield world


async def test_however_much_changes_within_five_seconds_is_one_edit(world: World) -> None:
    card = await world.show_card()
    name = await world.change()
    await world.live_cards.edit_due()
    assert (world.edits, card.shown.splitlines()[0]) == (1, name)
    for _ in range(40):
        name = await world.change()
        world.now += timedelta(seconds=0.1)
        await world.live_cards.edit_due()
    assert world.edits == 1
    await world.pass_seconds(1)
    assert (world.edits, card.shown.splitlines()[0]) == (2, name)
    await world.pass_seconds(60)
    assert world.edits == 2
    assert world.messages == [card]


async def test_a_deleted_card_is_posted_anew_once_and_is_the_card_from_then_on(world: World) -> None:
    deleted = await world.show_card()
    deleted.deleted = True
    await world.change()
    await world.pass_seconds(12)
    [card] = world.messages
    assert card.thread_ts == world.place.thread
    name = await world.change()
    await world.pass_seconds(12)
    assert world.messages == [card]
    assert card.shown.splitlines()[0] == name


async def test_an_older_card_says_that_it_is_no_more_the_card(world: World) -> None:
    older = await world.show_card()
    newer = await world.show_card()
    name = await world.change()
    await world.pass_seconds(12)
    assert older.shown == "“name 1”: its card is further down."
    assert newer.shown.splitlines()[0] == name
    assert world.messages == [older, newer]


async def test_an_edit_that_fails_is_made_later(world: World) -> None:
    card = await world.show_card()
    name = await world.change()
    world.slack.api.mood.refusals["chat.update"] = "internal_error"
    await world.pass_seconds(4)
    assert world.edits == 1
    world.slack.api.mood.refusals.clear()
    await world.pass_seconds(5)
    assert card.shown.splitlines()[0] == name


async def test_in_a_channel_that_the_bot_left_nothing_is_tried_again(world: World) -> None:
    await world.show_card()
    world.slack.workspace.channels[world.place.id].bot_is_in = False
    await world.change()
    await world.pass_seconds(30)
    assert world.edits == 1
