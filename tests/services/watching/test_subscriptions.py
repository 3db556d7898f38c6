"""Subscriptions: a channel is told of everybody's experiments in a queue or a project, and of each thing once."""

from dataclasses import dataclass

import pytest

from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Outcome, Reply
from clearml_chatops.sandbox.documents import Document
from tests.support.program import plain_text
from tests.support.watched import WORKER, World, verify


@dataclass
class Channel:
    """A channel in which Alice talks to the bot, and others read."""

    world: World
    place: Conversation

    async def say(self, line: str, *, thread: str = "", begins_thread: bool = False) -> Reply:
        program = self.world.program
        there = Conversation(self.place.platform, self.place.id, thread)
        return await program.program.dispatcher.handle(
            IncomingMessage(program.identity, program.name, there, line, begins_thread=begins_thread)
        )

    async def ask(self, line: str) -> str:
        reply = await self.say(line)
        assert reply.outcome is Outcome.DONE, plain_text(reply)
        return plain_text(reply)

    async def heard(self) -> list[str]:
        told = await self.world.program.told(self.world.notifications, self.place)
        return [plain_text(reply).partition("\n[")[0] for reply in told]

    async def look(self, *, later: float = 1) -> list[str]:
        self.world.clock.advance(later)
        await self.world.watcher.look()
        return await self.heard()


@pytest.fixture
def channel(world: World) -> Channel:
    return Channel(world, Conversation("chat", "C1"))


def add_draft(world: World, name: str, *, project: str = "vision") -> Document:
    """An experiment of Bob's, whom the bot does not know."""
    state, bob = world.sandbox.state, world.sandbox.bob.id
    found = state.project_named(project) or state.add_project(project, user=bob)
    return state.add_task(name, user=bob, project=found["id"])


async def enqueue(world: World, task: Document, queue: str = "alice_queue") -> None:
    bob = world.agent.acting_as(world.sandbox.bob)
    await bob.data("tasks.enqueue", task=task["id"], queue_name=queue)


async def test_a_queue_is_told_with_whose_it_is(world: World, channel: Channel) -> None:
    assert "queue alice_queue are watched here" in await channel.ask("/watch queue=Alice_Queue")
    task, elsewhere = add_draft(world, "his"), add_draft(world, "elsewhere")
    await enqueue(world, task)
    await enqueue(world, elsewhere, "default")
    assert await channel.look() == []
    await world.start(task)
    await world.start(elsewhere)
    verify(await channel.look(), ("“his” of Bob Brown has left Pending", WORKER))
    await world.end(task, "failed", "boom")
    await world.end(elsewhere, "failed")
    verify(await channel.look(), ("“his” of Bob Brown has Failed", "boom"))
    assert await world.delivered() == [], "Alice herself did not ask for it"


async def test_a_project_is_told_with_those_below_it(world: World, channel: Channel) -> None:
    inside, below, beside = (
        add_draft(world, name, project=project)
        for name, project in (("inside", "speech"), ("below", "speech/asr"), ("beside", "speeches"))
    )
    assert "project speech and those below it" in await channel.ask("/watch project=speech")
    for task in (inside, below, beside):
        await enqueue(world, task)
        await world.start(task)
        await world.end(task, "completed")
    told = await channel.look()
    assert sorted(line.split("”")[0] for line in told) == ["“below", "“inside"]
    assert all("left Pending" in line and "Completed" in line for line in told)
    assert await channel.look() == []


async def test_only_what_was_chosen_is_told(world: World, channel: Channel) -> None:
    assert "are watched here: enqueued, Failed." in await channel.ask(
        "/watch queue=alice_queue statuses=failed,pending"
    )
    task = add_draft(world, "his")
    await enqueue(world, task)
    verify(await channel.look(), ("“his” of Bob Brown was enqueued",))
    await world.start(task)
    assert await channel.look() == []
    await world.end(task, "failed")
    verify(await channel.look(), ("Failed",))
    await channel.ask("/watch queue=alice_queue")
    assert "left Pending, Completed, Failed, Aborted" in await channel.ask("/watching")


