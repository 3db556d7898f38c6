"""Subscriptions: a channel gets notified of all experiments in a queue or project, once per event."""

from dataclasses import dataclass

import pytest

from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Outcome, Reply
from clearml_chatops.sandbox.documents import Document
from tests.support.program import to_plain_text
from tests.support.watcher_setup import WORKER, WatcherSetup, assert_notifications


@dataclass
class Channel:
    """A channel in which Alice writes to the bot, and others read."""

    setup: WatcherSetup
    conversation: Conversation

    async def send(self, line: str, *, thread: str = "", starts_thread: bool = False) -> Reply:
        program = self.setup.program
        conversation = Conversation(self.conversation.platform, self.conversation.id, thread)
        return await program.program.dispatcher.handle(
            IncomingMessage(program.identity, program.name, conversation, line, starts_thread=starts_thread)
        )

    async def ask(self, line: str) -> str:
        reply = await self.send(line)
        assert reply.outcome is Outcome.DONE, to_plain_text(reply)
        return to_plain_text(reply)

    async def read_messages(self) -> list[str]:
        messages = await self.setup.program.deliver_due(self.setup.notifications, self.conversation)
        return [to_plain_text(reply).partition("\n[")[0] for reply in messages]

    async def poll(self, *, later: float = 1) -> list[str]:
        self.setup.clock.advance(later)
        await self.setup.watcher.poll()
        return await self.read_messages()


@pytest.fixture
def channel(setup: WatcherSetup) -> Channel:
    return Channel(setup, Conversation("chat", "C1"))


def add_draft(setup: WatcherSetup, name: str, *, project: str = "vision") -> Document:
    """Add an experiment of Bob, who is unknown to the bot."""
    state, bob = setup.sandbox.state, setup.sandbox.bob.id
    found = state.find_project(project) or state.add_project(project, user=bob)
    return state.add_task(name, user=bob, project=found["id"])


async def enqueue(setup: WatcherSetup, task: Document, queue: str = "alice_queue") -> None:
    bob = setup.agent.acting_as(setup.sandbox.bob)
    await bob.call_for_data("tasks.enqueue", task=task["id"], queue_name=queue)


async def test_queue_subscription_names_the_owner(setup: WatcherSetup, channel: Channel) -> None:
    assert "the queue “alice_queue” are on here" in await channel.ask("/watch queue=Alice_Queue")
    task, other_queue_task = add_draft(setup, "bobs"), add_draft(setup, "elsewhere")
    await enqueue(setup, task)
    await enqueue(setup, other_queue_task, "default")
    assert await channel.poll() == []
    await setup.start_run(task)
    await setup.start_run(other_queue_task)
    assert_notifications(await channel.poll(), ("“bobs” (Bob Brown) started", WORKER))
    await setup.finish_run(task, "failed", "boom")
    await setup.finish_run(other_queue_task, "failed")
    assert_notifications(await channel.poll(), ("“bobs” (Bob Brown) failed", "boom"))
    assert await setup.deliver() == [], "Alice did not subscribe in private"


async def test_project_subscription_includes_subprojects(setup: WatcherSetup, channel: Channel) -> None:
    inside, below, similar_name = (
        add_draft(setup, name, project=project)
        for name, project in (("inside", "speech"), ("below", "speech/asr"), ("similar", "speeches"))
    )
    assert "the project “speech” and its subprojects" in await channel.ask("/watch project=speech")
    for task in (inside, below, similar_name):
        await enqueue(setup, task)
        await setup.start_run(task)
        await setup.finish_run(task, "completed")
    messages = await channel.poll()
    assert sorted(line.split("”")[0] for line in messages) == ["“below", "“inside"]
    assert all("started" in line and "completed" in line for line in messages)
    assert await channel.poll() == []


async def test_only_chosen_statuses_are_notified(setup: WatcherSetup, channel: Channel) -> None:
    assert "are on here: enqueued, failed." in await channel.ask(
        "/watch queue=alice_queue statuses=failed,pending"
    )
    task = add_draft(setup, "bobs")
    await enqueue(setup, task)
    assert_notifications(await channel.poll(), ("“bobs” (Bob Brown) was enqueued",))
    await setup.start_run(task)
    assert await channel.poll() == []
    await setup.finish_run(task, "failed")
    assert_notifications(await channel.poll(), ("failed",))
    await channel.ask("/watch queue=alice_queue")
    assert "started, completed, failed, aborted" in await channel.ask("/watching")


