"""Live cards: the cards of an experiment are edited when it changes, within the platform's limits."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from clearml_chatops.bot.frontends.front_end import (
    DeliveryFailedError,
    DestinationGoneError,
    OnDelivered,
    ignore_delivery,
)
from clearml_chatops.bot.live_cards import LiveCards
from clearml_chatops.models.cards import EditIntervals
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import Notice
from clearml_chatops.models.replies import Reply
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.services.notifications.cards import DUE_LOOKAHEAD, PROGRESS_INTERVAL, CardService
from clearml_chatops.storage.outbox import OutboxStore
from tests.sandbox.support import Client
from tests.support.program import RunningProgram, to_plain_text

CONVERSATION = Conversation("chat", "C1")
EDIT_INTERVAL = timedelta(seconds=5)
AFTER_INTERVAL = timedelta(seconds=6)


@dataclass
class FakePlatform:
    """A chat platform with cards, and a clock that tests move."""

    now: datetime
    edit_intervals: EditIntervals = field(default_factory=lambda: EditIntervals(EDIT_INTERVAL))
    edit_error: Exception | None = None
    during_edit: Callable[[], Awaitable[object]] | None = None
    edits: list[tuple[str, str]] = field(default_factory=list)

    platform = CONVERSATION.platform
    routes = ()

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def deliver(
        self, conversation: Conversation, reply: Reply, on_delivered: OnDelivered = ignore_delivery
    ) -> None: ...

    def get_edit_intervals(self, _conversation: Conversation) -> EditIntervals:
        return self.edit_intervals

    async def edit(self, _conversation: Conversation, message_id: str, reply: Reply) -> bool:
        if self.edit_error:
            raise self.edit_error
        if self.during_edit:
            meanwhile, self.during_edit = self.during_edit, None
            await meanwhile()
        self.edits.append((message_id, to_plain_text(reply)))
        return True


@dataclass
class CardSetup:
    """The program, a platform, and the experiment `draft` with a card there."""

    program: RunningProgram
    sandbox: Sandbox
    agent: Client
    platform: FakePlatform
    cards: CardService
    draft: str = ""

    async def add_card(self, message_id: str) -> None:
        await self.cards.record_message(CONVERSATION, message_id, self.draft, is_card=True)

    async def advance(self, time: timedelta = AFTER_INTERVAL) -> list[tuple[str, str]]:
        """Move the clock and return the edits that follow."""
        self.platform.now += time
        live_cards = LiveCards(cards=self.cards, front_end=self.platform, clock=self.clock)
        edit_count = len(self.platform.edits)
        await live_cards.edit_due_cards()
        return self.platform.edits[edit_count:]

    async def poll(self) -> None:
        await replace(self.program.program.process, clock=self.clock).watcher.poll()

    def clock(self) -> datetime:
        return self.platform.now


@pytest.fixture
async def card_setup(program: RunningProgram, sandbox: Sandbox) -> AsyncIterator[CardSetup]:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    platform = FakePlatform(datetime.now(UTC))
    process = program.program.process
    async with aiohttp.ClientSession() as session:
        card_setup = CardSetup(
            program,
            sandbox,
            Client(sandbox, session, sandbox.alice),
            platform,
            replace(process, clock=lambda: platform.now).cards,
        )
        await card_setup.poll()
        card_setup.draft = (await program.send("/clone baseline on two GPUs")).experiment_id
        await card_setup.add_card("1")
        yield card_setup


async def test_a_card_shows_what_a_command_has_changed(card_setup: CardSetup) -> None:
    assert await card_setup.advance() == []
    await card_setup.program.ask(f"/name better name id={card_setup.draft}")
    ((message_id, text),) = await card_setup.advance()
    assert message_id == "1"
    assert "better name" in text
    assert await card_setup.advance() == [], "a Draft doesn't change by itself"


async def test_a_card_shows_changes_by_others(card_setup: CardSetup) -> None:
    queue = await card_setup.agent.call_for_data("queues.create", name="night")
    await card_setup.agent.call_for_data("tasks.enqueue", task=card_setup.draft, queue=queue["id"])
    await card_setup.poll()
    assert ["Pending" in text for _, text in await card_setup.advance()] == [True]
    await card_setup.poll()
    assert await card_setup.advance() == [], "it already shows this change"
    await card_setup.agent.call_for_data("tasks.started", task=card_setup.draft, force=True)
    await card_setup.poll()
    assert ["Running" in text for _, text in await card_setup.advance()] == [True]
    assert await card_setup.advance() == []
    assert len(await card_setup.advance(PROGRESS_INTERVAL)) == 1, "its time and iterations change"


async def test_many_changes_within_the_edit_interval_are_one_edit(card_setup: CardSetup) -> None:
    await card_setup.program.ask(f"/name first name id={card_setup.draft}")
    assert len(await card_setup.advance()) == 1
    for name in ("second name", "third name", "fourth name"):
        await card_setup.program.ask(f"/name {name} id={card_setup.draft}")
        assert await card_setup.advance(timedelta(seconds=1)) == []
    ((_, text),) = await card_setup.advance(EDIT_INTERVAL)
    assert "fourth name" in text


async def test_a_change_during_an_edit_is_shown_next(card_setup: CardSetup) -> None:
    await card_setup.program.ask(f"/name first name id={card_setup.draft}")
    card_setup.platform.during_edit = lambda: card_setup.program.ask(f"/name second name id={card_setup.draft}")
    ((_, text),) = await card_setup.advance()
    assert "first name" in text
    ((_, text),) = await card_setup.advance()
    assert "second name" in text


async def test_a_newer_card_replaces_the_older_one(card_setup: CardSetup) -> None:
    await card_setup.add_card("2")
    assert [(id_, "newer card" in text) for id_, text in await card_setup.advance()] == [("1", True)]
    await card_setup.program.ask(f"/name better name id={card_setup.draft}")
    assert [id_ for id_, _ in await card_setup.advance()] == ["2"]
    assert await card_setup.cards.find_experiment_id(CONVERSATION, "1") == card_setup.draft, (
        "a reply to the older card is still about the experiment"
    )


async def test_all_due_cards_take_one_request(card_setup: CardSetup) -> None:
    for number in range(2, 8):
        reply = await card_setup.program.send(f"/clone baseline clone {number}")
        await card_setup.cards.record_message(CONVERSATION, str(number), reply.experiment_id, is_card=True)
        await card_setup.program.ask(f"/name renamed {number} id={reply.experiment_id}")
    card_setup.sandbox.requests.clear()
    assert len(await card_setup.advance()) == 6
    assert card_setup.sandbox.requests.list_endpoints() == ["tasks.get_all_ex"]


async def test_a_deleted_experiment_is_shown_once(card_setup: CardSetup) -> None:
    await card_setup.agent.call_for_data("tasks.delete", task=card_setup.draft, force=True)
    await card_setup.cards.mark_due([card_setup.draft])
    assert ["deleted" in text for _, text in await card_setup.advance()] == [True]
    await card_setup.cards.mark_due([card_setup.draft])
    assert await card_setup.advance() == []


async def test_a_failed_edit_is_retried(card_setup: CardSetup) -> None:
    await card_setup.program.ask(f"/name better name id={card_setup.draft}")
    card_setup.platform.edit_error = DeliveryFailedError("ratelimited")
    assert await card_setup.advance() == []
    card_setup.platform.edit_error = None
    assert await card_setup.advance(timedelta(seconds=1)) == [], "not within the edit interval"
    assert len(await card_setup.advance(EDIT_INTERVAL)) == 1


async def test_an_unreachable_card_is_given_up(card_setup: CardSetup) -> None:
    await card_setup.program.ask(f"/name better name id={card_setup.draft}")
    card_setup.platform.edit_error = DestinationGoneError("is_archived")
    assert await card_setup.advance() == []
    card_setup.platform.edit_error = None
    assert await card_setup.advance() == []


async def test_cards_are_checked_often_only_while_edits_are_expected(card_setup: CardSetup) -> None:
    live_cards = LiveCards(cards=card_setup.cards, front_end=card_setup.platform, clock=card_setup.clock)
    await live_cards.edit_due_cards()
    assert live_cards.get_interval() == DUE_LOOKAHEAD
    await card_setup.program.ask(f"/name better name id={card_setup.draft}")
    card_setup.platform.now += AFTER_INTERVAL
    await live_cards.edit_due_cards()
    assert live_cards.get_interval() < DUE_LOOKAHEAD, "another change may follow"
    await live_cards.edit_due_cards()
    assert live_cards.get_interval() == DUE_LOOKAHEAD


# ── Cards of one conversation share a rate limit ──────────────────────────────────────────────────


async def _start_ten_runs(card_setup: CardSetup) -> list[str]:
    """Start ten experiments, each with an up-to-date card, and return their ids."""
    card_setup.platform.edit_intervals = EditIntervals(timedelta(seconds=10), timedelta(seconds=6))
    queue = await card_setup.agent.call_for_data("queues.create", name="night")
    runs = []
    for number in range(10):
        experiment_id = (await card_setup.program.send(f"/clone baseline run {number}")).experiment_id
        await card_setup.agent.call_for_data("tasks.enqueue", task=experiment_id, queue=queue["id"])
        await card_setup.agent.call_for_data("tasks.started", task=experiment_id, force=True)
        await card_setup.agent.call_for_data(
            "workers.status_report", worker=f"lab:gpu{number}", task=experiment_id, timestamp=1
        )
        await card_setup.cards.record_message(CONVERSATION, f"card {number}", experiment_id, is_card=True)
        runs.append(experiment_id)
    await card_setup.poll()
    for _ in runs:
        assert len(await card_setup.advance()) == 1
    return runs


async def test_ten_running_cards_stay_within_the_rate_limit(card_setup: CardSetup) -> None:
    await _start_ten_runs(card_setup)
    edits = [edit for _ in range(120) for edit in await card_setup.advance(timedelta(seconds=1))]
    assert 18 <= len(edits) <= 20, "ten a minute; the group takes twenty"
    assert {id_ for id_, _ in edits} == {f"card {number}" for number in range(10)}, "each card is edited"


async def test_the_card_of_a_finished_run_is_edited_first(card_setup: CardSetup) -> None:
    runs = await _start_ten_runs(card_setup)
    card_setup.platform.now += PROGRESS_INTERVAL
    await card_setup.agent.call_for_data("tasks.completed", task=runs[7])
    await card_setup.poll()
    ((message_id, text),) = await card_setup.advance()
    assert message_id == "card 7"
    assert "Completed" in text


async def test_cards_wait_while_messages_are_queued(card_setup: CardSetup) -> None:
    await _start_ten_runs(card_setup)
    notice = Notice("worker", "It ended.", card_setup.platform.now)
    async with card_setup.program.program.process.database.writing() as session:
        await OutboxStore(session).add([(notice, CONVERSATION)], now=card_setup.platform.now)
    assert await card_setup.advance(PROGRESS_INTERVAL) == []
    async with card_setup.program.program.process.database.writing() as session:
        outbox = OutboxStore(session)
        (waiting,) = await outbox.list_due(
            CONVERSATION.platform, CONVERSATION.id, now=card_setup.platform.now, limit=1
        )
        await outbox.mark_delivered(waiting.id, at=card_setup.platform.now)
    assert len(await card_setup.advance()) == 1
