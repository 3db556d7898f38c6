"""Conversations that are gone: whom that concerns is told elsewhere, and nothing is tried again for ever."""

from dataclasses import dataclass
from datetime import time, timedelta

import pytest

from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import (
    TOLD_TO_SUBSCRIBERS,
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
from tests.support.evenings import Evening
from tests.support.program import RunningProgram, plain_text

CHANNEL = Conversation("slack", "C1")
ANNAS, BENS = Conversation("telegram", "7"), Conversation("telegram", "8")
PLATFORMS = ("slack", "telegram")


@dataclass
class Lab:
    """Anna, an admin, and Ben, both on Slack and Telegram, and a channel that can be reached no more."""

    evening: Evening
    anna: int
    ben: int

    async def put(self, event: ExperimentEvent | Notice, place: Conversation = CHANNEL) -> None:
        async with self.evening.process.database.writing() as session:
            await OutboxStore(session).add([(event, place)], now=self.evening.now)

    async def ended(self, name: str, *people: int) -> None:
        await self.put(ExperimentEvent(EventKind.COMPLETED, name, name, self.evening.now, people=people))

    async def is_gone(self, place: Conversation = CHANNEL) -> None:
        """All that is due there finds nobody."""
        service = self.evening.process.notifications
        while messages := await service.due(place.platform, place.id):
            for message in messages:
                await service.gone(message, PLATFORMS)

    async def cannot_be_reached(self, place: Conversation = CHANNEL) -> None:
        """All that is due there has failed to be told for a day."""
        self.evening.passes(hours=24)
        service = self.evening.process.notifications
        for message in await service.due(place.platform, place.id):
            await service.failed(message, "no answer")

    async def subscribes(self, person_id: int, place: Conversation = CHANNEL, name: str = "fast") -> None:
        since = self.evening.now - timedelta(hours=1)
        async with self.evening.process.database.writing() as session:
            await SubscriptionStore(session).put(
                Subscription(SubscriptionKind.QUEUE, name, name, place, person_id, TOLD_TO_SUBSCRIBERS, since)
            )

    async def subscriptions(self) -> list[Conversation]:
        async with self.evening.process.database.reading() as session:
            return [item.conversation for item in await SubscriptionStore(session).all()]


@pytest.fixture
async def lab(program: RunningProgram) -> Lab:
    evening = Evening(program)
    async with evening.process.database.writing() as session:
        people, ids = PeopleStore(session), []
        for name, role, number in (("Anna", Role.ADMIN, ANNAS.id), ("Ben", Role.MEMBER, BENS.id)):
            person = await people.add(
                Identity("slack", f"U{number}", "T1"), name=name, role=role, clearml_user_id=""
            )
            await people.link(Identity("telegram", number), person.id)
            ids.append(person.id)
    return Lab(evening, *ids)


async def test_a_notice_reaches_its_person_elsewhere(lab: Lab) -> None:
    await lab.put(Notice("worker", "The worker has died.", lab.evening.now, person_id=lab.ben))
    await lab.is_gone()
    assert await lab.evening.told(BENS) == ["The worker has died."]
    assert await lab.evening.told(ANNAS) == []


async def test_everybody_who_wanted_it_there_is_told_elsewhere(lab: Lab) -> None:
    await lab.ended("first", lab.anna, lab.ben)
    await lab.ended("second", lab.ben)
    await lab.is_gone()
    assert [text.split("\n")[0] for text in await lab.evening.told(ANNAS)] == ["“first” is Completed."]
    assert [text.split("\n")[0] for text in await lab.evening.told(BENS)] == [
        "“first” is Completed.",
        "“second” is Completed.",
    ]


async def test_what_a_gone_conversation_has_subscribed_to_ends_and_who_wanted_it_is_told_so(lab: Lab) -> None:
    thread = Conversation("slack", "C1", "t1")
    elsewhere = Conversation("slack", "C2")
    for place, name in ((CHANNEL, "fast"), (thread, "slow"), (elsewhere, "fast")):
        await lab.subscribes(lab.ben, place, name)
    await lab.ended("first", lab.ben)
    await lab.ended("second", lab.ben)
    await lab.is_gone()
    assert await lab.subscriptions() == [elsewhere]
    told = await lab.evening.told(BENS)
    first, ended, second = (text.split("\n")[0] for text in told)
    assert (first, second) == ("“first” is Completed.", "“second” is Completed.")
    assert ended.startswith("slack:C1 cannot be reached any more")
    assert ended.endswith("ended there: the watch of queue fast, the watch of queue slow.")


async def test_the_daily_digest_of_a_gone_conversation_ends(lab: Lab) -> None:
    now = lab.evening.now
    async with lab.evening.process.database.writing() as session:
        await DailyDigestStore(session).put(DailyDigest(CHANNEL, time(9), "UTC", False, now, lab.ben))
    await lab.put(Notice("digest", "Since 09:00: 1 Failed.", now, person_id=lab.ben))
    await lab.is_gone()
    assert await lab.evening.process.daily_digests.of(CHANNEL) is None
    first, then = await lab.evening.told(BENS)
    assert "1 Failed" in first
    assert "ended there: the daily digest." in then


async def test_a_place_that_is_gone_too_leads_to_the_next_one(lab: Lab) -> None:
    await lab.ended("first", lab.ben)
    await lab.is_gone()
    await lab.is_gone(BENS)
    (told,) = await lab.evening.told(Conversation("slack", f"U{BENS.id}"))
    assert told.startswith("“first” is Completed.")


async def test_what_was_held_back_is_told_to_each_elsewhere(lab: Lab) -> None:
    await lab.evening.ask("/mute 1h", CHANNEL)
    await lab.ended("first", lab.anna)
    await lab.put(Notice("card", "Card 1 is free.", lab.evening.now, person_id=lab.ben))
    lab.evening.passes(hours=2)
    await lab.is_gone()
    assert [text.split("\n")[0] for text in await lab.evening.told(ANNAS)] == ["“first” is Completed."]
    assert await lab.evening.told(BENS) == ["Card 1 is free."]


# ── What could not be told for a day ──────────────────────────────────────────────────────────────


async def test_a_notice_that_could_not_be_told_for_a_day_is_noted_to_the_admins_once(lab: Lab) -> None:
    await lab.put(Notice("worker", "The worker has died.", lab.evening.now, person_id=lab.ben))
    await lab.cannot_be_reached()
    assert await lab.evening.due(CHANNEL) == []
    (note,) = await lab.evening.due(ANNAS)
    assert plain_text(note) == ("This could not be told at slack:C1 for a day (no answer): The worker has died.")
    await lab.cannot_be_reached(ANNAS)
    assert await lab.evening.due(ANNAS) == [], "there is no note about a note"
    assert await lab.evening.due(BENS) == [], "no admin"


async def test_a_digest_that_could_not_be_told_for_a_day_is_one_note_with_its_subjects(
    lab: Lab,
) -> None:
    await lab.evening.ask("/mute 1h", CHANNEL)
    for number in range(12):
        await lab.ended(f"run {number}", lab.ben)
    await lab.put(Notice("card", "Card 1 is free.", lab.evening.now, person_id=lab.ben))
    await lab.cannot_be_reached()
    (note,) = await lab.evening.told(ANNAS)
    lines = note.splitlines()
    assert (
        lines[0]
        == "What was held back from there, 13 messages, could not be told at slack:C1 for a day (no answer):"
    )
    assert (lines[1], lines[10:]) == ("“run 0”", ["“run 9”", "and 3 more"])
