"""Cards: messages that can be edited later, and threads that are their experiments'."""

import asyncio
from datetime import timedelta

import pytest

from clearml_chatops.bot.frontends.front_end import DestinationGoneError
from clearml_chatops.bot.frontends.slack import SlackFrontEnd, Timing
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Button, Buttons, Code, Reply
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import RememberedCards, SlowBot, both_ways, connected, first
from tests.support.slack import Person, SlackServer
from tests.support.waiting import until

CARD = Reply.of("baseline", Buttons((Button("Log", "/log e1"),)), about="e1").as_card()
_ELSEWHERE = "The card is in your direct messages: it could not be posted here. Is the bot in this channel?"


@both_ways
async def test_a_card_that_a_slash_command_asks_for_is_a_real_message(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, cards: RememberedCards, anna: Person, lab: str
) -> None:
    bot.replies["/show e1"] = CARD
    await anna.slash("/show", "e1", lab)
    card = await first(lambda: slack.posted(lab))
    await until(lambda: cards.live == {card.ts})
    assert card.shown == "baseline\n[Log]"
    assert slack.whispered(anna) == []


async def test_a_card_that_an_ephemeral_button_asks_for_is_a_real_message(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, cards: RememberedCards, anna: Person, lab: str
) -> None:
    bot.replies["/find"] = Reply.of("One.", Buttons((Button("baseline", "/show e1"),)))
    bot.replies["/show e1"] = CARD
    await anna.slash("/find", "", lab)
    await first(lambda: slack.whispered(anna))
    await anna.press("baseline")
    card = await first(lambda: slack.posted(lab))
    await until(lambda: cards.live == {card.ts})
    assert [message.labels for message in slack.whispered(anna)] == [["baseline"]]


@pytest.mark.parametrize("archived", [False, True], ids=["the bot is not in it", "archived"])
async def test_where_the_bot_cannot_write_the_card_is_in_the_direct_messages_and_a_line_says_so(
    slack: SlackServer,
    front_end: SlackFrontEnd,
    bot: FakeBot,
    cards: RememberedCards,
    anna: Person,
    *,
    archived: bool,
) -> None:
    elsewhere = slack.channel("elsewhere", bot_is_in=archived, archived=archived)
    bot.replies["/show e1"] = CARD
    await anna.slash("/show", "e1", elsewhere)
    line = await first(lambda: slack.whispered(anna))
    assert line.shown == _ELSEWHERE
    [card] = slack.posted()
    assert card.channel == anna.direct_channel
    await until(lambda: cards.cards == {(anna.direct_channel, card.ts): "e1"})
    assert cards.live == {card.ts}


async def test_a_card_asked_for_in_the_direct_messages_is_posted_there(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, cards: RememberedCards, anna: Person
) -> None:
    bot.replies["/show e1"] = CARD
    await anna.slash("/show", "e1", anna.direct_channel)
    card = await first(lambda: slack.posted(anna.direct_channel))
    await until(lambda: cards.live == {card.ts})
    assert slack.whispered(anna) == []


async def test_a_card_that_can_be_posted_nowhere_is_an_answer_all_the_same(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, cards: RememberedCards, anna: Person, lab: str
) -> None:
    slack.api.mood.refusals["chat.postMessage"] = "internal_error"
    bot.replies["/show e1"] = CARD
    await anna.slash("/show", "e1", lab)
    assert (await first(lambda: slack.whispered(anna))).shown == "baseline\n[Log]"
    assert cards.cards == {}


async def test_the_working_line_of_a_card_does_not_stay(
    slack: SlackServer, cards: RememberedCards, anna: Person, lab: str
) -> None:
    bot = SlowBot({"/show e1": CARD})
    async with connected(slack, bot, cards, timing=Timing(patience=timedelta(0))):
        await anna.slash("/show", "e1", lab)
        working = await first(lambda: slack.whispered(anna))
        bot.may_answer.set()
        await until(lambda: working.shown == "The card is in the channel.")
    assert [message.shown for message in slack.posted(lab)] == ["baseline\n[Log]"]
    assert slack.whispered(anna) == [working]