async def test_own_actions_are_notified_in_a_channel_but_not_in_private(
    setup: WatcherSetup, channel: Channel
) -> None:
    for ask in (channel.ask, setup.program.ask):
        await ask("/watch project=vision statuses=pending,aborted")
    await setup.enqueue_clone()
    assert_notifications(await channel.poll(), ("“two GPUs” (alice) was enqueued by alice",))
    await setup.program.ask("/abort two GPUs")
    assert_notifications(await channel.poll(), ("“two GPUs” (alice) was aborted by alice",))
    assert await setup.deliver() == []


async def test_experiment_that_is_also_watched_is_notified_once(setup: WatcherSetup, channel: Channel) -> None:
    await setup.program.ask("/watch project=vision")
    await channel.ask("/watch project=vision")
    await channel.ask("/watch queue=alice_queue")
    task = await setup.enqueue_clone()
    await channel.ask(f"/watch {task['id']}")
    await setup.start_run(task)
    assert_notifications(await channel.poll(), ("“two GPUs” (alice) started",))
    assert_notifications(await setup.deliver(), ("“two GPUs” started",))


async def test_past_events_are_not_notified(setup: WatcherSetup, channel: Channel) -> None:
    task = add_draft(setup, "over", project="speech")
    await enqueue(setup, task)
    await setup.start_run(task)
    await setup.finish_run(task, "completed")
    await channel.poll()
    await channel.ask("/watch project=speech")
    assert await channel.poll() == []
    await setup.agent.call_for_data("tasks.publish", task=task["id"])
    assert await channel.poll(later=60) == []


async def test_run_already_active_is_notified_when_it_ends(setup: WatcherSetup, channel: Channel) -> None:
    task = add_draft(setup, "running", project="speech")
    await enqueue(setup, task)
    await setup.start_run(task)
    await channel.poll()
    await channel.ask("/watch project=speech")
    assert await channel.poll() == []
    setup.clock.advance(60)
    await setup.finish_run(task, "completed")
    assert_notifications(await channel.poll(), ("“running” (Bob Brown) completed after 1 min 2 s",))


async def test_manually_started_run_has_not_left_a_queue(setup: WatcherSetup, channel: Channel) -> None:
    task = add_draft(setup, "by hand", project="speech")
    await channel.ask("/watch project=speech")
    await setup.agent.call_for_data("tasks.started", task=task["id"])
    assert await channel.poll(later=10) == []
    await setup.finish_run(task, "completed")
    assert_notifications(await channel.poll(), ("“by hand” (Bob Brown) completed",))


async def test_known_owner_is_shown_with_their_local_name(setup: WatcherSetup, channel: Channel) -> None:
    """If the bot acts as itself, the server names the bot as the owner; the bot stores the real one."""
    await channel.ask("/watch project=vision")
    bob = await setup.program.add_person(setup.sandbox.bob, Role.MEMBER)
    reply = await bob.send("/rerun baseline bobs queue=alice_queue --force")
    await setup.start_run(setup.sandbox.state.tasks[reply.experiment_id])
    assert_notifications(await channel.poll(), ("“bobs” (Bob Brown) started",))


async def test_poll_delay_stays_short_while_a_subscribed_run_is_active(
    setup: WatcherSetup, channel: Channel
) -> None:
    process = setup.program.program.process
    task = add_draft(setup, "bobs", project="speech")
    await channel.ask("/watch project=speech")
    await enqueue(setup, task)
    await channel.poll()
    assert setup.watcher.get_poll_delay() == process.poll_interval
    await setup.agent.acting_as(setup.sandbox.bob).call_for_data("tasks.delete", task=task["id"], force=True)
    assert await setup.watcher.poll_deleted() == 0
    await channel.poll()
    assert setup.watcher.get_poll_delay() == process.idle_poll_interval


async def test_ended_subscription_is_not_notified(setup: WatcherSetup, channel: Channel) -> None:
    task = add_draft(setup, "bobs", project="speech")
    await channel.ask("/watch project=speech")
    assert "the project “speech” are off here" in await channel.ask("/unwatch project=spee")
    await enqueue(setup, task)
    await setup.start_run(task)
    assert await channel.poll() == []


async def test_subscription_by_mention_belongs_to_the_channel(setup: WatcherSetup, channel: Channel) -> None:
    """A mention starts a thread for the reply; later notifications go to the channel."""
    await channel.send("/watch queue=alice_queue", thread="17.1", starts_thread=True)
    assert "(in a thread)" not in await channel.ask("/watching")
    await channel.send("/watch project=vision", thread="18.1")
    watch_list = await channel.ask("/watching")
    assert "project vision (in a thread)" in watch_list
    assert "2 queues and projects watched here" in watch_list
