"""Delivery on Telegram: notifications, and cards that are edited in place."""

from datetime import timedelta
from time import monotonic

import pytest

from clearml_chatops.bot.frontends.telegram import DeliveryFailedError, DestinationGoneError, TelegramFrontEnd
from clearml_chatops.models.messages import Conversation, SentMessage
from clearml_chatops.models.replies import Button, Buttons, Code, Reply
from tests.frontends.telegram.conftest import MemoryCards, MemoryConversations
from tests.support.polling import wait_until
from tests.support.telegram import Chat, Fault, Person, TelegramServer

PENDING = Reply.of("Pending", experiment_id="e1").as_card()
RUNNING = Reply.of("Running", experiment_id="e1").as_card()
NOTIFICATION = Reply.of("It completed.", Buttons((Button("Log", "/log e1"),)), experiment_id="e1")


def get_conversation(chat: Chat, thread: str = "") -> Conversation:
    return Conversation("telegram", str(chat.id), thread)


async def test_a_notification_arrives_as_a_card(
    telegram_front_end: TelegramFrontEnd, anna: Person, cards: MemoryCards
) -> None:
    await telegram_front_end.deliver(get_conversation(anna.chat), NOTIFICATION)

    (card,) = anna.chat.bot_messages
    assert card.text == "It completed."
    assert card.reply_to is None
    assert cards.experiments == {(str(anna.id), str(card.id)): "e1"}


@pytest.mark.parametrize("messages", [1, 2])
async def test_a_notification_is_marked_delivered_with_its_last_message(
    telegram_front_end: TelegramFrontEnd, anna: Person, cards: MemoryCards, messages: int
) -> None:
    counts: list[tuple[int, int]] = []

    async def on_delivered(sent: SentMessage | None = None) -> None:
        counts.append((len(anna.chat.bot_messages), len(cards.experiments)))

    notification = (
        NOTIFICATION if messages == 1 else Reply.of("word " * 1000, *NOTIFICATION.blocks, experiment_id="e1")
    )
    await telegram_front_end.deliver(get_conversation(anna.chat), notification, on_delivered)
    assert counts == [(messages, messages - 1)], "once, before the last message is saved"
    assert len(cards.experiments) == messages


async def test_a_rejected_message_is_not_marked_delivered(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person
) -> None:
    async def on_delivered(sent: SentMessage | None = None) -> None:
        pytest.fail("Telegram doesn't have the message")

    telegram.add_fault("sendMessage", Fault.broken(500, times=10))
    with pytest.raises(DeliveryFailedError):
        await telegram_front_end.deliver(get_conversation(anna.chat), NOTIFICATION, on_delivered)


async def test_a_notification_goes_into_its_topic(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person
) -> None:
    forum = telegram.add_forum("Lab")
    topic = await anna.open_topic(forum, "Runs")

    await telegram_front_end.deliver(get_conversation(forum, str(topic)), NOTIFICATION)

    assert [answer.thread for answer in forum.bot_messages] == [topic]


async def test_gone_conversations_differ_from_failing_ones(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person
) -> None:
    forum = telegram.add_forum("Lab")
    anna.chat.bot_is_blocked = True
    for gone in (get_conversation(anna.chat), Conversation("telegram", "98765"), get_conversation(forum, "77")):
        with pytest.raises(DestinationGoneError):
            await telegram_front_end.deliver(gone, NOTIFICATION)

    telegram.add_fault("sendMessage", Fault.dropped(times=10))
    with pytest.raises(DeliveryFailedError):
        await telegram_front_end.deliver(get_conversation(forum), NOTIFICATION)


async def test_a_migrated_group_is_followed_and_saved(
    telegram: TelegramServer,
    telegram_front_end: TelegramFrontEnd,
    conversations: MemoryConversations,
    cards: MemoryCards,
) -> None:
    group = telegram.add_group("Lab")
    supergroup = telegram.upgrade_group(group)

    await telegram_front_end.deliver(get_conversation(group), NOTIFICATION)

    assert supergroup.texts == ["It completed."]
    assert conversations.moves == [(str(group.id), str(supergroup.id))]
    assert set(cards.experiments) == {(str(supergroup.id), str(supergroup.bot_messages[0].id))}


async def test_a_migration_message_is_saved(
    telegram: TelegramServer,
    telegram_front_end: TelegramFrontEnd,
    anna: Person,
    conversations: MemoryConversations,
) -> None:
    group = telegram.add_group("Lab")
    supergroup = telegram.upgrade_group(group)

    await telegram.announce_upgrade(group, anna)
    await wait_until(lambda: len(conversations.moves) == 2)

    assert set(conversations.moves) == {(str(group.id), str(supergroup.id))}
    assert supergroup.bot_messages == []


