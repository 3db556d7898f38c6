"""In-place buttons, which replace their message with the answer: the next page of a list."""

from datetime import timedelta

import pytest

from clearml_chatops.bot.frontends.slack import SlackFrontEnd, Timing
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Button, Buttons, Code, Picture, Reply
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import (
    FakeCards,
    SlowBot,
    connect_front_end,
    over_both_transports,
    wait_for_first,
)
from tests.support.polling import wait_until
from tests.support.slack import Person, SlackServer
from tests.support.slack.block_kit import find_buttons

FIRST_PAGE = Reply.of(
    "page 1", Buttons((Button("Show", "/show e1"), Button("Next", "/find page=2", in_place=True)))
)
SECOND_PAGE = Reply.of("page 2", Buttons((Button("Back", "/find", in_place=True),)))


@pytest.fixture
def bot() -> FakeBot:
    return FakeBot({"/find": FIRST_PAGE, "find": FIRST_PAGE, "/find page=2": SECOND_PAGE})


@over_both_transports
async def test_page_replaces_ephemeral_message_and_back(
    slack: SlackServer, front_end: SlackFrontEnd, anna: Person, lab: str
) -> None:
    await anna.send_slash_command("/find", "", lab)
    page = await wait_for_first(lambda: slack.list_ephemeral_messages(anna))
    await anna.press("Next")
    await wait_until(lambda: page.visible_text == "page 2\n[Back]")
    await anna.press("Back")
    await wait_until(lambda: page.visible_text == "page 1\n[Show] [Next]")
    assert slack.list_ephemeral_messages(anna) == [page]
    assert slack.list_posted_messages() == []


@pytest.mark.parametrize("thread", ["", "17.1"], ids=["in the channel", "in a thread"])
async def test_page_replaces_channel_message(
    slack: SlackServer, front_end: SlackFrontEnd, anna: Person, lab: str, thread: str
) -> None:
    await front_end.deliver(Conversation("slack", lab, thread), FIRST_PAGE)
    [page] = slack.list_posted_messages(lab)
    await anna.press("Next")
    await wait_until(lambda: page.visible_text == "page 2\n[Back]")
    await anna.press("Back")
    await wait_until(lambda: page.visible_text == "page 1\n[Show] [Next]")
    assert slack.list_posted_messages(lab) == [page]


async def test_in_place_button_is_marked_by_action_id(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str
) -> None:
    await front_end.deliver(Conversation("slack", lab), FIRST_PAGE)
    show_button, next_button = find_buttons(slack.list_posted_messages(lab)[0].blocks)
    assert (show_button["action_id"], show_button["value"]) == ("command:0", "/show e1")
    assert (next_button["action_id"], next_button["value"]) == ("command:in-place:1", "/find page=2")


async def test_page_of_deleted_message_is_posted_in_its_thread(
    slack: SlackServer, cards: FakeCards, anna: Person, lab: str
) -> None:
    bot = SlowBot({"/find page=2": SECOND_PAGE})
    async with connect_front_end(slack, bot, cards) as front_end:
        await front_end.deliver(Conversation("slack", lab), FIRST_PAGE)
        [page] = slack.list_posted_messages(lab)
        await anna.press("Next")
        await wait_until(lambda: bot.messages)
        page.deleted = True
        bot.may_answer.set()
        answer = await wait_for_first(lambda: slack.list_posted_messages(lab))
    assert (answer.visible_text, answer.thread_ts) == ("page 2\n[Back]", page.ts)


async def test_page_after_response_url_expired_is_direct_message(cards: FakeCards) -> None:
    now = [0.0]
    bot = SlowBot({"/find": FIRST_PAGE, "/find page=2": SECOND_PAGE})
    async with SlackServer(clock=lambda: now[0]) as slack:
        anna, lab = slack.add_person("anna"), slack.add_channel("lab")
        async with connect_front_end(slack, bot, cards):
            bot.may_answer.set()
            await anna.send_slash_command("/find", "", lab)
            page = await wait_for_first(lambda: slack.list_ephemeral_messages(anna))
            bot.may_answer.clear()
            await anna.press("Next")
            await wait_until(lambda: len(bot.messages) == 2)
            now[0] = 31 * 60
            bot.may_answer.set()
            assert (
                await wait_for_first(lambda: slack.list_posted_messages(anna.direct_channel))
            ).visible_text == "page 2\n[Back]"
    assert page.visible_text == "page 1\n[Show] [Next]"


async def test_list_shows_no_typing_indicator_before_next_page(
    slack: SlackServer, cards: FakeCards, anna: Person, lab: str
) -> None:
    bot = SlowBot({"/find": FIRST_PAGE, "/find page=2": SECOND_PAGE})
    async with connect_front_end(
        slack, bot, cards, timing=Timing(typing_indicator_delay=timedelta(0))
    ) as front_end:
        await front_end.deliver(Conversation("slack", lab), FIRST_PAGE)
        [page] = slack.list_posted_messages(lab)
        await anna.press("Next")
        await wait_until(lambda: bot.messages)
        bot.may_answer.set()
        await wait_until(lambda: page.visible_text == "page 2\n[Back]")
    assert page.history == ["page 1\n[Show] [Next]"]
    assert slack.list_posted_messages(lab) == [page]


async def test_files_of_page_are_posted_with_it(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    picture = Picture("loss.png", b"\x89PNG", "The loss falls.")
    bot.replies["/find page=2"] = Reply.of("page 2", Code("line\n" * 10_000), picture)
    await front_end.deliver(Conversation("slack", lab), FIRST_PAGE)
    [page] = slack.list_posted_messages(lab)
    await anna.press("Next")
    await wait_until(lambda: len(slack.list_posted_messages(lab)) == 3)
    _, plot, details = slack.list_posted_messages(lab)
    assert (plot.files[0].name, plot.thread_ts) == ("loss.png", "")
    assert (details.files[0].name, details.thread_ts) == ("answer.txt", page.ts)
