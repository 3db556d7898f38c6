"""Cards: messages that can be edited later, and the threads of their experiments."""

import asyncio
from datetime import timedelta

import pytest

from clearml_chatops.bot.frontends.front_end import DestinationGoneError
from clearml_chatops.bot.frontends.slack import SlackFrontEnd, Timing
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Button, Buttons, Code, Reply
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

CARD = Reply.of("baseline", Buttons((Button("Log", "/log e1"),)), experiment_id="e1").as_card()
_CARD_IN_DIRECT_MESSAGES_TEXT = (
    "The bot couldn't post the card here, so it's in your direct messages. "
    "To get cards here, add the bot to this channel."
)


@over_both_transports
async def test_card_of_slash_command_is_posted_in_channel(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, cards: FakeCards, anna: Person, lab: str
) -> None:
    bot.replies["/show e1"] = CARD
    await anna.send_slash_command("/show", "e1", lab)
    card = await wait_for_first(lambda: slack.list_posted_messages(lab))
    await wait_until(lambda: cards.card_message_ids == {card.ts})
    assert card.visible_text == "baseline\n[Log]"
    assert slack.list_ephemeral_messages(anna) == []


async def test_card_of_ephemeral_button_is_posted_in_channel(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, cards: FakeCards, anna: Person, lab: str
) -> None:
    bot.replies["/find"] = Reply.of("One.", Buttons((Button("baseline", "/show e1"),)))
    bot.replies["/show e1"] = CARD
    await anna.send_slash_command("/find", "", lab)
    await wait_for_first(lambda: slack.list_ephemeral_messages(anna))
    await anna.press("baseline")
    card = await wait_for_first(lambda: slack.list_posted_messages(lab))
    await wait_until(lambda: cards.card_message_ids == {card.ts})
    assert [message.button_labels for message in slack.list_ephemeral_messages(anna)] == [["baseline"]]


@pytest.mark.parametrize("archived", [False, True], ids=["the bot is not in it", "archived"])
async def test_card_falls_back_to_direct_message_with_notice(
    slack: SlackServer,
    front_end: SlackFrontEnd,
    bot: FakeBot,
    cards: FakeCards,
    anna: Person,
    *,
    archived: bool,
) -> None:
    other_channel = slack.add_channel("elsewhere", has_bot=archived, is_archived=archived)
    bot.replies["/show e1"] = CARD
    await anna.send_slash_command("/show", "e1", other_channel)
    notice = await wait_for_first(lambda: slack.list_ephemeral_messages(anna))
    assert notice.visible_text == _CARD_IN_DIRECT_MESSAGES_TEXT
    [card] = slack.list_posted_messages()
    assert card.channel == anna.direct_channel
    await wait_until(lambda: cards.experiment_ids == {(anna.direct_channel, card.ts): "e1"})
    assert cards.card_message_ids == {card.ts}


async def test_card_requested_in_direct_message_is_posted_there(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, cards: FakeCards, anna: Person
) -> None:
    bot.replies["/show e1"] = CARD
    await anna.send_slash_command("/show", "e1", anna.direct_channel)
    card = await wait_for_first(lambda: slack.list_posted_messages(anna.direct_channel))
    await wait_until(lambda: cards.card_message_ids == {card.ts})
    assert slack.list_ephemeral_messages(anna) == []


async def test_card_that_cannot_be_posted_is_sent_as_ephemeral_reply(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, cards: FakeCards, anna: Person, lab: str
) -> None:
    slack.api.faults.refusals["chat.postMessage"] = "internal_error"
    bot.replies["/show e1"] = CARD
    await anna.send_slash_command("/show", "e1", lab)
    assert (await wait_for_first(lambda: slack.list_ephemeral_messages(anna))).visible_text == "baseline\n[Log]"
    assert cards.experiment_ids == {}


async def test_typing_indicator_of_card_is_replaced(
    slack: SlackServer, cards: FakeCards, anna: Person, lab: str
) -> None:
    bot = SlowBot({"/show e1": CARD})
    async with connect_front_end(slack, bot, cards, timing=Timing(typing_indicator_delay=timedelta(0))):
        await anna.send_slash_command("/show", "e1", lab)
        typing_indicator = await wait_for_first(lambda: slack.list_ephemeral_messages(anna))
        bot.may_answer.set()
        await wait_until(lambda: typing_indicator.visible_text == "The card is in the channel.")
    assert [message.visible_text for message in slack.list_posted_messages(lab)] == ["baseline\n[Log]"]
    assert slack.list_ephemeral_messages(anna) == [typing_indicator]