async def test_the_details_of_a_card_are_in_its_thread(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["/log e1"] = Reply.of(Code("line\n" * 10_000), about="e1")
    await front_end.deliver(Conversation("slack", lab), CARD)
    [card] = slack.posted(lab)
    await anna.press("Log")
    await until(lambda: len(slack.posted(lab, thread=card.ts)) == 2)
    log, uploaded = slack.posted(lab, thread=card.ts)
    assert (log.files, [file.name for file in uploaded.files]) == ([], ["answer.txt"])
    assert slack.posted(lab, thread="") == [card]


async def test_the_thread_that_a_mention_begins_is_the_experiments_for_everybody(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, cards: RememberedCards, anna: Person, lab: str
) -> None:
    bot.replies["show e1"] = CARD
    mention = await anna.mention(lab, "show e1")
    card = await first(lambda: slack.posted(lab, thread=mention.ts))
    await until(lambda: cards.cards == {(lab, card.ts): "e1", (lab, mention.ts): "e1"})
    assert cards.live == {card.ts}
    assert cards.threads[card.ts] == mention.ts
    await slack.person("boris").mention(lab, "log", thread=mention.ts)
    await until(lambda: bot.heard[-1].text == "log")
    assert bot.heard[-1].about == "e1"


async def test_an_answer_in_a_thread_of_a_channel_that_the_bot_left_is_a_direct_message(
    slack: SlackServer, cards: RememberedCards, anna: Person, lab: str
) -> None:
    bot = SlowBot({"/log e1": Reply.of("The log."), "log": CARD})
    async with connected(slack, bot, cards) as front_end:
        await front_end.deliver(Conversation("slack", lab), CARD)
        [card] = slack.posted(lab)
        await anna.press("Log")
        await anna.mention(lab, "log")
        await until(lambda: len(bot.heard) == 2)
        slack.workspace.channels[lab].bot_is_in = False
        bot.may_answer.set()
        await until(lambda: len(slack.posted(anna.direct_channel)) == 2)
    shown = {message.shown: message for message in slack.posted(anna.direct_channel)}
    assert set(shown) == {"The log.", "baseline\n[Log]"}
    assert slack.posted(lab) == [card]
    assert cards.cards[anna.direct_channel, shown["baseline\n[Log]"].ts] == "e1"


async def test_a_card_is_edited_where_it_is(slack: SlackServer, front_end: SlackFrontEnd, lab: str) -> None:
    place = Conversation("slack", lab)
    await front_end.deliver(place, CARD)
    [card] = slack.posted(lab)
    for _ in range(2):
        await front_end.edit(place, card.ts, Reply.of("Running", about="e1").as_card())
    assert [message.shown for message in slack.posted(lab)] == ["Running"]


@pytest.mark.parametrize("word", ["", "cant_update_message"], ids=["deleted", "not ours any more"])
async def test_a_card_that_cannot_be_edited_any_more_is_posted_anew(
    slack: SlackServer, front_end: SlackFrontEnd, cards: RememberedCards, lab: str, word: str
) -> None:
    place = Conversation("slack", lab, "17.1")
    await front_end.deliver(place, CARD)
    [card] = slack.posted(lab)
    if word:
        slack.api.mood.refusals["chat.update"] = word
    else:
        card.deleted = True
    await front_end.edit(place, card.ts, Reply.of("Running", about="e1").as_card())
    new = slack.posted(lab)[-1]
    assert (new.shown, new.thread_ts) == ("Running", "17.1")
    assert new.ts in cards.live
    assert cards.threads[new.ts] == "17.1"


async def test_what_is_left_of_a_card_is_not_posted_for_one_that_was_deleted(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str
) -> None:
    await front_end.deliver(Conversation("slack", lab), CARD)
    slack.posted(lab)[0].deleted = True
    await front_end.edit(Conversation("slack", lab), slack.workspace.messages[0].ts, Reply.of("Further down."))
    assert slack.posted(lab) == []


async def test_an_edit_uploads_no_file_again(slack: SlackServer, front_end: SlackFrontEnd, lab: str) -> None:
    long = Reply.of(Code("line\n" * 10_000), about="e1").as_card()
    await front_end.deliver(Conversation("slack", lab), long)
    card = slack.posted(lab)[0]
    await front_end.edit(Conversation("slack", lab), card.ts, long)
    assert len(slack.called("chat.update")) == 1
    assert len(slack.called("files.completeUploadExternal")) == 1


async def test_a_card_in_a_channel_that_the_bot_left_is_given_up(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str
) -> None:
    await front_end.deliver(Conversation("slack", lab), CARD)
    slack.workspace.channels[lab].bot_is_in = False
    with pytest.raises(DestinationGoneError, match="not_in_channel"):
        await front_end.edit(Conversation("slack", lab), slack.workspace.messages[0].ts, CARD)


async def test_edits_obey_retry_after(slack: SlackServer, front_end: SlackFrontEnd, lab: str) -> None:
    await front_end.deliver(Conversation("slack", lab), CARD)
    [card] = slack.posted(lab)
    slack.limit_rate("chat.update", 1)
    await front_end.edit(Conversation("slack", lab), card.ts, Reply.of("Running", about="e1").as_card())
    refused, repeated = (call.at for call in slack.api.calls if call.method == "chat.update")
    assert repeated - refused >= 1.0
    assert card.shown == "Running"


@pytest.mark.parametrize("held", ["chat.postMessage", "chat.update"])
async def test_edits_and_messages_of_a_channel_do_not_wait_for_one_another(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str, held: str
) -> None:
    place = Conversation("slack", lab)
    await front_end.deliver(place, CARD)
    [card] = slack.posted(lab)
    slack.limit_rate(held, *([600] * 20))

    async def post() -> None:
        await front_end.deliver(place, Reply.of("new"))

    async def edit() -> None:
        await front_end.edit(place, card.ts, Reply.of("Running", about="e1").as_card())

    waiting, passing = (post, edit) if held == "chat.postMessage" else (edit, post)
    # More than a burst of them, so that their turns are used up as well.
    tasks = [asyncio.create_task(waiting()) for _ in range(20)]
    await until(lambda: slack.called(held))
    await passing()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert [message.shown for message in slack.posted(lab)] in (["Running"], ["baseline\n[Log]", "new"])
