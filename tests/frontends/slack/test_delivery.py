"""What nobody asked for, and how Slack's refusals are told apart."""

import pytest

from clearml_chatops.bot.frontends.front_end import DeliveryFailedError, DestinationGoneError
from clearml_chatops.bot.frontends.slack import SlackFrontEnd
from clearml_chatops.bot.frontends.slack.pacing import Pace
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Code, Reply
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import RememberedCards, first, front_end_for
from tests.support.slack import Person, SlackServer
from tests.support.waiting import until


async def test_a_notification_is_a_real_message_that_is_remembered_as_a_card(
    slack: SlackServer, front_end: SlackFrontEnd, cards: RememberedCards, lab: str
) -> None:
    await front_end.deliver(Conversation("slack", lab, "17.1"), Reply.of("It runs.", about="e1"))
    [message] = slack.posted(lab, thread="17.1")
    assert message.shown == "It runs."
    assert cards.cards == {(lab, message.ts): "e1"}


async def test_a_notification_has_arrived_before_anything_else_is_done(
    slack: SlackServer, front_end: SlackFrontEnd, cards: RememberedCards, lab: str
) -> None:
    known: list[tuple[int, int]] = []

    async def arrived() -> None:
        known.append((len(slack.posted(lab)), len(cards.cards)))

    log = Code("\n".join(f"line {number}" for number in range(10_000)))
    await front_end.deliver(Conversation("slack", lab), Reply.of("It failed.", log, about="e1"), arrived)
    assert known == [(1, 0)], "the message alone, without its file, and no card yet"
    assert len(cards.cards) == 1
    assert slack.called("files.completeUploadExternal")


async def test_what_slack_does_not_take_has_not_arrived(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str
) -> None:
    async def arrived() -> None:
        pytest.fail("Slack does not have it")

    slack.api.mood.refusals["chat.postMessage"] = "internal_error"
    with pytest.raises(DeliveryFailedError):
        await front_end.deliver(Conversation("slack", lab), Reply.of("It failed."), arrived)


async def test_a_place_that_is_gone_is_told_apart(slack: SlackServer, front_end: SlackFrontEnd) -> None:
    archived, foreign = slack.channel("old", archived=True), slack.channel("foreign", bot_is_in=False)
    for channel, word in ((archived, "is_archived"), (foreign, "not_in_channel"), ("C404", "channel_not_found")):
        with pytest.raises(DestinationGoneError, match=word):
            await front_end.deliver(Conversation("slack", channel), Reply.of("It runs."))


@pytest.mark.parametrize("word", ["account_inactive", "internal_error"])
async def test_a_refusal_is_either_for_good_or_for_now(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str, word: str
) -> None:
    slack.api.mood.refusals["chat.postMessage"] = word
    expected = DestinationGoneError if word == "account_inactive" else DeliveryFailedError
    with pytest.raises(expected, match=word):
        await front_end.deliver(Conversation("slack", lab), Reply.of("It runs."))


async def test_slack_out_of_order_is_a_failure_for_now(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str
) -> None:
    slack.api.mood.out_of_order = True
    with pytest.raises(DeliveryFailedError):
        await front_end.deliver(Conversation("slack", lab), Reply.of("It runs."))


async def test_nobody_at_the_address_is_a_failure_for_now(bot: FakeBot, cards: RememberedCards) -> None:
    async with SlackServer() as slack:
        front_end = front_end_for(slack, bot, cards)
    with pytest.raises(DeliveryFailedError):
        await front_end.deliver(Conversation("slack", "C1"), Reply.of("It runs."))


async def test_retry_after_is_obeyed_in_the_middle_of_a_list(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["/find"] = Reply.of("Found.")
    slack.limit_rate("chat.postMessage", 1)
    slack.limit_rate("response_url", 1)
    await front_end.deliver(Conversation("slack", lab), Reply.of("first"))
    await front_end.deliver(Conversation("slack", lab), Reply.of("second"))
    await anna.slash("/find", "", lab)
    await first(lambda: slack.whispered(anna))
    assert [message.shown for message in slack.posted(lab)] == ["first", "second"]
    refused, repeated = (
        call.at for call in slack.api.calls if call.method == "chat.postMessage" and _says(call, "first")
    )
    assert repeated - refused >= 1.0


def _says(call: object, text: str) -> bool:
    return text in str(call)


def test_a_channel_is_given_bursts_and_then_one_message_a_second() -> None:
    now = [100.0]
    pace = Pace(burst=3, clock=lambda: now[0])
    assert [pace.reserve("C1") for _ in range(5)] == [0, 0, 0, 1, 2]
    assert pace.reserve("C2") == 0
    now[0] += 10
    assert pace.reserve("C1") == 0


async def test_the_file_of_a_long_answer_comes_where_the_answer_is(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    log = "\n".join(f"line {number}" for number in range(10_000))
    for line in ("log", "/log"):
        bot.replies[line] = Reply.of(Code(log))
    mention = await anna.mention(lab, "log")
    uploaded = await first(lambda: [message for message in slack.posted(lab, thread=mention.ts) if message.files])
    assert uploaded.files[0].content.decode() == log + "\n"
    await anna.slash("/log", "", lab)
    whispered = await first(lambda: slack.whispered(anna))
    assert whispered.shown.splitlines()[-3:] == [
        "line 9999",
        "This is not all of it; the file has the whole answer.",
        "What belongs to it is in your direct messages with the bot.",
    ]
    private = await first(lambda: slack.posted(anna.direct_channel))
    assert private.files[0].name == "answer.txt"
    assert len(slack.posted(lab)) == 2


async def test_a_file_that_is_refused_is_told_of_and_does_not_make_the_answer_come_twice(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    slack.api.mood.refusals["files.completeUploadExternal"] = "internal_error"
    bot.replies["log"] = Reply.of(Code("line\n" * 10_000))
    mention = await anna.mention(lab, "log")
    await until(lambda: slack.called("files.completeUploadExternal"))
    await front_end.stop()
    answer, told = slack.posted(lab, thread=mention.ts)
    assert "the file has the whole answer" in answer.shown
    assert told.shown == "The file of this answer did not get to Slack; ask again later."
