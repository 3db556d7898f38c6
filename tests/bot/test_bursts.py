"""Bursts: from the fourth event within a minute on, one message of a conversation is edited; nothing is lost."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import time, timedelta
from itertools import count

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.bot.delivery import Delivery
from clearml_chatops.models.bursts import MAX_BURST_AGE, MAX_LISTED
from clearml_chatops.models.cards import EditIntervals
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import EventKind, Notice
from clearml_chatops.models.people import Identity, Role
from clearml_chatops.models.quiet import QuietHours
from clearml_chatops.models.replies import Button
from clearml_chatops.storage.cards import CardStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.people import PeopleStore
from clearml_chatops.storage.quiet import QuietStore
from tests.support.bursts import CHANNEL, FINISHED, NOON, BurstScenario
from tests.support.memory_platform import KilledError
from tests.support.program import RunningProgram, get_buttons


@pytest.fixture
def scenario(program: RunningProgram) -> BurstScenario:
    return BurstScenario(program)


def _names(count_: int) -> list[str]:
    return [f"run {number:04}" for number in range(count_)]


async def test_the_first_three_events_have_messages_of_their_own(scenario: BurstScenario) -> None:
    await scenario.add(*_names(12))
    await scenario.deliver()
    assert len(scenario.platform.texts) == 4
    assert [text.split(".")[0] for text in scenario.platform.texts[:3]] == [
        f"“{name}” failed" for name in _names(3)
    ]
    assert scenario.platform.texts[3].startswith("9 updates: 9 Failed\n")
    assert scenario.count_names() == Counter(_names(12))


async def test_later_events_edit_the_message_at_the_pace_of_the_platform(scenario: BurstScenario) -> None:
    await scenario.add(*_names(6))
    await scenario.deliver()
    for number in range(10):
        await scenario.add(f"later {number}", kind=EventKind.COMPLETED)
        await scenario.wait(2)
    await scenario.wait(5)
    assert len(scenario.platform.texts) == 4
    assert scenario.platform.texts[3].startswith("13 updates: 3 Failed, 10 Completed\n")
    assert 4 <= scenario.platform.edits["4"] <= 5
    assert set(scenario.count_names().values()) == {1}


async def test_failures_come_first_with_their_causes_and_one_button_for_all(scenario: BurstScenario) -> None:
    await scenario.add(*(f"before {number}" for number in range(3)), kind=EventKind.COMPLETED)
    await scenario.add("good", kind=EventKind.COMPLETED)
    await scenario.add(*(f"lost {number}" for number in range(12)))
    await scenario.add("strange", reason="")
    await scenario.deliver()
    text = scenario.platform.texts[3]
    assert text.index("\nFailed\n") < text.index("\nCompleted\n")
    assert "Causes\n12 lost their worker" in text
    assert "“lost 3”: failed (lost its worker)" in text
    buttons = get_buttons(scenario.platform.messages["4"])
    assert buttons["Retry the 12 that lost their worker"] == " ".join(
        ("/retry", *(f"lost-{number}" for number in range(12)))
    )
    assert len([label for label in buttons if label.startswith("Retry")]) == 1


async def test_a_fourth_event_alone_looks_like_any_other_until_another_follows(scenario: BurstScenario) -> None:
    await scenario.add(*_names(4))
    await scenario.deliver()
    reply = scenario.platform.messages["4"]
    assert reply.experiment_id == "run-0003"
    assert "Retry" in get_buttons(reply)
    # The front end has stored what the message is about, for replies to it.
    async with scenario.process.database.writing() as session:
        await CardStore(session).put(CHANNEL, "4", reply.experiment_id, is_card=False)
    await scenario.add("another")
    await scenario.wait(5)
    assert scenario.platform.texts[3].startswith("2 updates: 2 Failed")
    async with scenario.process.database.reading() as session:
        assert await CardStore(session).get_experiment_id(CHANNEL, "4") == ""


async def test_events_of_one_experiment_stay_a_normal_message(scenario: BurstScenario) -> None:
    await scenario.add(*_names(3))
    await scenario.add("fast", kind=EventKind.STARTED)
    await scenario.deliver()
    await scenario.add("fast", kind=EventKind.COMPLETED)
    await scenario.wait(5)
    assert scenario.platform.texts[3].startswith("“fast” started.\n“fast” completed.\n[Show] /show fast")


async def test_a_quiet_minute_ends_a_burst(scenario: BurstScenario) -> None:
    await scenario.add(*_names(8))
    await scenario.deliver()
    await scenario.deliver(FINISHED)
    await scenario.add("much later")
    await scenario.deliver()
    assert len(scenario.platform.texts) == 5
    assert scenario.platform.texts[4].startswith("“much later” failed.")
    assert scenario.platform.files == []


async def test_slow_events_keep_messages_of_their_own(scenario: BurstScenario) -> None:
    for name in _names(8):
        await scenario.add(name)
        await scenario.deliver(timedelta(seconds=21))
    assert len(scenario.platform.texts) == 8


async def test_a_burst_that_does_not_end_continues_in_a_new_message(scenario: BurstScenario) -> None:
    scenario.platform.intervals = EditIntervals(timedelta(seconds=10))
    for number in range(int(MAX_BURST_AGE / timedelta(seconds=50)) + 5):
        await scenario.add(*([f"{number}"] if number else _names(4)), kind=EventKind.STARTED)
        await scenario.deliver(timedelta(seconds=50))
    assert 4 + 3 <= len(scenario.platform.texts) <= 4 + 5


async def test_the_names_that_do_not_fit_come_as_one_file(scenario: BurstScenario) -> None:
    names = _names(60)
    await scenario.add(*names)
    await scenario.deliver()
    assert "and 37 more. A file with all of them follows" in scenario.platform.texts[3]
    await scenario.deliver(FINISHED)
    await scenario.deliver(FINISHED)
    [file] = scenario.platform.files
    assert len(scenario.platform.messages) == 5
    assert [line.split("  ")[0] for line in file.text.splitlines()] == [f"run-{name[4:]}" for name in names[3:]]
    assert "“run 0059”: failed (lost its worker)" in file.text


async def test_conversations_and_threads_have_their_own_bursts(scenario: BurstScenario) -> None:
    thread = replace(CHANNEL, thread="17")
    await scenario.add(*_names(5))
    await scenario.add("a", "b", to=thread)
    await scenario.add("c", to=Conversation("chat", "C2"))
    await scenario.deliver()
    assert len(scenario.platform.texts) == 4 + 2 + 1


async def test_notices_that_ask_somebody_never_join_a_burst(scenario: BurstScenario) -> None:
    await scenario.add(*_names(6))
    request = Notice("request:1", "Bob asks for GPU 0.", NOON, buttons=(Button("Accept", "/answer 1 yes"),))
    stall = Notice("stall:1", "“run 0001” reports nothing.", NOON, experiment_id="run-0001")
    await scenario.queue(request, stall)
    await scenario.deliver()
    assert "Bob asks for GPU 0.\n[Accept] /answer 1 yes" in scenario.platform.texts
    assert "“run 0001” reports nothing." in scenario.platform.texts[-1]
    assert scenario.platform.texts[-1].startswith("4 updates: 3 Failed, 1 other")


async def test_a_deleted_message_is_sent_again_with_everything(scenario: BurstScenario) -> None:
    await scenario.add(*_names(6))
    await scenario.deliver()
    scenario.platform.delete("4")
    await scenario.add("last")
    await scenario.wait(5)
    assert scenario.platform.texts[3].startswith("4 updates: 4 Failed")
    await scenario.add("very last")
    await scenario.wait(5)
    assert len(scenario.platform.texts) == 4
    assert scenario.count_names() == Counter([*_names(6), "last", "very last"])


async def test_a_failing_edit_is_retried_without_loss(scenario: BurstScenario) -> None:
    await scenario.add(*_names(6))
    await scenario.deliver()
    scenario.platform.error = ConnectionResetError()
    await scenario.add("last")
    await scenario.wait(12)
    scenario.platform.error = None
    await scenario.wait(12)
    assert scenario.count_names() == Counter([*_names(6), "last"])
    assert len(scenario.platform.texts) == 4


async def test_after_an_outage_everything_is_one_message(scenario: BurstScenario) -> None:
    scenario.platform.error = ConnectionResetError()
    for name in _names(30):
        await scenario.add(name)
        await scenario.deliver(timedelta(minutes=2))
    scenario.platform.error = None
    await scenario.deliver(timedelta(minutes=10))
    assert 1 <= len(scenario.platform.texts) <= 4
    await scenario.deliver(FINISHED)
    named = set(scenario.count_names()) | set(re.findall("“([^”]*)”", scenario.platform.files[0].text))
    assert named == set(_names(30))


@pytest.mark.parametrize("count", [12, 60])
async def test_a_burst_that_waits_for_its_platform_stays_one_message(scenario: BurstScenario, count: int) -> None:
    names = _names(count)
    await scenario.add(*names[:8])
    await scenario.deliver()
    scenario.platform.error = ConnectionResetError()
    await scenario.add(*names[8:])
    await scenario.wait(200)
    scenario.platform.error = None
    await scenario.wait(200)
    assert len(scenario.platform.texts) == 4
    shown = scenario.count_names()
    if count > MAX_LISTED:
        [file] = scenario.platform.files
        shown |= Counter(re.findall("“([^”]*)”", file.text))
    assert shown == Counter(names)


async def test_people_of_a_lost_conversation_get_the_burst_elsewhere(scenario: BurstScenario) -> None:
    async with scenario.process.database.writing() as session:
        person = await PeopleStore(session).add(
            Identity("telegram", "7"), name="Anna", role=Role.MEMBER, clearml_user_id=""
        )
    await scenario.add(*_names(3), people=(person.id,))
    await scenario.deliver()
    scenario.platform.gone_ids = {CHANNEL.id}
    await scenario.add(*(f"late {number}" for number in range(9)), people=(person.id,))
    await scenario.deliver()
    elsewhere = BurstScenario(scenario.program, Conversation("telegram", "7"), now=scenario.now)
    await elsewhere.deliver()
    assert elsewhere.count_names() == Counter(f"late {number}" for number in range(9))
    assert len(elsewhere.platform.texts) == 4
    await scenario.deliver(FINISHED)
    assert len(scenario.platform.texts) == 3


async def test_a_mute_defers_a_burst_and_its_end_sums_it_up(scenario: BurstScenario) -> None:
    await scenario.add(*_names(6))
    await scenario.deliver()
    async with scenario.process.database.writing() as session:
        person = await PeopleStore(session).add(
            Identity("telegram", "7"), name="Anna", role=Role.MEMBER, clearml_user_id=""
        )
        await QuietStore(session).put_mute(CHANNEL, scenario.now + timedelta(seconds=30), person.id)
    await scenario.add("muted 1", "muted 2")
    await scenario.wait(20)
    assert len(scenario.platform.texts) == 4
    assert scenario.platform.edits == {}
    await scenario.wait(20)
    assert len(scenario.platform.texts) == 5
    assert scenario.platform.texts[4].startswith("While notifications were paused: 2 Failed\nCauses\n2 lost their")
    assert scenario.count_names() == Counter([*_names(6), "muted 1", "muted 2"])


async def test_failures_that_pass_quiet_hours_are_a_burst_too(scenario: BurstScenario) -> None:
    identity = Identity("chat", "U1")
    async with scenario.process.database.writing() as session:
        person = await PeopleStore(session).add(identity, name="Anna", role=Role.MEMBER, clearml_user_id="")
        hours = QuietHours(time(11), time(13), "UTC", allow_failures=True)
        await QuietStore(session).put_hours(person.id, hours, now=NOON)
    scenario.conversation = Conversation("chat", "U1")
    await scenario.add(*_names(40))
    await scenario.add("good", kind=EventKind.COMPLETED)
    await scenario.deliver(timedelta(seconds=1))
    assert len(scenario.platform.texts) == 4
    assert "good" not in scenario.platform.texts[3]


async def test_without_an_editor_every_event_has_its_message(scenario: BurstScenario) -> None:
    await scenario.add(*_names(20))
    scenario.delivery = Delivery(
        notifications=scenario.notifications, platform="chat", send=scenario.platform.send
    )
    await scenario.deliver()
    assert len(scenario.platform.texts) == 20


# ── Killed at every moment ────────────────────────────────────────────────────────────────────────


class MortalDatabase:
    """A database that calls a checkpoint before and after each transaction that writes."""

    def __init__(self, database: Database, checkpoint: Callable[[], None]) -> None:
        self._database = database
        self._checkpoint = checkpoint
        self.reading = database.reading

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        self._checkpoint()
        async with self._database.writing() as session:
            yield session
        self._checkpoint()


async def test_nothing_is_lost_or_doubled_wherever_the_bot_is_killed(program: RunningProgram) -> None:
    """Each round kills the bot one checkpoint later than the one before, until it isn't killed any more."""
    kills = 0
    for round_ in count():
        scenario = BurstScenario(program, Conversation("chat", f"round-{round_}"))
        remaining = iter(range(round_))

        def checkpoint(remaining: object = remaining) -> None:
            if next(remaining, None) is None:  # type: ignore[call-overload]  # an iterator
                raise KilledError

        scenario.platform.checkpoint = checkpoint
        scenario.restart(MortalDatabase(program.program.process.database, checkpoint))  # type: ignore[arg-type]
        names = [f"{round_}.{number}" for number in range(8)]
        was_killed = await _play_until_killed(scenario, names)
        scenario.platform.checkpoint = lambda: None
        scenario.restart()
        for pause in (timedelta(0), timedelta(seconds=6), FINISHED):
            await scenario.deliver(pause)
        assert scenario.count_names() == Counter(names), round_
        assert len(scenario.platform.texts) <= 4
        if not was_killed:
            break
        kills += 1
    assert kills > 10


async def _play_until_killed(scenario: BurstScenario, names: list[str]) -> bool:
    await scenario.add(*names[:6])
    await scenario.add(names[6])
    killed = False
    try:
        await scenario.deliver()
    except KilledError:
        killed = True
    await scenario.add(names[7])
    if killed:
        return True
    try:
        await scenario.deliver(timedelta(seconds=6))
    except KilledError:
        return True
    return False
