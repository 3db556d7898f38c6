"""Live cards: the messages that show an experiment are edited as it moves on, not more often than allowed."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from clearml_chatops.bot.frontends.front_end import (
    Arrived,
    DeliveryFailedError,
    DestinationGoneError,
    nothing_to_note,
)
from clearml_chatops.bot.live_cards import LiveCards
from clearml_chatops.models.cards import EditPace
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import Notice
from clearml_chatops.models.replies import Reply
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.services.notifications.cards import LOOKING_AHEAD, PROGRESS_INTERVAL, CardService
from clearml_chatops.storage.outbox import OutboxStore
from tests.sandbox.support import Client
from tests.support.program import RunningProgram, plain_text

HERE = Conversation("chat", "C1")
PAUSE = timedelta(seconds=5)
LATER = timedelta(seconds=6)


@dataclass
class Wall:
    """A chat platform on which cards hang, and a clock that stands until it is moved."""

    now: datetime
    pace: EditPace = field(default_factory=lambda: EditPace(PAUSE))
    trouble: Exception | None = None
    meanwhile: Callable[[], Awaitable[object]] | None = None
    edits: list[tuple[str, str]] = field(default_factory=list)

    platform = HERE.platform
    routes = ()

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def deliver(
        self, conversation: Conversation, reply: Reply, arrived: Arrived = nothing_to_note
    ) -> None: ...

    def edit_pace(self, _conversation: Conversation) -> EditPace:
        return self.pace

    async def edit(self, _conversation: Conversation, message_id: str, reply: Reply) -> None:
        if self.trouble:
            raise self.trouble
        if self.meanwhile:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()
        self.edits.append((message_id, plain_text(reply)))


@dataclass
class Gallery:
    """The program with its cards on a wall; `draft` is the experiment that they show."""

    program: RunningProgram
    sandbox: Sandbox
    agent: Client
    wall: Wall
    cards: CardService
    draft: str = ""

    async def hang(self, message_id: str) -> None:
        await self.cards.remember(HERE, message_id, self.draft, is_card=True)

    async def passes(self, time: timedelta = LATER) -> list[tuple[str, str]]:
        """The edits that are made when some time has passed."""
        self.wall.now += time
        live = LiveCards(cards=self.cards, front_end=self.wall, clock=self.clock)
        before = len(self.wall.edits)
        await live.edit_due()
        return self.wall.edits[before:]

    async def look(self) -> None:
        await replace(self.program.program.process, clock=self.clock).watcher.look()

    def clock(self) -> datetime:
        return self.wall.now


@pytest.fixture
async def gallery(program: RunningProgram, sandbox: Sandbox) -> AsyncIterator[Gallery]:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    wall = Wall(datetime.now(UTC))
    process = program.program.process
    async with aiohttp.ClientSession() as session:
        gallery = Gallery(
            program,
            sandbox,
            Client(sandbox, session, sandbox.alice),
            wall,
            replace(process, clock=lambda: wall.now).cards,
        )
        await gallery.look()
        gallery.draft = (await program.say("/clone baseline on two cards")).experiment_id
        await gallery.hang("1")
        yield gallery


async def test_a_card_shows_what_a_command_has_changed(gallery: Gallery) -> None:
    assert await gallery.passes() == []
    await gallery.program.ask(f"/name better name id={gallery.draft}")
    ((message_id, text),) = await gallery.passes()
    assert message_id == "1"
    assert "better name" in text
    assert await gallery.passes() == [], "a Draft does not move on by itself"


async def test_a_card_follows_its_experiment_also_when_others_move_it(gallery: Gallery) -> None:
    queue = await gallery.agent.data("queues.create", name="night")
    await gallery.agent.data("tasks.enqueue", task=gallery.draft, queue=queue["id"])
    await gallery.look()
    assert ["Pending" in text for _, text in await gallery.passes()] == [True]
    await gallery.look()
    assert await gallery.passes() == [], "it shows this change already"
    await gallery.agent.data("tasks.started", task=gallery.draft, force=True)
    await gallery.look()
    assert ["Running" in text for _, text in await gallery.passes()] == [True]
    assert await gallery.passes() == []
    assert len(await gallery.passes(PROGRESS_INTERVAL)) == 1, "its time and iterations move on"


async def test_many_changes_within_the_pause_are_one_edit(gallery: Gallery) -> None:
    await gallery.program.ask(f"/name first name id={gallery.draft}")
    assert len(await gallery.passes()) == 1
    for name in ("second name", "third name", "fourth name"):
        await gallery.program.ask(f"/name {name} id={gallery.draft}")
        assert await gallery.passes(timedelta(seconds=1)) == []
    ((_, text),) = await gallery.passes(PAUSE)
    assert "fourth name" in text


async def test_what_changes_while_a_card_is_edited_is_shown_next(gallery: Gallery) -> None:
    await gallery.program.ask(f"/name first name id={gallery.draft}")
    gallery.wall.meanwhile = lambda: gallery.program.ask(f"/name second name id={gallery.draft}")
    ((_, text),) = await gallery.passes()
    assert "first name" in text
    ((_, text),) = await gallery.passes()
    assert "second name" in text


async def test_a_newer_card_takes_the_place_of_the_older_one(gallery: Gallery) -> None:
    await gallery.hang("2")
    assert [(id_, "further down" in text) for id_, text in await gallery.passes()] == [("1", True)]
    await gallery.program.ask(f"/name better name id={gallery.draft}")
    assert [id_ for id_, _ in await gallery.passes()] == ["2"]
    assert await gallery.cards.experiment_of(HERE, "1") == gallery.draft, "a reply to the older one still means it"


async def test_all_cards_of_a_moment_cost_one_request(gallery: Gallery) -> None:
    for number in range(2, 8):
        reply = await gallery.program.say(f"/clone baseline clone {number}")
        await gallery.cards.remember(HERE, str(number), reply.experiment_id, is_card=True)
        await gallery.program.ask(f"/name renamed {number} id={reply.experiment_id}")
    gallery.sandbox.requests.clear()
    assert len(await gallery.passes()) == 6
    assert gallery.sandbox.requests.names() == ["tasks.get_all_ex"]


async def test_a_deleted_experiment_is_said_once(gallery: Gallery) -> None:
    await gallery.agent.data("tasks.delete", task=gallery.draft, force=True)
    await gallery.cards.mark_due([gallery.draft])
    assert ["deleted" in text for _, text in await gallery.passes()] == [True]
    await gallery.cards.mark_due([gallery.draft])
    assert await gallery.passes() == []


async def test_a_failed_edit_is_made_again(gallery: Gallery) -> None:
    await gallery.program.ask(f"/name better name id={gallery.draft}")
    gallery.wall.trouble = DeliveryFailedError("ratelimited")
    assert await gallery.passes() == []
    gallery.wall.trouble = None
    assert await gallery.passes(timedelta(seconds=1)) == [], "not within the pause"
    assert len(await gallery.passes(PAUSE)) == 1


async def test_a_card_that_cannot_be_reached_is_left_alone(gallery: Gallery) -> None:
    await gallery.program.ask(f"/name better name id={gallery.draft}")
    gallery.wall.trouble = DestinationGoneError("is_archived")
    assert await gallery.passes() == []
    gallery.wall.trouble = None
    assert await gallery.passes() == []


async def test_it_looks_often_only_while_a_card_is_to_be_edited_soon(gallery: Gallery) -> None:
    live = LiveCards(cards=gallery.cards, front_end=gallery.wall, clock=gallery.clock)
    await live.edit_due()
    assert live.pause() == LOOKING_AHEAD
    await gallery.program.ask(f"/name better name id={gallery.draft}")
    gallery.wall.now += LATER
    await live.edit_due()
    assert live.pause() < LOOKING_AHEAD, "another change may follow"
    await live.edit_due()
    assert live.pause() == LOOKING_AHEAD


# ── Where all cards of a conversation share what the platform takes ───────────────────────────────


async def _ten_runs(gallery: Gallery) -> list[str]:
    """Ten experiments that run, each with a card that has just been edited."""
    gallery.wall.pace = EditPace(timedelta(seconds=10), timedelta(seconds=6))
    queue = await gallery.agent.data("queues.create", name="night")
    runs = []
    for number in range(10):
        run = (await gallery.program.say(f"/clone baseline run {number}")).experiment_id
        await gallery.agent.data("tasks.enqueue", task=run, queue=queue["id"])
        await gallery.agent.data("tasks.started", task=run, force=True)
        await gallery.agent.data("workers.status_report", worker=f"lab:gpu{number}", task=run, timestamp=1)
        await gallery.cards.remember(HERE, f"card {number}", run, is_card=True)
        runs.append(run)
    await gallery.look()
    for _ in runs:
        assert len(await gallery.passes()) == 1
    return runs


async def test_ten_running_cards_leave_a_group_room_for_messages(gallery: Gallery) -> None:
    await _ten_runs(gallery)
    edits = [edit for _ in range(120) for edit in await gallery.passes(timedelta(seconds=1))]
    assert 18 <= len(edits) <= 20, "ten a minute, where the group takes twenty"
    assert {id_ for id_, _ in edits} == {f"card {number}" for number in range(10)}, "each has its turn"


async def test_a_card_of_a_run_that_has_ended_is_edited_before_those_that_only_move_on(
    gallery: Gallery,
) -> None:
    runs = await _ten_runs(gallery)
    gallery.wall.now += PROGRESS_INTERVAL
    await gallery.agent.data("tasks.completed", task=runs[7])
    await gallery.look()
    ((message_id, text),) = await gallery.passes()
    assert message_id == "card 7"
    assert "Completed" in text


async def test_cards_of_a_group_wait_while_messages_are_on_their_way_there(gallery: Gallery) -> None:
    await _ten_runs(gallery)
    notice = Notice("worker", "It ended.", gallery.wall.now)
    async with gallery.program.program.process.database.writing() as session:
        await OutboxStore(session).add([(notice, HERE)], now=gallery.wall.now)
    assert await gallery.passes(PROGRESS_INTERVAL) == []
    async with gallery.program.program.process.database.writing() as session:
        outbox = OutboxStore(session)
        (waiting,) = await outbox.due(HERE.platform, HERE.id, now=gallery.wall.now, limit=1)
        await outbox.mark_delivered(waiting.id, at=gallery.wall.now)
    assert len(await gallery.passes()) == 1
