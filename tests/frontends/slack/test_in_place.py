"""Buttons whose answer takes the place of the message that has them: the next page of a list."""

from datetime import timedelta

import pytest

from clearml_chatops.bot.frontends.slack import SlackFrontEnd, Timing
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Button, Buttons, Code, Picture, Reply
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import RememberedCards, SlowBot, both_ways, connected, first
from tests.support.slack import Person, SlackServer
from tests.support.slack.block_kit import buttons_of
from tests.support.waiting import until

FIRST = Reply.of("page 1", Buttons((Button("Show", "/show e1"), Button("Next", "/find page=2", in_place=True))))
SECOND = Reply.of("page 2", Buttons((Button("Back", "/find", in_place=True),)))


@pytest.fixture
def bot() -> FakeBot:
    return FakeBot({"/find": FIRST, "find": FIRST, "/find page=2": SECOND})


@both_ways
async def test_a_page_takes_the_place_of_a_whisper_and_back(
    slack: SlackServer, front_end: SlackFrontEnd, anna: Person, lab: str
) -> None:
    await anna.slash("/find", "", lab)
    page = await first(lambda: slack.whispered(anna))
    await anna.press("Next")
    await until(lambda: page.shown == "page 2\n[Back]")
    await anna.press("Back")
    await until(lambda: page.shown == "page 1\n[Show] [Next]")
    assert slack.whispered(anna) == [page]
    assert slack.posted() == []


@pytest.mark.parametrize("thread", ["", "17.1"], ids=["in the channel", "in a thread"])
async def test_a_page_takes_the_place_of_a_real_message(
    slack: SlackServer, front_end: SlackFrontEnd, anna: Person, lab: str, thread: str
) -> None:
    await front_end.deliver(Conversation("slack", lab, thread), FIRST)
    [page] = slack.posted(lab)
    await anna.press("Next")
    await until(lambda: page.shown == "page 2\n[Back]")
    await anna.press("Back")
    await until(lambda: page.shown == "page 1\n[Show] [Next]")
    assert slack.posted(lab) == [page]


async def test_only_the_action_id_tells_such_a_button(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str
) -> None:
    await front_end.deliver(Conversation("slack", lab), FIRST)
    show, following = buttons_of(slack.posted(lab)[0].blocks)
    assert (show["action_id"], show["value"]) == ("command:0", "/show e1")
    assert (following["action_id"], following["value"]) == ("command:in-place:1", "/find page=2")


async def test_a_page_of_a_message_deleted_meanwhile_is_posted_as_usual(
    slack: SlackServer, cards: RememberedCards, anna: Person, lab: str
) -> None:
    bot = SlowBot({"/find page=2": SECOND})
    async with connected(slack, bot, cards) as front_end:
        await front_end.deliver(Conversation("slack", lab), FIRST)
        [page] = slack.posted(lab)
        await anna.press("Next")
        await until(lambda: bot.heard)
        page.deleted = True
        bot.may_answer.set()
        answer = await first(lambda: slack.posted(lab))
    assert (answer.shown, answer.thread_ts) == ("page 2\n[Back]", page.ts)


async def test_a_page_after_the_response_address_has_expired_is_a_direct_message(cards: RememberedCards) -> None:
    now = [0.0]
    bot = SlowBot({"/find": FIRST, "/find page=2": SECOND})
    async with SlackServer(clock=lambda: now[0]) as slack:
        anna, lab = slack.person("anna"), slack.channel("lab")
        async with connected(slack, bot, cards):
            bot.may_answer.set()
            await anna.slash("/find", "", lab)
            page = await first(lambda: slack.whispered(anna))
            bot.may_answer.clear()
            await anna.press("Next")
            await until(lambda: len(bot.heard) == 2)
            now[0] = 31 * 60
            bot.may_answer.set()
            assert (await first(lambda: slack.posted(anna.direct_channel))).shown == "page 2\n[Back]"
    assert page.shown == "page 1\n[Show] [Next]"


async def test_a_list_stays_until_its_next_page_is_there(
    slack: SlackServer, cards: RememberedCards, anna: Person, lab: str
) -> None:
    bot = SlowBot({"/find": FIRST, "/find page=2": SECOND})
    async with connected(slack, bot, cards, timing=Timing(patience=timedelta(0))) as front_end:
        await front_end.deliver(Conversation("slack", lab), FIRST)
        [page] = slack.posted(lab)
        await anna.press("Next")
        await until(lambda: bot.heard)
        bot.may_answer.set()
        await until(lambda: page.shown == "page 2\n[Back]")
    assert page.before == ["page 1\n[Show] [Next]"]
    assert slack.posted(lab) == [page]


async def test_what_belongs_to_a_page_comes_with_it(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    picture = Picture("loss.png", b"\x89PNG", "The loss falls.")
    bot.replies["/find page=2"] = Reply.of("page 2", Code("line\n" * 10_000), picture)
    await front_end.deliver(Conversation("slack", lab), FIRST)
    [page] = slack.posted(lab)
    await anna.press("Next")
    await until(lambda: len(slack.posted(lab)) == 3)
    _, plot, details = slack.posted(lab)
    assert (plot.files[0].name, plot.thread_ts) == ("loss.png", "")
    assert (details.files[0].name, details.thread_ts) == ("answer.txt", page.ts)
