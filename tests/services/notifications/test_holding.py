"""What happens while a conversation is to be told nothing is told in one message afterwards."""

from datetime import timedelta

import pytest

from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import EventKind
from clearml_chatops.models.people import Identity
from clearml_chatops.storage.people import PeopleStore
from tests.support.evenings import Evening
from tests.support.program import RunningProgram

LAB = Conversation("chat", "C1")
THREAD = Conversation("chat", "C1", "7")
NIGHT = "/quiet 23:00-08:00 tz=Europe/Berlin"


@pytest.fixture
async def evening(program: RunningProgram) -> Evening:
    evening = Evening(program)
    await evening.ask("/whoami")
    return evening


async def test_a_muted_conversation_is_told_everything_at_once_afterwards(evening: Evening) -> None:
    await evening.ask("/mute 2h")
    await evening.happens("a", EventKind.LEFT_PENDING)
    evening.passes(hours=1)
    await evening.happens("a", EventKind.FAILED, ran=timedelta(hours=1))
    await evening.happens("b", EventKind.COMPLETED, ran=timedelta(minutes=3))
    await evening.noted("Card 1 of lab is free.")
    assert await evening.told() == []
    evening.passes(minutes=59)
    assert await evening.told() == []
    evening.passes(minutes=1)
    await evening.happens("c")
    digest, after = await evening.told()
    assert "1 Failed, 1 Completed, 1 other" in digest
    assert "“a”: left Pending 21:00 UTC, Failed after 1 h" in digest
    assert "“b”: Completed after 3 min" in digest
    assert digest.index("“a”") < digest.index("“b”") < digest.index("Card 1 of lab is free.")
    assert "[Show log of a] /log a" in digest
    assert after.startswith("“c” is Completed.")
    assert await evening.told() == []


async def test_what_was_held_back_is_one_message_however_much_it_is(evening: Evening) -> None:
    await evening.ask("/mute 2h")
    for number in range(120):
        await evening.happens(f"run {number:03}", EventKind.COMPLETED)
    evening.passes(hours=2)
    (digest,) = await evening.told()
    assert "120 Completed" in digest
    assert "and 100 more" in digest
    assert "/watching" in digest


async def test_of_one_experiment_it_is_the_usual_message(evening: Evening) -> None:
    await evening.ask("/mute 2h")
    await evening.happens("a", EventKind.LEFT_PENDING)
    await evening.happens("a", EventKind.FAILED)
    evening.passes(hours=2)
    (message,) = await evening.told()
    assert message.startswith("“a” has left Pending.\n“a” has Failed.\n")
    assert "[Show log] /log a" in message


async def test_unmuting_tells_what_was_held_back(evening: Evening) -> None:
    await evening.ask("/mute 1d")
    await evening.happens("a")
    await evening.happens("b")
    evening.passes(minutes=5)
    assert "told things here again" in await evening.ask("/mute off")
    assert ["2 Completed" in text for text in await evening.told()] == [True]
    assert "not muted" in await evening.ask("/mute off")


async def test_a_digest_that_is_not_delivered_is_the_same_digest_the_next_time(evening: Evening) -> None:
    """As after a crash between the digest and the note that it was told."""
    await evening.ask("/mute 1h")
    await evening.happens("a")
    await evening.happens("b")
    evening.passes(hours=1)
    before = await evening.due()
    assert len(before) == 1
    evening.passes(minutes=1)
    assert await evening.due() == before
    assert len(await evening.told()) == 1
    assert await evening.told() == []


async def test_a_channel_is_muted_with_its_threads_and_no_other_conversation_is(evening: Evening) -> None:
    await evening.ask("/mute 1h", THREAD)
    await evening.happens("mine")
    for place in (LAB, THREAD):
        await evening.happens("theirs", place=place)
        await evening.happens("also theirs", place=place)
    assert len(await evening.told()) == 1
    assert await evening.told(LAB) == []
    evening.passes(hours=1)
    (message,) = await evening.process.notifications.due("chat", "C1")
    assert message.recipient == LAB
    (digest,) = await evening.told(LAB)
    assert "2 Completed" in digest, "what was to be told in two threads happened once"


