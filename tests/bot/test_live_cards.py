"""Live cards: the messages that show an experiment are edited as it moves on, not more often than allowed."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from clearml_chatops.bot.frontends.front_end import DeliveryFailedError, DestinationGoneError
from clearml_chatops.bot.live_cards import LiveCards
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Reply
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.services.cards import PROGRESS_INTERVAL, CardService
from tests.sandbox.support import Client
from tests.support.program import RunningProgram, plain_text

HERE = Conversation("chat", "C1")
PAUSE = timedelta(seconds=5)
LATER = timedelta(seconds=6)


@dataclass
class Wall:
    """A chat platform on which cards hang, and a clock that stands until it is moved."""

    now: datetime
    trouble: Exception | None = None
    meanwhile: Callable[[], Awaitable[object]] | None = None
    edits: list[tuple[str, str]] = field(default_factory=list)

    platform = HERE.platform
    routes = ()

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def deliver(self, _conversation: Conversation, _reply: Reply) -> None: ...

    def pause_between_edits(self, _conversation: Conversation) -> timedelta:
        return PAUSE

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
