"""The Home tab: made when it is opened, and made anew after what was done in it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from clearml_chatops.bot.frontends.slack import SlackFrontEnd
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Button, Buttons, Outcome, Reply, Text, Tone
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import (
    QUICK,
    RememberedCards,
    SlowBot,
    both_ways,
    connected,
    first,
    front_end_for,
    registry_with_forms,
    window_of,
)
from tests.frontends.slack.forms import bot_with_form
from tests.support.slack import Person, SlackServer
from tests.support.waiting import until


@pytest.fixture
def bot() -> FakeBot:
    bot = bot_with_form()
    bot.replies["/home"] = Reply.of(
        "Two run.", Buttons((Button("Log", "/log 'a & b'"), Button("Change", "/set e1")))
    )
    return bot


@pytest.fixture
async def front_end(slack: SlackServer, bot: FakeBot, cards: RememberedCards) -> AsyncIterator[SlackFrontEnd]:
    async with connected(slack, bot, cards, registry=registry_with_forms()) as front_end:
        yield front_end


def _home(person: Person) -> str:
    return person.home.shown if person.home else ""


@both_ways
async def test_opening_the_tab_shows_the_home_of_that_person(
    front_end: SlackFrontEnd, bot: FakeBot, anna: Person
) -> None:
    await anna.open_home()
    await until(lambda: _home(anna) == "Two run.\n[Log] [Change]")
    assert bot.heard[0].text == "/home"
    assert bot.heard[0].sender.user_id == anna.id
    assert bot.heard[0].sender.workspace == "T0001"
    assert bot.heard[0].conversation == Conversation("slack", anna.direct_channel)
    bot.replies["/home"] = Reply.of("Three run.")
    await anna.open_home()
    await until(lambda: _home(anna) == "Three run.")


async def test_opening_the_messages_makes_no_home(front_end: SlackFrontEnd, bot: FakeBot, anna: Person) -> None:
    await anna.open_home("messages")
    await anna.open_home()
    await until(lambda: _home(anna))
    assert bot.lines == ["/home"]


async def test_a_stranger_sees_the_one_line_with_his_id(
    front_end: SlackFrontEnd, bot: FakeBot, anna: Person
) -> None:
    stranger = Text(f"I do not know you yet. … this id: slack:T0001:{anna.id}", Tone.FAILURE)
    bot.replies["/home"] = Reply((stranger,), Outcome.REFUSED)
    await anna.open_home()
    await until(lambda: _home(anna) == f"✗ {stranger.text}")


@both_ways
async def test_a_button_is_answered_in_direct_messages_and_the_home_is_made_anew(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, cards: RememberedCards, anna: Person
) -> None:
    await anna.open_home()
    await until(lambda: _home(anna))
    bot.replies["/log 'a & b'"] = Reply.of("The log.", about="e1")
    bot.replies["/home"] = Reply.of("One runs.")
    await anna.press_in_home("Log")
    answer = await first(lambda: slack.posted(anna.direct_channel))
    assert (answer.shown, answer.thread_ts) == ("The log.", "")
    await until(lambda: _home(anna) == "One runs.")
    assert cards.cards == {(anna.direct_channel, answer.ts): "e1"}
    assert bot.heard[1].conversation == Conversation("slack", anna.direct_channel)


async def test_a_form_of_the_home_opens_as_a_window_and_the_home_is_made_anew_after_it(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person
) -> None:
    await anna.open_home()
    await until(lambda: _home(anna))
    await anna.press_in_home("Change")
    window = await window_of(anna)
    await until(lambda: bot.lines == ["/home", "/set e1", "/home"])
    bot.replies["/set e1 args.lr='1'"] = Reply.of("lr: 1", Buttons((Button("Undo", "/undo"),)))
    bot.replies["/undo"] = Reply.of("lr: 0.1")
    bot.replies["/home"] = Reply.of("One draft.")
    window.type("lr", "1")
    await window.submit()
    await until(lambda: window.shown == "lr: 1\n[Undo]" and _home(anna) == "One draft.")
    bot.replies["/home"] = Reply.of("No draft.")
    await window.press("Undo")
    await until(lambda: window.shown == "lr: 0.1" and _home(anna) == "No draft.")
    assert slack.posted() == []


async def test_a_window_of_the_home_closed_meanwhile_is_answered_in_direct_messages(
    slack: SlackServer, cards: RememberedCards, bot: FakeBot, anna: Person
) -> None:
    bot.replies["/set e1 args.lr='1'"] = Reply.of("lr: 1")
    slow = SlowBot(bot.replies)
    slow.may_answer.set()
    async with connected(slack, slow, cards, registry=registry_with_forms()):
        await anna.open_home()
        await until(lambda: _home(anna))
        await anna.press_in_home("Change")
        window = await window_of(anna)
        window.type("lr", "1")
        slow.may_answer.clear()
        await window.submit()
        await until(lambda: window.shown == "working…")
        window.close()
        slow.may_answer.set()
        assert (await first(lambda: slack.posted(anna.direct_channel))).shown == "lr: 1"


async def test_a_home_beyond_the_limits_is_cut(front_end: SlackFrontEnd, bot: FakeBot, anna: Person) -> None:
    lines = [f"line {number} " + "<&>" * 900 for number in range(300)]
    bot.replies["/home"] = Reply.of(*lines, Buttons(tuple(Button(f"B{n}", f"/log {n}") for n in range(200))))
    await anna.open_home()
    await until(lambda: _home(anna))
    assert anna.home
    assert "[B0] " in _home(anna)
    assert "line 0 <&>" in _home(anna)
    assert _home(anna).endswith("This is not all of it.")
    bot.replies["/home"] = Reply.of(*(f"line {number}" for number in range(300)))
    await anna.open_home()
    await until(lambda: anna.home and len(anna.home.content["blocks"]) == 100)


async def test_the_end_of_the_program_does_not_stay_in_the_home(
    slack: SlackServer, cards: RememberedCards, bot: FakeBot, anna: Person
) -> None:
    slow = SlowBot(bot.replies)
    timing = replace(QUICK, wait_at_the_end=timedelta(0))
    front_end = front_end_for(slack, slow, cards, timing=timing)
    await front_end.start()
    await anna.open_home()
    await until(lambda: slow.heard)
    await front_end.stop()
    assert anna.home is None


async def test_a_home_that_slack_does_not_take_breaks_nothing(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    slack.api.mood.refusals["views.publish"] = "not_enabled"
    await anna.open_home()
    await until(lambda: slack.called("views.publish"))
    await anna.slash("/find", "", lab)
    assert await first(lambda: slack.whispered(anna))
