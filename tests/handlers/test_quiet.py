"""What one says to be told nothing, and what is answered."""

from datetime import time, timedelta

import pytest

from clearml_chatops.handlers.times import Hours, MuteLength, Off, TimeOfDay
from clearml_chatops.models.errors import InvalidValueError
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Outcome
from tests.support.evenings import Evening
from tests.support.program import RunningProgram, buttons, plain_text

LAB = Conversation("chat", "C1")


@pytest.fixture
def evening(program: RunningProgram) -> Evening:
    return Evening(program)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("30m", timedelta(minutes=30)),
        ("2H", timedelta(hours=2)),
        ("1h30m", timedelta(minutes=90)),
        ("90min", timedelta(minutes=90)),
        ("1d", timedelta(days=1)),
        ("08:00", time(8)),
        ("00:00", time(0)),
        ("off", Off.OFF),
    ],
)
def test_a_mute_is_a_length_or_an_end(text: str, length: object) -> None:
    assert MuteLength().convert(text, name="length") == length


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("23:00-08:00", (time(23), time(8))),
        ("23-8", (time(23), time(8))),
        ("23.30–7.15", (time(23, 30), time(7, 15))),
        ("OFF", Off.OFF),
    ],
)
def test_hours_are_a_beginning_and_an_end(text: str, hours: object) -> None:
    assert Hours().convert(text, name="hours") == hours


@pytest.mark.parametrize("text", ["", "2", "0m", "2x", "31d", "25:00", "h", "m2", "-2h"])
def test_what_is_no_time_to_be_quiet_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="write it like 30m"):
        MuteLength().convert(text, name="length")


@pytest.mark.parametrize("text", ["", "23:00", "23:00-", "24:00-08:00", "8-8", "23:60-8", "night"])
def test_what_are_no_hours_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="write them like 23:00-08:00"):
        Hours().convert(text, name="hours")


@pytest.mark.parametrize("text", ["", "9am", "24", "9:5", "0900"])
def test_what_is_no_time_of_the_day_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="write it like 09:00"):
        TimeOfDay().convert(text, name="at")


async def test_mute_alone_offers_how_long_and_then_says_until_when(evening: Evening) -> None:
    offered = await evening.say("/mute")
    assert list(buttons(offered)) == ["1 h", "4 h", "Until 08:00"]
    assert "for 1 h" in await evening.ask(buttons(offered)["1 h"])
    evening.passes(minutes=20, seconds=1)
    assert "for 40 min" in await evening.ask("/mute")
    asked = await evening.say(buttons(offered)["Until 08:00"])
    assert asked.outcome is Outcome.ASKED, "his time zone is not guessed"
    assert "until Mon 08:00 (Europe/Berlin)" in await evening.ask(buttons(asked)["Europe/Berlin"])
    assert "until Mon 08:00 (Europe/Berlin)" in await evening.ask("/mute")
    await evening.ask("/mute off")
    assert "Until tomorrow 08:00" in buttons(await evening.say("/mute"))
    evening.passes(hours=2)
    assert "Until 08:00" in buttons(await evening.say("/mute")), "it is tomorrow already"


async def test_who_has_muted_a_channel_is_told_to_others(evening: Evening) -> None:
    bob = Evening(await evening.program.introduce(evening.program.sandbox.bob, Role.MEMBER))
    await bob.ask("/mute 1h", LAB)
    assert "as Bob" in await evening.ask("/mute", LAB)
    assert "as" not in (await bob.ask("/mute", LAB)).split("What")[0]


async def test_quiet_hours_are_set_shown_changed_and_ended(evening: Evening) -> None:
    assert "no quiet hours" in await evening.ask("/quiet")
    asked = await evening.say("/quiet 23:00-08:00")
    assert asked.outcome is Outcome.ASKED
    assert "nothing from 23:00 to 08:00 (Europe/Berlin)" in await evening.ask(buttons(asked)["Europe/Berlin"])
    assert "nothing but failures from 22:00 to 07:00" in await evening.ask("/quiet 22-7 failures=now")
    assert "nothing but failures from 22:00 to 07:00 (Asia/Tokyo)" in await evening.ask("/quiet tz=tokyo")
    shown = await evening.say("/quiet")
    assert "nothing from 22:00 to 07:00 (Asia/Tokyo)" in await evening.ask(buttons(shown)["Failures later too"])
    assert "nothing but failures" in await evening.ask("/quiet failures=now")
    assert "It is quiet now, until Mon 07:00" in await evening.ask("/quiet tz=Europe/Berlin")
    assert "no quiet hours any more" in await evening.ask("/quiet off")
    assert "had no quiet hours" in await evening.ask("/quiet off")
    assert "no quiet hours" in await evening.ask("/quiet")


async def test_a_zone_that_is_none_changes_nothing(evening: Evening) -> None:
    reply = await evening.say("/quiet 23:00-08:00 tz=Berln")
    assert reply.outcome is Outcome.REFUSED
    assert "Europe/Berlin" in plain_text(reply)
    assert "no quiet hours" in await evening.ask("/quiet")


@pytest.mark.parametrize(("told", "outcome"), [("Europe/Berlin", Outcome.DONE), ("Nowhere", Outcome.ASKED)])
async def test_the_platform_is_asked_for_a_zone_that_is_not_known(
    evening: Evening, told: str, outcome: Outcome
) -> None:
    async def platform() -> str:
        return told

    message = IncomingMessage(
        evening.program.identity, "alice", evening.place, "/quiet 23-8", time_zone_of_sender=platform
    )
    assert (await evening.program.program.dispatcher.handle(message)).outcome is outcome
    assert (await evening.say("/quiet 22-7")).outcome is outcome, "what the platform said is kept"
