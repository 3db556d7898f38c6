"""Muting a conversation, and quiet hours."""

from datetime import time, timedelta

import pytest

from clearml_chatops.handlers.time_arguments import HourRange, MuteDuration, Off, TimeOfDay
from clearml_chatops.models.errors import InvalidValueError
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Outcome
from tests.support.program import RunningProgram, get_buttons, to_plain_text
from tests.support.timed_program import TimedProgram

LAB = Conversation("chat", "C1")


@pytest.fixture
def evening(program: RunningProgram) -> TimedProgram:
    return TimedProgram(program)


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
def test_mute_takes_duration_or_end_time(text: str, length: object) -> None:
    assert MuteDuration().convert(text, name="length") == length


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("23:00-08:00", (time(23), time(8))),
        ("23-8", (time(23), time(8))),
        ("23.30–7.15", (time(23, 30), time(7, 15))),
        ("OFF", Off.OFF),
    ],
)
def test_hour_range_is_parsed(text: str, hours: object) -> None:
    assert HourRange().convert(text, name="hours") == hours


@pytest.mark.parametrize("text", ["", "2", "0m", "2x", "31d", "25:00", "h", "m2", "-2h"])
def test_invalid_mute_duration_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="Write it like 30m"):
        MuteDuration().convert(text, name="length")


@pytest.mark.parametrize("text", ["", "23:00", "23:00-", "24:00-08:00", "8-8", "23:60-8", "night"])
def test_invalid_hour_range_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="Write it like 23:00-08:00"):
        HourRange().convert(text, name="hours")


@pytest.mark.parametrize("text", ["", "9am", "24", "9:5", "0900"])
def test_invalid_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="Write it like 09:00"):
        TimeOfDay().convert(text, name="at")


async def test_mute_without_argument_offers_durations(evening: TimedProgram) -> None:
    offered = await evening.send("/mute")
    assert list(get_buttons(offered)) == ["1 h", "4 h", "Until 08:00"]
    assert "for 1 h" in await evening.ask(get_buttons(offered)["1 h"])
    evening.advance(minutes=20, seconds=1)
    assert "for 40 min" in await evening.ask("/mute")
    asked = await evening.send(get_buttons(offered)["Until 08:00"])
    assert asked.outcome is Outcome.ASKED, "the time zone is not guessed"
    assert "until Mon 08:00 (Europe/Berlin)" in await evening.ask(get_buttons(asked)["Europe/Berlin"])
    assert "until Mon 08:00 (Europe/Berlin)" in await evening.ask("/mute")
    await evening.ask("/mute off")
    assert "Until tomorrow 08:00" in get_buttons(await evening.send("/mute"))
    evening.advance(hours=2)
    assert "Until 08:00" in get_buttons(await evening.send("/mute")), "it is already the next day"


async def test_mute_shows_who_muted_the_channel(evening: TimedProgram) -> None:
    bob = TimedProgram(await evening.program.add_person(evening.program.sandbox.bob, Role.MEMBER))
    await bob.ask("/mute 1h", LAB)
    assert "by Bob" in await evening.ask("/mute", LAB)
    assert "by" not in await bob.ask("/mute", LAB)


async def test_quiet_hours_can_be_set_shown_changed_and_removed(evening: TimedProgram) -> None:
    assert "no quiet hours" in await evening.ask("/quiet")
    asked = await evening.send("/quiet 23:00-08:00")
    assert asked.outcome is Outcome.ASKED
    assert "quiet from 23:00 to 08:00 (Europe/Berlin). You get" in await evening.ask(
        get_buttons(asked)["Europe/Berlin"]
    )
    with_failures = "quiet from 22:00 to 07:00 (Europe/Berlin). Failures arrive right away."
    assert with_failures in await evening.ask("/quiet 22-7 failures=now")
    in_tokyo = with_failures.replace("Europe/Berlin", "Asia/Tokyo")
    assert in_tokyo in await evening.ask("/quiet tz=tokyo")
    shown = await evening.send("/quiet")
    assert "quiet from 22:00 to 07:00 (Asia/Tokyo). You get one summary" in await evening.ask(
        get_buttons(shown)["Get failures later"]
    )
    assert in_tokyo in await evening.ask("/quiet failures=now")
    assert "It's quiet now, until Mon 07:00" in await evening.ask("/quiet tz=Europe/Berlin")
    assert "Your quiet hours are off." in await evening.ask("/quiet off")
    assert "had no quiet hours" in await evening.ask("/quiet off")
    assert "no quiet hours" in await evening.ask("/quiet")


async def test_invalid_time_zone_changes_nothing(evening: TimedProgram) -> None:
    reply = await evening.send("/quiet 23:00-08:00 tz=Berln")
    assert reply.outcome is Outcome.REFUSED
    assert "Europe/Berlin" in to_plain_text(reply)
    assert "no quiet hours" in await evening.ask("/quiet")


@pytest.mark.parametrize(("zone", "outcome"), [("Europe/Berlin", Outcome.DONE), ("Nowhere", Outcome.ASKED)])
async def test_unknown_time_zone_is_requested_from_platform(
    evening: TimedProgram, zone: str, outcome: Outcome
) -> None:
    async def fetch_time_zone() -> str:
        return zone

    message = IncomingMessage(
        evening.program.identity,
        "alice",
        evening.conversation,
        "/quiet 23-8",
        fetch_sender_time_zone=fetch_time_zone,
    )
    assert (await evening.program.program.dispatcher.handle(message)).outcome is outcome
    assert (await evening.send("/quiet 22-7")).outcome is outcome, "the answer of the platform is kept"