async def test_the_details_of_a_card_are_in_its_thread(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    bot.replies["/log e1"] = Reply.of(Code("line\n" * 10_000), experiment_id="e1")
    await front_end.deliver(Conversation("slack", lab), CARD)
    [card] = slack.list_posted_messages(lab)
    await anna.press("Log")
    await wait_until(lambda: len(slack.list_posted_messages(lab, thread=card.ts)) == 2)
    log, uploaded = slack.list_posted_messages(lab, thread=card.ts)
    assert (log.files, [file.name for file in uploaded.files]) == ([], ["answer.txt"])
    assert slack.list_posted_messages(lab, thread="") == [card]


async def test_thread_started_by_mention_is_about_its_experiment_for_everybody(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, cards: FakeCards, anna: Person, lab: str
) -> None:
    bot.replies["show e1"] = CARD
    mention = await anna.mention_bot(lab, "show e1")
    card = await wait_for_first(lambda: slack.list_posted_messages(lab, thread=mention.ts))
    await wait_until(lambda: cards.experiment_ids == {(lab, card.ts): "e1", (lab, mention.ts): "e1"})
    assert cards.card_message_ids == {card.ts}
    assert cards.threads[card.ts] == mention.ts
    await slack.add_person("boris").mention_bot(lab, "log", thread=mention.ts)
    await wait_until(lambda: bot.messages[-1].text == "log")
    assert bot.messages[-1].context_experiment_id == "e1"


async def test_an_answer_in_a_thread_of_a_channel_that_the_bot_left_is_a_direct_message(
    slack: SlackServer, cards: FakeCards, anna: Person, lab: str
) -> None:
    bot, boris = SlowBot({"/log e1": Reply.of("The log."), "log": CARD}), slack.add_person("boris")
    async with connect_front_end(slack, bot, cards) as front_end:
        await front_end.deliver(Conversation("slack", lab), CARD)
        [card] = slack.list_posted_messages(lab)
        await anna.press("Log")
        await boris.mention_bot(lab, "log")
        await wait_until(lambda: len(bot.messages) == 2)
        slack.workspace.channels[lab].has_bot = False
        bot.may_answer.set()
        log = await wait_for_first(lambda: slack.list_posted_messages(anna.direct_channel))
        new_card = await wait_for_first(lambda: slack.list_posted_messages(boris.direct_channel))
    assert (log.visible_text, new_card.visible_text) == ("The log.", "baseline\n[Log]")
    assert slack.list_posted_messages(lab) == [card]
    assert cards.experiment_ids[boris.direct_channel, new_card.ts] == "e1"


async def test_card_is_edited_in_place(slack: SlackServer, front_end: SlackFrontEnd, lab: str) -> None:
    conversation = Conversation("slack", lab)
    await front_end.deliver(conversation, CARD)
    [card] = slack.list_posted_messages(lab)
    for _ in range(2):
        await front_end.edit(conversation, card.ts, Reply.of("Running", experiment_id="e1").as_card())
    assert [message.visible_text for message in slack.list_posted_messages(lab)] == ["Running"]


@pytest.mark.parametrize("error_code", ["", "cant_update_message"], ids=["deleted", "not editable"])
async def test_card_that_cannot_be_edited_is_posted_again(
    slack: SlackServer, front_end: SlackFrontEnd, cards: FakeCards, lab: str, error_code: str
) -> None:
    conversation = Conversation("slack", lab, "17.1")
    await front_end.deliver(conversation, CARD)
    [card] = slack.list_posted_messages(lab)
    if error_code:
        slack.api.faults.refusals["chat.update"] = error_code
    else:
        card.deleted = True
    await front_end.edit(conversation, card.ts, Reply.of("Running", experiment_id="e1").as_card())
    new = slack.list_posted_messages(lab)[-1]
    assert (new.visible_text, new.thread_ts) == ("Running", "17.1")
    assert new.ts in cards.card_message_ids
    assert cards.threads[new.ts] == "17.1"


async def test_edit_of_deleted_message_without_card_is_not_posted(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str
) -> None:
    await front_end.deliver(Conversation("slack", lab), CARD)
    slack.list_posted_messages(lab)[0].deleted = True
    await front_end.edit(Conversation("slack", lab), slack.workspace.messages[0].ts, Reply.of("Further down."))
    assert slack.list_posted_messages(lab) == []


async def test_an_edit_uploads_no_file_again(slack: SlackServer, front_end: SlackFrontEnd, lab: str) -> None:
    long = Reply.of(Code("line\n" * 10_000), experiment_id="e1").as_card()
    await front_end.deliver(Conversation("slack", lab), long)
    card = slack.list_posted_messages(lab)[0]
    await front_end.edit(Conversation("slack", lab), card.ts, long)
    assert len(slack.list_calls("chat.update")) == 1
    assert len(slack.list_calls("files.completeUploadExternal")) == 1


async def test_edit_in_channel_that_bot_left_raises_destination_gone(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str
) -> None:
    await front_end.deliver(Conversation("slack", lab), CARD)
    slack.workspace.channels[lab].has_bot = False
    with pytest.raises(DestinationGoneError, match="not_in_channel"):
        await front_end.edit(Conversation("slack", lab), slack.workspace.messages[0].ts, CARD)


async def test_edits_obey_retry_after(slack: SlackServer, front_end: SlackFrontEnd, lab: str) -> None:
    await front_end.deliver(Conversation("slack", lab), CARD)
    [card] = slack.list_posted_messages(lab)
    slack.limit_rate("chat.update", 1)
    await front_end.edit(Conversation("slack", lab), card.ts, Reply.of("Running", experiment_id="e1").as_card())
    refused, repeated = (call.called_at for call in slack.api.calls if call.method == "chat.update")
    assert repeated - refused >= 1.0
    assert card.visible_text == "Running"


@pytest.mark.parametrize("limited_method", ["chat.postMessage", "chat.update"])
async def test_edits_and_messages_of_a_channel_do_not_wait_for_one_another(
    slack: SlackServer, front_end: SlackFrontEnd, lab: str, limited_method: str
) -> None:
    conversation = Conversation("slack", lab)
    await front_end.deliver(conversation, CARD)
    [card] = slack.list_posted_messages(lab)
    slack.limit_rate(limited_method, *([600] * 20))

    async def post() -> None:
        await front_end.deliver(conversation, Reply.of("new"))

    async def edit() -> None:
        await front_end.edit(conversation, card.ts, Reply.of("Running", experiment_id="e1").as_card())

    limited, unlimited = (post, edit) if limited_method == "chat.postMessage" else (edit, post)
    # More than a burst, so the slots of the rate limiter are used up too.
    tasks = [asyncio.create_task(limited()) for _ in range(20)]
    await wait_until(lambda: slack.list_calls(limited_method))
    await unlimited()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert [message.visible_text for message in slack.list_posted_messages(lab)] in (
        ["Running"],
        ["baseline\n[Log]", "new"],
    )
