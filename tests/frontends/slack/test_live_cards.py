"""Live cards on Slack: the real loop and front end, cards in a database, and a clock that the test moves."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from clearml_chatops.bot.frontends.slack import SlackFrontEnd
from clearml_chatops.bot.live_cards import LiveCards
from clearml_chatops.handlers.cards import build_experiment_card
from clearml_chatops.models.messages import Conversation
from clearml_chatops.sandbox import Sandbox
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import connect_front_end
from tests.support.experiments import add_script
from tests.support.program import RunningProgram
from tests.support.slack import Message, SlackServer


@dataclass
class LiveCardScenario:
    """An experiment with a card in a channel, and a clock that the test moves."""

    slack: SlackServer
    sandbox: Sandbox
    program: RunningProgram
    experiment_id: str
    conversation: Conversation
    now: datetime = datetime(2026, 11, 22, 12, tzinfo=UTC)
    change_count: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        process = self.program.program.process
        self.clearml = process.clearml.bot
        self.cards = replace(process, clock=lambda: self.now).cards

    def connect(self, front_end: SlackFrontEnd) -> None:
        self.front_end = front_end
        self.live_cards = LiveCards(cards=self.cards, front_end=front_end, clock=lambda: self.now)

    async def show_card(self) -> Message:
        found = await self.clearml.get_experiments([self.experiment_id])
        reply = build_experiment_card(found[self.experiment_id], now=self.now, web_link="")
        await self.front_end.deliver(self.conversation, reply)
        return self.messages[-1]

    async def rename_experiment(self) -> str:
        """Rename the experiment and mark its card as due. Return the new name."""
        self.change_count += 1
        name = self.sandbox.state.tasks[self.experiment_id]["name"] = f"name {self.change_count}"
        await self.cards.mark_due([self.experiment_id])
        return name

    async def pass_seconds(self, seconds: float) -> None:
        """Advance the clock second by second, and run the loop each time."""
        for _ in range(round(seconds)):
            self.now += timedelta(seconds=1)
            await self.live_cards.edit_due_cards()

    @property
    def messages(self) -> list[Message]:
        return self.slack.list_posted_messages(self.conversation.id)

    @property
    def edit_count(self) -> int:
        return len(self.slack.list_calls("chat.update"))


@pytest.fixture(params=["", "17.1"], ids=["in the channel", "in a thread"])
async def scenario(
    request: pytest.FixtureRequest, slack: SlackServer, sandbox: Sandbox, program: RunningProgram, lab: str
) -> AsyncIterator[LiveCardScenario]:
    conversation = Conversation("slack", lab, request.param)
    scenario = LiveCardScenario(slack, sandbox, program, add_script(sandbox, "name 0", "print()"), conversation)
    async with connect_front_end(slack, FakeBot(), cards=scenario.cards) as front_end:
        scenario.connect(front_end)
        yield scenario


async def test_changes_within_five_seconds_make_one_edit(scenario: LiveCardScenario) -> None:
    card = await scenario.show_card()
    name = await scenario.rename_experiment()
    await scenario.live_cards.edit_due_cards()
    assert (scenario.edit_count, card.visible_text.splitlines()[0]) == (1, name)
    for _ in range(40):
        name = await scenario.rename_experiment()
        scenario.now += timedelta(seconds=0.1)
        await scenario.live_cards.edit_due_cards()
    assert scenario.edit_count == 1
    await scenario.pass_seconds(1)
    assert (scenario.edit_count, card.visible_text.splitlines()[0]) == (2, name)
    await scenario.pass_seconds(60)
    assert scenario.edit_count == 2
    assert scenario.messages == [card]


async def test_deleted_card_is_posted_again_once_and_kept_up_to_date(scenario: LiveCardScenario) -> None:
    deleted = await scenario.show_card()
    deleted.deleted = True
    await scenario.rename_experiment()
    await scenario.pass_seconds(12)
    [card] = scenario.messages
    assert card.thread_ts == scenario.conversation.thread
    name = await scenario.rename_experiment()
    await scenario.pass_seconds(12)
    assert scenario.messages == [card]
    assert card.visible_text.splitlines()[0] == name


async def test_older_card_points_to_newer_one(scenario: LiveCardScenario) -> None:
    older = await scenario.show_card()
    newer = await scenario.show_card()
    name = await scenario.rename_experiment()
    await scenario.pass_seconds(12)
    assert older.visible_text == "See the newer card of “name 1” below."
    assert newer.visible_text.splitlines()[0] == name
    assert scenario.messages == [older, newer]


async def test_failed_edit_is_retried(scenario: LiveCardScenario) -> None:
    card = await scenario.show_card()
    name = await scenario.rename_experiment()
    scenario.slack.api.faults.refusals["chat.update"] = "internal_error"
    await scenario.pass_seconds(4)
    assert scenario.edit_count == 1
    scenario.slack.api.faults.refusals.clear()
    await scenario.pass_seconds(5)
    assert card.visible_text.splitlines()[0] == name


async def test_edit_in_channel_that_bot_left_is_not_retried(scenario: LiveCardScenario) -> None:
    await scenario.show_card()
    scenario.slack.workspace.channels[scenario.conversation.id].has_bot = False
    await scenario.rename_experiment()
    await scenario.pass_seconds(30)
    assert scenario.edit_count == 1
