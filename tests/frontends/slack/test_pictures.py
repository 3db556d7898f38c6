"""Pictures: uploaded beside the answer, told in words, and no reason to lose the answer."""

from datetime import timedelta

import pytest

from clearml_chatops.bot.frontends.slack import SlackFrontEnd, Timing
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Picture, Reply
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import RememberedCards, SlowBot, connected, first
from tests.support.slack import Person, SlackServer
from tests.support.waiting import until

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
"""No text in any encoding."""
PLOT = Reply.of(
    "Two plots.", Picture("loss.png", PNG, "The loss falls to 0.2."), Picture("lr.png", PNG[::-1], "x")
)


async def test_pictures_come_into_the_thread_with_their_captions_in_words(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["plot"] = PLOT
    mention = await anna.mention(lab, "plot")
    await until(lambda: len(slack.posted(lab, thread=mention.ts)) == 2)
    answer, uploaded = slack.posted(lab, thread=mention.ts)
    assert answer.shown == "Two plots.\nThe loss falls to 0.2.\nx"
    assert [(file.name, file.content, file.description) for file in uploaded.files] == [
        ("loss.png", PNG, "The loss falls to 0.2."),
        ("lr.png", PNG[::-1], "x"),
    ]


async def test_pictures_of_a_public_answer_come_into_the_channel(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["/plot"] = PLOT
    await anna.slash("/plot", "--public", lab)
    await until(lambda: len(slack.posted(lab, thread="")) == 2)
    assert len(slack.posted(lab, thread="")[1].files) == 2


@pytest.mark.parametrize("public", [False, True])
async def test_pictures_of_a_whisper_and_of_an_answer_elsewhere_are_direct_messages(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, *, public: bool
) -> None:
    elsewhere = slack.channel("elsewhere", bot_is_in=False)
    bot.replies["/plot"] = PLOT
    await anna.slash("/plot", "--public" if public else "", elsewhere)
    [uploaded] = [await first(lambda: slack.posted(anna.direct_channel))]
    assert [file.content for file in uploaded.files] == [PNG, PNG[::-1]]
    [answer] = slack.posted(elsewhere) if public else slack.whispered(anna)
    assert answer.shown.startswith("Two plots.\nThe loss falls to 0.2.\nx")
    assert answer.shown.endswith("\nWhat belongs to it is in your direct messages with the bot.") is not public


@pytest.mark.parametrize("step", ["files.getUploadURLExternal", "upload", "files.completeUploadExternal"])
async def test_a_failing_upload_is_said_in_one_line_and_the_answer_stands(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str, step: str
) -> None:
    slack.api.mood.refusals[step] = "internal_error"
    bot.replies["plot"] = PLOT
    mention = await anna.mention(lab, "plot")
    await until(lambda: len(slack.posted(lab, thread=mention.ts)) == 2)
    answer, told = slack.posted(lab, thread=mention.ts)
    assert answer.shown.startswith("Two plots.")
    assert told.shown == "A picture of this answer did not get to Slack; ask again later."
    assert told.files == []


async def test_where_no_direct_message_can_be_opened_the_whisper_says_that_the_picture_is_lost(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    slack.api.mood.refusals["conversations.open"] = "internal_error"
    bot.replies["/plot"] = PLOT
    await anna.slash("/plot", "", lab)
    await until(lambda: len(slack.whispered(anna)) == 2)
    answer, told = slack.whispered(anna)
    assert answer.shown.startswith("Two plots.")
    assert told.shown == "What belongs to this answer did not get to Slack; ask again later."


async def test_an_upload_obeys_retry_after(slack: SlackServer, front_end: SlackFrontEnd, lab: str) -> None:
    slack.limit_rate("files.completeUploadExternal", 1)
    await front_end.deliver(Conversation("slack", lab), PLOT)
    assert len(slack.posted(lab)) == 2
    assert len(slack.called("files.getUploadURLExternal")) == 2


async def test_a_picture_without_a_caption_is_told_by_its_name(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str
) -> None:
    await front_end.deliver(Conversation("slack", lab), Reply.of(Picture("<loss> *x*.png", PNG)))
    answer, uploaded = slack.posted(lab)
    assert answer.shown == "<loss> *x*.png"
    assert uploaded.files[0].description == "<loss> *x*.png"


async def test_a_caption_longer_than_slack_takes_is_cut_for_those_who_hear_it(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str
) -> None:
    await front_end.deliver(Conversation("slack", lab), Reply.of(Picture("a.png", PNG, "word " * 500)))
    assert len(slack.posted(lab)[1].files[0].description) == 1000


async def test_a_picture_after_a_working_line_comes_once(
    slack: SlackServer, cards: RememberedCards, anna: Person, lab: str
) -> None:
    bot = SlowBot({"plot": PLOT})
    async with connected(slack, bot, cards, timing=Timing(patience=timedelta(0))):
        mention = await anna.mention(lab, "plot")
        await first(lambda: slack.posted(lab))
        bot.may_answer.set()
        await until(lambda: len(slack.posted(lab, thread=mention.ts)) == 2)
    assert [message.shown.splitlines()[0] for message in slack.posted(lab)] == ["Two plots.", "loss.png"]