async def test_at_night_nothing_is_told_and_in_the_morning_all_at_once(evening: Evening) -> None:
    await evening.ask(NIGHT)
    await evening.happens("before")
    assert len(await evening.told()) == 1
    evening.passes(hours=1)
    await evening.happens("a", EventKind.LEFT_PENDING)
    evening.passes(hours=5, minutes=2)
    await evening.happens("a", EventKind.COMPLETED, ran=timedelta(hours=5, minutes=2))
    await evening.happens("b", EventKind.FAILED)
    assert await evening.told() == []
    evening.passes(hours=3, minutes=58)
    (digest,) = await evening.told()
    assert "“a”: left Pending 23:00, Completed after 5 h 2 min" in digest
    await evening.happens("after")
    assert len(await evening.told()) == 1


async def test_the_night_counts_after_the_bot_was_down_in_the_morning(evening: Evening) -> None:
    await evening.ask(NIGHT)
    evening.passes(hours=2)
    await evening.happens("a")
    await evening.happens("b")
    evening.passes(hours=12)
    (digest,) = await evening.told()
    assert "2 Completed" in digest


async def test_failures_are_let_through_with_what_led_to_them(evening: Evening) -> None:
    await evening.ask(f"{NIGHT} failures=now")
    evening.passes(hours=2)
    await evening.happens("good")
    await evening.happens("bad", EventKind.LEFT_PENDING)
    assert await evening.told() == []
    await evening.happens("bad", EventKind.FAILED)
    (failure,) = await evening.told()
    assert failure.startswith("“bad” has left Pending.\n“bad” has Failed.")
    await evening.ask("/mute 1h")
    await evening.happens("worse", EventKind.FAILED)
    assert await evening.told() == [], "a mute is for everything"
    evening.passes(hours=1)
    assert ["“worse” has Failed" in text for text in await evening.told()] == [True]
    evening.passes(hours=10)
    assert ["“good” is Completed" in text for text in await evening.told()] == [True]


@pytest.mark.parametrize("change", ["/quiet off", "/quiet 00:30-08:00 tz=Europe/Berlin"])
async def test_other_hours_tell_what_the_former_have_held_back(evening: Evening, change: str) -> None:
    await evening.ask(NIGHT)
    evening.passes(hours=1, minutes=15)
    await evening.happens("a")
    await evening.happens("b")
    assert await evening.told() == []
    evening.passes(minutes=1)
    await evening.ask(change)
    (digest,) = await evening.told()
    assert "2 Completed" in digest


async def test_quiet_hours_count_wherever_the_person_is_alone_with_the_bot(evening: Evening) -> None:
    alone = (Conversation("telegram", "7"), Conversation("slack", "U1"), Conversation("slack", "D1"))
    slack = Identity("slack", "U1", "T1")
    person = await evening.program.person()
    assert person
    async with evening.process.database.writing() as session:
        await PeopleStore(session).link(Identity("telegram", "7"), person.id)
        await PeopleStore(session).link(slack, person.id)
    await evening.say("/whoami", alone[2], identity=slack, private=True)
    await evening.ask(NIGHT)
    evening.passes(hours=2)
    for place in (*alone, LAB):
        await evening.happens("a", place=place)
    assert [len(await evening.told(place)) for place in (*alone, LAB)] == [0, 0, 0, 1]
    evening.passes(hours=9)
    assert [len(await evening.told(place)) for place in alone] == [1, 1, 1]


async def test_who_is_gone_is_told_all_of_a_digest_elsewhere(evening: Evening) -> None:
    person = await evening.program.person()
    assert person
    async with evening.process.database.writing() as session:
        await PeopleStore(session).link(Identity("telegram", "7"), person.id)
    gone, other = Conversation("slack", "D1"), Conversation("telegram", "7")
    await evening.say("/mute 1h", gone)
    for name in ("a", "b"):
        await evening.happens(name, place=gone, people=(person.id,))
    evening.passes(hours=1)
    (digest,) = await evening.process.notifications.due("slack", "D1")
    assert await evening.process.notifications.gone(digest, ["telegram"]) == other
    assert await evening.told(gone) == []
    assert len(await evening.told(other)) == 2