async def test_the_card_of_a_migrated_group_is_sent_again(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, cards: MemoryCards
) -> None:
    group = telegram.add_group("Lab")
    await telegram_front_end.deliver(get_conversation(group), PENDING)
    supergroup = telegram.upgrade_group(group)
    await telegram_front_end.deliver(get_conversation(supergroup), Reply.of("something else"))
    assert group.bot_messages[0].id == supergroup.bot_messages[0].id

    await telegram_front_end.edit(get_conversation(group), str(group.bot_messages[0].id), RUNNING)
    await telegram_front_end.edit(get_conversation(supergroup), f"old:{group.bot_messages[0].id}", RUNNING)

    assert supergroup.texts == ["something else", "Running", "Running"]


async def test_a_card_is_edited_in_place(telegram_front_end: TelegramFrontEnd, anna: Person) -> None:
    await telegram_front_end.deliver(get_conversation(anna.chat), Reply.of("Pending"))
    (card,) = anna.chat.bot_messages

    await telegram_front_end.edit(get_conversation(anna.chat), str(card.id), Reply.of("Running"))
    await telegram_front_end.edit(get_conversation(anna.chat), str(card.id), Reply.of("Running"))

    assert anna.chat.texts == ["Running"]
    assert card.edit_count == 1


async def test_a_deleted_card_is_sent_again(
    telegram_front_end: TelegramFrontEnd, anna: Person, cards: MemoryCards
) -> None:
    await telegram_front_end.deliver(get_conversation(anna.chat), PENDING)
    (card,) = anna.chat.bot_messages
    del anna.chat.messages[card.id]

    await telegram_front_end.edit(get_conversation(anna.chat), str(card.id), RUNNING)

    (new_card,) = anna.chat.bot_messages
    assert new_card.text == "Running"
    assert cards.card_ids == {str(card.id), str(new_card.id)}


async def test_a_deleted_superseded_card_is_not_sent_again(
    telegram_front_end: TelegramFrontEnd, anna: Person
) -> None:
    await telegram_front_end.deliver(get_conversation(anna.chat), PENDING)
    (card,) = anna.chat.bot_messages
    del anna.chat.messages[card.id]

    superseded = Reply.of("Its card is further down.", experiment_id="e1")
    await telegram_front_end.edit(get_conversation(anna.chat), str(card.id), superseded)

    assert anna.chat.bot_messages == []


async def test_only_the_last_message_is_the_card(
    telegram_front_end: TelegramFrontEnd, anna: Person, cards: MemoryCards
) -> None:
    await telegram_front_end.deliver(
        get_conversation(anna.chat), Reply.of("x" * 5000, experiment_id="e1").as_card()
    )

    assert len(anna.chat.bot_messages) == 2
    assert cards.card_ids == {str(anna.chat.bot_messages[-1].id)}


async def test_an_edit_waits_as_long_as_telegram_says(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person
) -> None:
    await telegram_front_end.deliver(get_conversation(anna.chat), PENDING)
    telegram.add_fault("editMessageText", Fault.too_many_requests(retry_after=1))
    start = monotonic()

    await telegram_front_end.edit(get_conversation(anna.chat), str(anna.chat.bot_messages[0].id), RUNNING)

    assert monotonic() - start >= 1
    assert anna.chat.texts == ["Running"]


async def test_a_text_edits_the_caption_or_replaces_the_file(
    telegram_front_end: TelegramFrontEnd, anna: Person, cards: MemoryCards
) -> None:
    log = Reply.of(Code("line\n" * 500), experiment_id="e1")
    await telegram_front_end.deliver(get_conversation(anna.chat), log.as_card())
    (document,) = anna.chat.bot_messages

    await telegram_front_end.edit(get_conversation(anna.chat), str(document.id), RUNNING)
    await telegram_front_end.edit(get_conversation(anna.chat), str(document.id), RUNNING)
    assert (document.text, document.file_name, document.edit_count) == ("Running", "log.txt", 1)

    long_reply = Reply.of("x" * 1500, experiment_id="e1").as_card()
    await telegram_front_end.edit(get_conversation(anna.chat), str(document.id), long_reply)
    (new_card,) = anna.chat.bot_messages
    assert (new_card.text, new_card.file_name) == ("x" * 1500, "")
    assert str(new_card.id) in cards.card_ids


def test_a_group_is_edited_less_often_than_a_private_chat(unstarted_front_end: TelegramFrontEnd) -> None:
    group = unstarted_front_end.get_edit_intervals(Conversation("telegram", "-1001"))
    private = unstarted_front_end.get_edit_intervals(Conversation("telegram", "17"))
    assert group.card >= timedelta(seconds=10)
    assert timedelta(minutes=1) / group.conversation <= 10, "half of the 20 messages and edits that a group takes"
    assert timedelta(seconds=1) <= private.conversation <= private.card


async def test_nothing_is_delivered_after_the_end(unstarted_front_end: TelegramFrontEnd, anna: Person) -> None:
    await unstarted_front_end.start()
    await unstarted_front_end.stop()

    with pytest.raises(DeliveryFailedError):
        await unstarted_front_end.deliver(get_conversation(anna.chat), NOTIFICATION)