async def test_what_one_does_oneself_is_told_in_a_channel_but_not_in_private(
    world: World, channel: Channel
) -> None:
    for ask in (channel.ask, world.program.ask):
        await ask("/watch project=vision statuses=pending,aborted")
    await world.enqueued()
    verify(await channel.look(), ("“two cards” of alice was enqueued by alice",))
    await world.program.ask("/abort two cards")
    verify(await channel.look(), ("“two cards” of alice was Aborted by alice",))
    assert await world.delivered() == []


async def test_what_is_watched_by_itself_too_is_told_once(world: World, channel: Channel) -> None:
    await world.program.ask("/watch project=vision")
    await channel.ask("/watch project=vision")
    await channel.ask("/watch queue=alice_queue")
    task = await world.enqueued()
    await channel.ask(f"/watch {task['id']}")
    await world.start(task)
    verify(await channel.look(), ("“two cards” of alice has left Pending",))
    verify(await world.delivered(), ("“two cards” has left Pending",))


async def test_of_the_past_nothing_is_told(world: World, channel: Channel) -> None:
    task = add_draft(world, "over", project="speech")
    await enqueue(world, task)
    await world.start(task)
    await world.end(task, "completed")
    await channel.look()
    await channel.ask("/watch project=speech")
    assert await channel.look() == []
    await world.agent.data("tasks.publish", task=task["id"])
    assert await channel.look(later=60) == []


async def test_what_ran_already_is_told_when_it_ends(world: World, channel: Channel) -> None:
    task = add_draft(world, "running", project="speech")
    await enqueue(world, task)
    await world.start(task)
    await channel.look()
    await channel.ask("/watch project=speech")
    assert await channel.look() == []
    world.clock.advance(60)
    await world.end(task, "completed")
    verify(await channel.look(), ("“running” of Bob Brown is Completed after 1 min 2 s",))


async def test_what_was_started_by_hand_has_left_no_queue(world: World, channel: Channel) -> None:
    task = add_draft(world, "by hand", project="speech")
    await channel.ask("/watch project=speech")
    await world.agent.data("tasks.started", task=task["id"])
    assert await channel.look(later=10) == []
    await world.end(task, "completed")
    verify(await channel.look(), ("“by hand” of Bob Brown is Completed",))


async def test_a_known_owner_is_called_as_he_is_here(world: World, channel: Channel) -> None:
    """Where the bot acts as itself the server says that all is the bot's; for whom it was made is noted."""
    await channel.ask("/watch project=vision")
    bob = await world.program.introduce(world.sandbox.bob, Role.MEMBER)
    reply = await bob.say("/rerun baseline his queue=alice_queue --force")
    await world.start(world.sandbox.state.tasks[reply.experiment_id])
    verify(await channel.look(), ("“his” of Bob Brown has left Pending",))


async def test_the_look_goes_on_often_while_something_of_a_subscription_runs(
    world: World, channel: Channel
) -> None:
    process = world.program.program.process
    task = add_draft(world, "his", project="speech")
    await channel.ask("/watch project=speech")
    await enqueue(world, task)
    await channel.look()
    assert world.watcher.pause() == process.watch_interval
    await world.agent.acting_as(world.sandbox.bob).data("tasks.delete", task=task["id"], force=True)
    assert await world.watcher.look_for_deleted() == 0
    await channel.look()
    assert world.watcher.pause() == process.idle_watch_interval


async def test_a_subscription_that_is_ended_tells_nothing(world: World, channel: Channel) -> None:
    task = add_draft(world, "his", project="speech")
    await channel.ask("/watch project=speech")
    assert "project speech is no longer watched here" in await channel.ask("/unwatch project=spee")
    await enqueue(world, task)
    await world.start(task)
    assert await channel.look() == []


async def test_a_subscription_by_a_mention_is_the_channel_s(world: World, channel: Channel) -> None:
    """A mention begins a thread, in which the answer is; what comes later belongs into the channel."""
    await channel.say("/watch queue=alice_queue", thread="17.1", begins_thread=True)
    assert "(in a thread)" not in await channel.ask("/watching")
    await channel.say("/watch project=vision", thread="18.1")
    shown = await channel.ask("/watching")
    assert "project vision (in a thread)" in shown
    assert "2 queues and projects watched here" in shown
