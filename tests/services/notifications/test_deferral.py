"""Deferred notifications are sent in one message afterwards."""

from datetime import timedelta

import pytest

from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import EventKind
from clearml_chatops.models.people import Identity
from clearml_chatops.storage.people import PeopleStore
from tests.support.program import RunningProgram
from tests.support.timed_program import TimedProgram

LAB = Conversation("chat", "C1")
LAB_THREAD = Conversation("chat", "C1", "7")
QUIET_AT_NIGHT = "/quiet 23:00-08:00 tz=Europe/Berlin"


@pytest.fixture
async def evening(program: RunningProgram) -> TimedProgram:
    evening = TimedProgram(program)
    await evening.ask("/whoami")
    return evening


async def test_muted_conversation_gets_one_summary_afterwards(evening: TimedProgram) -> None:
    await evening.ask("/mute 2h")
    await evening.add_event("a", EventKind.STARTED)
    evening.advance(hours=1)
    await evening.add_event("a", EventKind.FAILED, running_time=timedelta(hours=1))
    await evening.add_event("b", EventKind.COMPLETED, running_time=timedelta(minutes=3))
    await evening.add_notice("GPU 1 of lab is free.")
    assert await evening.deliver_due() == []
    evening.advance(minutes=59)
    assert await evening.deliver_due() == []
    evening.advance(minutes=1)
    await evening.add_event("c")
    digest, after = await evening.deliver_due()
    assert "1 Failed, 1 Completed, 1 other" in digest
    assert "“a”: started 21:00 UTC, failed after 1 h" in digest
    assert "“b”: completed after 3 min" in digest
    assert digest.index("“a”") < digest.index("“b”") < digest.index("GPU 1 of lab is free.")
    assert "[Show log of a] /log a" in digest
    assert after.startswith("“c” completed.")
    assert await evening.deliver_due() == []


async def test_deferred_notifications_are_one_message(evening: TimedProgram) -> None:
    await evening.ask("/mute 2h")
    for number in range(120):
        await evening.add_event(f"run {number:03}", EventKind.COMPLETED)
    evening.advance(hours=2)
    (summary,) = await evening.deliver_due()
    assert "120 Completed" in summary
    assert "and 100 more" in summary
    assert "/watching" in summary


async def test_deferred_notifications_of_one_experiment_are_a_normal_message(evening: TimedProgram) -> None:
    await evening.ask("/mute 2h")
    await evening.add_event("a", EventKind.STARTED)
    await evening.add_event("a", EventKind.FAILED)
    evening.advance(hours=2)
    (message,) = await evening.deliver_due()
    assert message.startswith("“a” started.\n“a” failed.\n")
    assert "[Show log] /log a" in message


async def test_unmuting_sends_deferred_notifications(evening: TimedProgram) -> None:
    await evening.ask("/mute 1d")
    await evening.add_event("a")
    await evening.add_event("b")
    evening.advance(minutes=5)
    assert "Notifications are on here again" in await evening.ask("/mute off")
    assert ["2 Completed" in text for text in await evening.deliver_due()] == [True]
    assert "weren't muted" in await evening.ask("/mute off")


async def test_undelivered_summary_is_unchanged_at_the_next_attempt(evening: TimedProgram) -> None:
    """As after a crash before the delivery was recorded."""
    await evening.ask("/mute 1h")
    await evening.add_event("a")
    await evening.add_event("b")
    evening.advance(hours=1)
    before = await evening.list_due()
    assert len(before) == 1
    evening.advance(minutes=1)
    assert await evening.list_due() == before
    assert len(await evening.deliver_due()) == 1
    assert await evening.deliver_due() == []


async def test_mute_applies_to_a_channel_and_its_threads_only(evening: TimedProgram) -> None:
    await evening.ask("/mute 1h", LAB_THREAD)
    await evening.add_event("mine")
    for conversation in (LAB, LAB_THREAD):
        await evening.add_event("theirs", conversation=conversation)
        await evening.add_event("also theirs", conversation=conversation)
    assert len(await evening.deliver_due()) == 1
    assert await evening.deliver_due(LAB) == []
    evening.advance(hours=1)
    (message,) = await evening.process.notifications.list_due("chat", "C1")
    assert message.recipient == LAB
    (summary,) = await evening.deliver_due(LAB)
    assert "2 Completed" in summary, "the events of two threads happened once"


