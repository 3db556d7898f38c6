"""Pictures: uploaded next to the answer, with alt texts. A failed upload doesn't lose the answer."""

from datetime import timedelta

import pytest

from clearml_chatops.bot.frontends.slack import SlackFrontEnd, Timing
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Picture, Reply
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import FakeCards, SlowBot, connect_front_end, wait_for_first
from tests.support.polling import wait_until
from tests.support.slack import Person, SlackServer

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
"""Bytes that no text encoding accepts."""
PLOT = Reply.of(
    "Two plots.", Picture("loss.png", PNG, "The loss falls to 0.2."), Picture("lr.png", PNG[::-1], "x")
)


async def test_pictures_are_posted_in_thread_with_captions(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["plot"] = PLOT
    mention = await anna.mention_bot(lab, "plot")
    await wait_until(lambda: len(slack.list_posted_messages(lab, thread=mention.ts)) == 2)
    answer, uploaded = slack.list_posted_messages(lab, thread=mention.ts)
    assert answer.visible_text == "Two plots.\nThe loss falls to 0.2.\nx"
    assert [(file.name, file.content, file.description) for file in uploaded.files] == [
        ("loss.png", PNG, "The loss falls to 0.2."),
        ("lr.png", PNG[::-1], "x"),
    ]


async def test_pictures_of_public_reply_are_posted_in_channel(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["/plot"] = PLOT
    await anna.send_slash_command("/plot", "--public", lab)
    await wait_until(lambda: len(slack.list_posted_messages(lab, thread="")) == 2)
    assert len(slack.list_posted_messages(lab, thread="")[1].files) == 2


@pytest.mark.parametrize("public", [False, True])
async def test_pictures_of_ephemeral_reply_or_channel_without_bot_are_direct_messages(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, *, public: bool
) -> None:
    other_channel = slack.add_channel("elsewhere", has_bot=False)
    bot.replies["/plot"] = PLOT
    await anna.send_slash_command("/plot", "--public" if public else "", other_channel)
    [uploaded] = [await wait_for_first(lambda: slack.list_posted_messages(anna.direct_channel))]
    assert [file.content for file in uploaded.files] == [PNG, PNG[::-1]]
    [answer] = slack.list_posted_messages(other_channel) if public else slack.list_ephemeral_messages(anna)
    assert answer.visible_text.startswith("Two plots.\nThe loss falls to 0.2.\nx")
    assert answer.visible_text.endswith("\nThe files are in your direct messages with the bot.") is not public


@pytest.mark.parametrize("step", ["files.getUploadURLExternal", "upload", "files.completeUploadExternal"])
async def test_failed_upload_is_reported_and_answer_stays(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str, step: str
) -> None:
    slack.api.faults.refusals[step] = "internal_error"
    bot.replies["plot"] = PLOT
    mention = await anna.mention_bot(lab, "plot")
    await wait_until(lambda: len(slack.list_posted_messages(lab, thread=mention.ts)) == 2)
    answer, notice = slack.list_posted_messages(lab, thread=mention.ts)
    assert answer.visible_text.startswith("Two plots.")
    assert notice.visible_text == "The pictures couldn't be uploaded to Slack. Try again later."
    assert notice.files == []


async def test_ephemeral_reply_reports_picture_that_cannot_be_sent(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    slack.api.faults.refusals["conversations.open"] = "internal_error"
    bot.replies["/plot"] = PLOT
    await anna.send_slash_command("/plot", "", lab)
    await wait_until(lambda: len(slack.list_ephemeral_messages(anna)) == 2)
    answer, notice = slack.list_ephemeral_messages(anna)
    assert answer.visible_text.startswith("Two plots.")
    assert notice.visible_text == "The files couldn't be uploaded to Slack. Try again later."


async def test_an_upload_obeys_retry_after(slack: SlackServer, front_end: SlackFrontEnd, lab: str) -> None:
    slack.limit_rate("files.completeUploadExternal", 1)
    await front_end.deliver(Conversation("slack", lab), PLOT)
    assert len(slack.list_posted_messages(lab)) == 2
    assert len(slack.list_calls("files.getUploadURLExternal")) == 2


async def test_picture_without_caption_is_described_by_its_name(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str
) -> None:
    await front_end.deliver(Conversation("slack", lab), Reply.of(Picture("<loss> *x*.png", PNG)))
    answer, uploaded = slack.list_posted_messages(lab)
    assert answer.visible_text == "<loss> *x*.png"
    assert uploaded.files[0].description == "<loss> *x*.png"


async def test_long_caption_is_truncated_in_alt_text(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str
) -> None:
    await front_end.deliver(Conversation("slack", lab), Reply.of(Picture("a.png", PNG, "word " * 500)))
    assert len(slack.list_posted_messages(lab)[1].files[0].description) == 1000


async def test_picture_after_typing_indicator_is_posted_once(
    slack: SlackServer, cards: FakeCards, anna: Person, lab: str
) -> None:
    bot = SlowBot({"plot": PLOT})
    async with connect_front_end(slack, bot, cards, timing=Timing(typing_indicator_delay=timedelta(0))):
        mention = await anna.mention_bot(lab, "plot")
        await wait_for_first(lambda: slack.list_posted_messages(lab))
        bot.may_answer.set()
        await wait_until(lambda: len(slack.list_posted_messages(lab, thread=mention.ts)) == 2)
    assert [message.visible_text.splitlines()[0] for message in slack.list_posted_messages(lab)] == [
        "Two plots.",
        "loss.png",
    ]
