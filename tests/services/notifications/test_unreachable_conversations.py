"""Lost conversations: people get notified elsewhere, and nothing is retried forever."""

from dataclasses import dataclass
from datetime import time, timedelta

import pytest

from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import (
    DEFAULT_SUBSCRIPTION_EVENTS,
    EventKind,
    ExperimentEvent,
    Notice,
    Subscription,
    SubscriptionKind,
)
from clearml_chatops.models.people import Identity, Role
from clearml_chatops.models.quiet import DailyDigest
from clearml_chatops.storage.daily_digests import DailyDigestStore
from clearml_chatops.storage.outbox import OutboxStore
from clearml_chatops.storage.people import PeopleStore
from clearml_chatops.storage.subscriptions import SubscriptionStore
from tests.support.program import RunningProgram, to_plain_text
from tests.support.timed_program import TimedProgram

CHANNEL = Conversation("slack", "C1")
ANNA_CHAT, BEN_CHAT = Conversation("telegram", "7"), Conversation("telegram", "8")
PLATFORMS = ("slack", "telegram")


@dataclass
class Lab:
    """Anna, an admin, and Ben, both on Slack and Telegram, and a channel that the bot can no longer reach."""

    evening: TimedProgram
    anna: int
    ben: int

    async def put(self, event: ExperimentEvent | Notice, conversation: Conversation = CHANNEL) -> None:
        async with self.evening.process.database.writing() as session:
            await OutboxStore(session).add([(event, conversation)], now=self.evening.now)

    async def add_completed_event(self, name: str, *people: int) -> None:
        await self.put(ExperimentEvent(EventKind.COMPLETED, name, name, self.evening.now, person_ids=people))

    async def reroute_due_messages(self, conversation: Conversation = CHANNEL) -> None:
        """Reroute everything that is due there, as if the conversation was gone."""
        service = self.evening.process.notifications
        while messages := await service.list_due(conversation.platform, conversation.id):
            for message in messages:
                await service.reroute(message, PLATFORMS)

    async def fail_due_messages(self, conversation: Conversation = CHANNEL) -> None:
        """Let everything that is due there fail for a day."""
        self.evening.advance(hours=24)
        service = self.evening.process.notifications
        for message in await service.list_due(conversation.platform, conversation.id):
            await service.mark_failed(message, "no answer")

    async def add_subscription(
        self, person_id: int, conversation: Conversation = CHANNEL, name: str = "fast"
    ) -> None:
        since = self.evening.now - timedelta(hours=1)
        async with self.evening.process.database.writing() as session:
            await SubscriptionStore(session).put(
                Subscription(
                    SubscriptionKind.QUEUE, name, name, conversation, person_id, DEFAULT_SUBSCRIPTION_EVENTS, since
                )
            )

    async def list_subscribed_conversations(self) -> list[Conversation]:
        async with self.evening.process.database.reading() as session:
            return [item.conversation for item in await SubscriptionStore(session).list_all()]


@pytest.fixture
async def lab(program: RunningProgram) -> Lab:
    evening = TimedProgram(program)
    async with evening.process.database.writing() as session:
        people, ids = PeopleStore(session), []
        for name, role, number in (("Anna", Role.ADMIN, ANNA_CHAT.id), ("Ben", Role.MEMBER, BEN_CHAT.id)):
            person = await people.add(
                Identity("slack", f"U{number}", "T1"), name=name, role=role, clearml_user_id=""
            )
            await people.link(Identity("telegram", number), person.id)
            ids.append(person.id)
    return Lab(evening, *ids)


async def test_notice_is_rerouted_to_its_person(lab: Lab) -> None:
    await lab.put(Notice("worker", "The worker has died.", lab.evening.now, person_id=lab.ben))
    await lab.reroute_due_messages()
    assert await lab.evening.deliver_due(BEN_CHAT) == ["The worker has died."]
    assert await lab.evening.deliver_due(ANNA_CHAT) == []


async def test_event_is_rerouted_to_everyone_who_wanted_it(lab: Lab) -> None:
    await lab.add_completed_event("first", lab.anna, lab.ben)
    await lab.add_completed_event("second", lab.ben)
    await lab.reroute_due_messages()
    assert [text.split("\n")[0] for text in await lab.evening.deliver_due(ANNA_CHAT)] == ["“first” completed."]
    assert [text.split("\n")[0] for text in await lab.evening.deliver_due(BEN_CHAT)] == [
        "“first” completed.",
        "“second” completed.",
    ]


