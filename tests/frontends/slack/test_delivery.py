"""Delivery of notifications, and how Slack's errors are classified."""

import pytest

from clearml_chatops.bot.frontends.front_end import DeliveryFailedError, DestinationGoneError
from clearml_chatops.bot.frontends.slack import SlackFrontEnd
from clearml_chatops.bot.frontends.slack.rate_limiter import RateLimiter
from clearml_chatops.models.messages import Conversation, SentMessage
from clearml_chatops.models.replies import Code, Reply
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import FakeCards, build_front_end, wait_for_first
from tests.support.polling import wait_until
from tests.support.slack import Person, SlackServer


async def test_a_notification_is_a_real_message_that_is_remembered_as_a_card(
    slack: SlackServer, front_end: SlackFrontEnd, cards: FakeCards, lab: str
) -> None:
    await front_end.deliver(Conversation("slack", lab, "17.1"), Reply.of("It runs.", experiment_id="e1"))
    [message] = slack.list_posted_messages(lab, thread="17.1")
    assert message.visible_text == "It runs."
    assert cards.experiment_ids == {(lab, message.ts): "e1"}


async def test_notification_is_marked_delivered_first(
    slack: SlackServer, front_end: SlackFrontEnd, cards: FakeCards, lab: str
) -> None:
    states: list[tuple[int, int]] = []

    async def on_delivered(sent: SentMessage | None = None) -> None:
        states.append((len(slack.list_posted_messages(lab)), len(cards.experiment_ids)))

    log = Code("\n".join(f"line {number}" for number in range(10_000)))
    await front_end.deliver(
        Conversation("slack", lab), Reply.of("It failed.", log, experiment_id="e1"), on_delivered
    )
    assert states == [(1, 0)], "the message alone, without its file, and no card yet"
    assert len(cards.experiment_ids) == 1
    assert slack.list_calls("files.completeUploadExternal")


async def test_refused_notification_is_not_marked_delivered(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str
) -> None:
    async def on_delivered(sent: SentMessage | None = None) -> None:
        pytest.fail("Slack does not have it")

    slack.api.faults.refusals["chat.postMessage"] = "internal_error"
    with pytest.raises(DeliveryFailedError):
        await front_end.deliver(Conversation("slack", lab), Reply.of("It failed."), on_delivered)


async def test_unwritable_channel_raises_destination_gone(slack: SlackServer, front_end: SlackFrontEnd) -> None:
    archived, foreign = slack.add_channel("old", is_archived=True), slack.add_channel("foreign", has_bot=False)
    for channel, error_code in (
        (archived, "is_archived"),
        (foreign, "not_in_channel"),
        ("C404", "channel_not_found"),
    ):
        with pytest.raises(DestinationGoneError, match=error_code):
            await front_end.deliver(Conversation("slack", channel), Reply.of("It runs."))


@pytest.mark.parametrize("error_code", ["account_inactive", "internal_error"])
async def test_refusal_is_permanent_or_temporary(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str, error_code: str
) -> None:
    slack.api.faults.refusals["chat.postMessage"] = error_code
    expected = DestinationGoneError if error_code == "account_inactive" else DeliveryFailedError
    with pytest.raises(expected, match=error_code):
        await front_end.deliver(Conversation("slack", lab), Reply.of("It runs."))


async def test_unavailable_slack_is_temporary_failure(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str
) -> None:
    slack.api.faults.is_unavailable = True
    with pytest.raises(DeliveryFailedError):
        await front_end.deliver(Conversation("slack", lab), Reply.of("It runs."))


async def test_unreachable_slack_is_temporary_failure(bot: FakeBot, cards: FakeCards) -> None:
    async with SlackServer() as slack:
        front_end = build_front_end(slack, bot, cards)
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
    await anna.send_slash_command("/find", "", lab)
    await wait_for_first(lambda: slack.list_ephemeral_messages(anna))
    assert [message.visible_text for message in slack.list_posted_messages(lab)] == ["first", "second"]
    refused, repeated = (
        call.called_at
        for call in slack.api.calls
        if call.method == "chat.postMessage" and _contains(call, "first")
    )
    assert repeated - refused >= 1.0


def _contains(call: object, text: str) -> bool:
    return text in str(call)


def test_channel_allows_burst_then_one_message_per_second() -> None:
    now = [100.0]
    limiter = RateLimiter(burst=3, clock=lambda: now[0])
    assert [limiter.reserve("C1") for _ in range(5)] == [0, 0, 0, 1, 2]
    assert limiter.reserve("C2") == 0
    now[0] += 10
    assert limiter.reserve("C1") == 0


async def test_file_of_long_answer_is_posted_with_it(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    log = "\n".join(f"line {number}" for number in range(10_000))
    for line in ("log", "/log"):
        bot.replies[line] = Reply.of(Code(log))
    mention = await anna.mention_bot(lab, "log")
    uploaded = await wait_for_first(
        lambda: [message for message in slack.list_posted_messages(lab, thread=mention.ts) if message.files]
    )
    assert uploaded.files[0].content.decode() == log + "\n"
    await anna.send_slash_command("/log", "", lab)
    ephemeral = await wait_for_first(lambda: slack.list_ephemeral_messages(anna))
    assert ephemeral.visible_text.splitlines()[-3:] == [
        "line 9999",
        "This answer was shortened. The file has all of it.",
        "The files are in your direct messages with the bot.",
    ]
    direct = await wait_for_first(lambda: slack.list_posted_messages(anna.direct_channel))
    assert direct.files[0].name == "answer.txt"
    assert len(slack.list_posted_messages(lab)) == 2


async def test_failed_upload_is_reported_and_answer_not_repeated(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    slack.api.faults.refusals["files.completeUploadExternal"] = "internal_error"
    bot.replies["log"] = Reply.of(Code("line\n" * 10_000))
    mention = await anna.mention_bot(lab, "log")
    await wait_until(lambda: slack.list_calls("files.completeUploadExternal"))
    await front_end.stop()
    answer, notice = slack.list_posted_messages(lab, thread=mention.ts)
    assert "The file has all of it." in answer.visible_text
    assert notice.visible_text == "The file couldn't be uploaded to Slack. Try again later."