async def test_quiet_hours_defer_until_morning(evening: TimedProgram) -> None:
    await evening.ask(QUIET_AT_NIGHT)
    await evening.add_event("before")
    assert len(await evening.deliver_due()) == 1
    evening.advance(hours=1)
    await evening.add_event("a", EventKind.STARTED)
    evening.advance(hours=5, minutes=2)
    await evening.add_event("a", EventKind.COMPLETED, running_time=timedelta(hours=5, minutes=2))
    await evening.add_event("b", EventKind.FAILED)
    assert await evening.deliver_due() == []
    evening.advance(hours=3, minutes=58)
    (digest,) = await evening.deliver_due()
    assert "“a”: started 23:00, completed after 5 h 2 min" in digest
    await evening.add_event("after")
    assert len(await evening.deliver_due()) == 1


async def test_quiet_hours_count_after_a_morning_downtime(evening: TimedProgram) -> None:
    await evening.ask(QUIET_AT_NIGHT)
    evening.advance(hours=2)
    await evening.add_event("a")
    await evening.add_event("b")
    evening.advance(hours=12)
    (summary,) = await evening.deliver_due()
    assert "2 Completed" in summary


async def test_failures_pass_quiet_hours_with_earlier_events(evening: TimedProgram) -> None:
    await evening.ask(f"{QUIET_AT_NIGHT} failures=now")
    evening.advance(hours=2)
    await evening.add_event("good")
    await evening.add_event("bad", EventKind.STARTED)
    assert await evening.deliver_due() == []
    await evening.add_event("bad", EventKind.FAILED)
    (failure,) = await evening.deliver_due()
    assert failure.startswith("“bad” started.\n“bad” failed.")
    await evening.ask("/mute 1h")
    await evening.add_event("worse", EventKind.FAILED)
    assert await evening.deliver_due() == [], "a mute is for everything"
    evening.advance(hours=1)
    assert ["“worse” failed" in text for text in await evening.deliver_due()] == [True]
    evening.advance(hours=10)
    assert ["“good” completed" in text for text in await evening.deliver_due()] == [True]


@pytest.mark.parametrize("change", ["/quiet off", "/quiet 00:30-08:00 tz=Europe/Berlin"])
async def test_changed_quiet_hours_send_deferred_notifications(evening: TimedProgram, change: str) -> None:
    await evening.ask(QUIET_AT_NIGHT)
    evening.advance(hours=1, minutes=15)
    await evening.add_event("a")
    await evening.add_event("b")
    assert await evening.deliver_due() == []
    evening.advance(minutes=1)
    await evening.ask(change)
    (summary,) = await evening.deliver_due()
    assert "2 Completed" in summary


async def test_quiet_hours_apply_to_all_direct_messages(evening: TimedProgram) -> None:
    direct_messages = (Conversation("telegram", "7"), Conversation("slack", "U1"), Conversation("slack", "D1"))
    slack = Identity("slack", "U1", "T1")
    person = await evening.program.find_person()
    assert person
    async with evening.process.database.writing() as session:
        await PeopleStore(session).link(Identity("telegram", "7"), person.id)
        await PeopleStore(session).link(slack, person.id)
    await evening.send("/whoami", direct_messages[2], identity=slack, is_direct_message=True)
    await evening.ask(QUIET_AT_NIGHT)
    evening.advance(hours=2)
    for conversation in (*direct_messages, LAB):
        await evening.add_event("a", conversation=conversation)
    assert [len(await evening.deliver_due(item)) for item in (*direct_messages, LAB)] == [0, 0, 0, 1]
    evening.advance(hours=9)
    assert [len(await evening.deliver_due(item)) for item in direct_messages] == [1, 1, 1]


async def test_summary_of_a_lost_conversation_is_rerouted(evening: TimedProgram) -> None:
    person = await evening.program.find_person()
    assert person
    async with evening.process.database.writing() as session:
        await PeopleStore(session).link(Identity("telegram", "7"), person.id)
    lost_conversation, other_conversation = Conversation("slack", "D1"), Conversation("telegram", "7")
    await evening.send("/mute 1h", lost_conversation)
    for name in ("a", "b"):
        await evening.add_event(name, conversation=lost_conversation, people=(person.id,))
    evening.advance(hours=1)
    (summary,) = await evening.process.notifications.list_due("slack", "D1")
    assert await evening.process.notifications.reroute(summary, ["telegram"]) == other_conversation
    assert await evening.deliver_due(lost_conversation) == []
    assert len(await evening.deliver_due(other_conversation)) == 2