async def test_subscriptions_of_a_lost_conversation_end_with_a_notice(lab: Lab) -> None:
    thread = Conversation("slack", "C1", "t1")
    other_channel = Conversation("slack", "C2")
    for conversation, name in ((CHANNEL, "fast"), (thread, "slow"), (other_channel, "fast")):
        await lab.add_subscription(lab.ben, conversation, name)
    await lab.add_completed_event("first", lab.ben)
    await lab.add_completed_event("second", lab.ben)
    await lab.reroute_due_messages()
    assert await lab.list_subscribed_conversations() == [other_channel]
    messages = await lab.evening.deliver_due(BEN_CHAT)
    first, ended, second = (text.split("\n")[0] for text in messages)
    assert (first, second) == ("“first” completed.", "“second” completed.")
    assert ended.startswith("The bot can no longer reach slack:C1.")
    assert "Ended there: notifications for the queue “fast”, notifications for the queue “slow”. " in ended


async def test_daily_digest_of_a_lost_conversation_ends(lab: Lab) -> None:
    now = lab.evening.now
    async with lab.evening.process.database.writing() as session:
        await DailyDigestStore(session).put(DailyDigest(CHANNEL, time(9), "UTC", False, now, lab.ben))
    await lab.put(Notice("digest", "Since 09:00: 1 Failed.", now, person_id=lab.ben))
    await lab.reroute_due_messages()
    assert await lab.evening.process.daily_digests.get(CHANNEL) is None
    first, then = await lab.evening.deliver_due(BEN_CHAT)
    assert "1 Failed" in first
    assert "Ended there: the daily digest." in then


async def test_reroutes_again_when_the_next_conversation_is_lost_too(lab: Lab) -> None:
    await lab.add_completed_event("first", lab.ben)
    await lab.reroute_due_messages()
    await lab.reroute_due_messages(BEN_CHAT)
    (message,) = await lab.evening.deliver_due(Conversation("slack", f"U{BEN_CHAT.id}"))
    assert message.startswith("“first” completed.")


async def test_deferred_messages_are_rerouted_to_each_person(lab: Lab) -> None:
    await lab.evening.ask("/mute 1h", CHANNEL)
    await lab.add_completed_event("first", lab.anna)
    await lab.put(Notice("gpu", "GPU 1 is free.", lab.evening.now, person_id=lab.ben))
    lab.evening.advance(hours=2)
    await lab.reroute_due_messages()
    assert [text.split("\n")[0] for text in await lab.evening.deliver_due(ANNA_CHAT)] == ["“first” completed."]
    assert await lab.evening.deliver_due(BEN_CHAT) == ["GPU 1 is free."]


# ── Notifications that stay undelivered for a day ─────────────────────────────────────────────────


async def test_undelivered_notice_is_reported_to_admins_once(lab: Lab) -> None:
    await lab.put(Notice("worker", "The worker has died.", lab.evening.now, person_id=lab.ben))
    await lab.fail_due_messages()
    assert await lab.evening.list_due(CHANNEL) == []
    (note,) = await lab.evening.list_due(ANNA_CHAT)
    assert to_plain_text(note) == (
        "A notification couldn't be sent to slack:C1 for a day (no answer): The worker has died."
    )
    await lab.fail_due_messages(ANNA_CHAT)
    assert await lab.evening.list_due(ANNA_CHAT) == [], "there is no note about a note"
    assert await lab.evening.list_due(BEN_CHAT) == [], "no admin"


async def test_undelivered_summary_is_one_admin_note(lab: Lab) -> None:
    await lab.evening.ask("/mute 1h", CHANNEL)
    for number in range(12):
        await lab.add_completed_event(f"run {number}", lab.ben)
    await lab.put(Notice("gpu", "GPU 1 is free.", lab.evening.now, person_id=lab.ben))
    await lab.fail_due_messages()
    (note,) = await lab.evening.deliver_due(ANNA_CHAT)
    lines = note.splitlines()
    assert lines[0] == "13 notifications couldn't be sent to slack:C1 for a day (no answer):"
    assert (lines[1], lines[10:]) == ("“run 0”", ["“run 9”", "and 3 more"])
