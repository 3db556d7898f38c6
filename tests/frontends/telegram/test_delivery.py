"""What nobody asked for: notifications, and cards that are edited in place."""

import pytest

from clearml_chatops.bot.frontends.telegram import DeliveryFailedError, DestinationGoneError, TelegramFrontEnd
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Button, Buttons, Reply
from tests.frontends.telegram.conftest import MemoryCards
from tests.support.telegram import Chat, Fault, Person, TelegramServer

NEWS = Reply.of("It is Completed.", Buttons((Button("Log", "/log e1"),)), about="e1")


def conversation(chat: Chat, thread: str = "") -> Conversation:
    return Conversation("telegram", str(chat.id), thread)


async def test_a_notification_arrives_as_a_card(
    telegram_front_end: TelegramFrontEnd, anna: Person, cards: MemoryCards
) -> None:
    await telegram_front_end.deliver(conversation(anna.chat), NEWS)

    (card,) = anna.chat.answers
    assert card.text == "It is Completed."
    assert card.reply_to is None
    assert cards.experiments == {(str(anna.id), str(card.id)): "e1"}


async def test_a_notification_goes_into_its_topic(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person
) -> None:
    forum = telegram.forum("Lab")
    topic = await anna.open_topic(forum, "Runs")

    await telegram_front_end.deliver(conversation(forum, str(topic)), NEWS)

    assert [answer.thread for answer in forum.answers] == [topic]


async def test_places_that_are_gone_are_told_from_those_that_fail(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person
) -> None:
    forum = telegram.forum("Lab")
    anna.chat.bot_is_blocked = True
    for gone in (conversation(anna.chat), Conversation("telegram", "98765"), conversation(forum, "77")):
        with pytest.raises(DestinationGoneError):
            await telegram_front_end.deliver(gone, NEWS)

    telegram.misbehave("sendMessage", Fault.dropped(times=10))
    with pytest.raises(DeliveryFailedError):
        await telegram_front_end.deliver(conversation(forum), NEWS)


async def test_a_group_that_has_moved_is_followed(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd
) -> None:
    group = telegram.group("Lab")
    supergroup = telegram.move(group)

    await telegram_front_end.deliver(conversation(group), NEWS)
    await telegram_front_end.deliver(conversation(group), NEWS)

    assert supergroup.texts == ["It is Completed."] * 2
    assert len(telegram.called("sendMessage")) == 3


async def test_a_card_is_edited_in_place(telegram_front_end: TelegramFrontEnd, anna: Person) -> None:
    await telegram_front_end.deliver(conversation(anna.chat), Reply.of("Pending"))
    (card,) = anna.chat.answers

    await telegram_front_end.edit(conversation(anna.chat), str(card.id), Reply.of("Running"))
    await telegram_front_end.edit(conversation(anna.chat), str(card.id), Reply.of("Running"))

    assert anna.chat.texts == ["Running"]
    assert card.edited == 1


async def test_a_deleted_card_is_sent_anew(telegram_front_end: TelegramFrontEnd, anna: Person) -> None:
    await telegram_front_end.deliver(conversation(anna.chat), Reply.of("Pending"))
    (card,) = anna.chat.answers
    del anna.chat.messages[card.id]

    await telegram_front_end.edit(conversation(anna.chat), str(card.id), Reply.of("Running"))

    assert anna.chat.texts == ["Running"]


async def test_nothing_is_delivered_after_the_end(quiet_front_end: TelegramFrontEnd, anna: Person) -> None:
    await quiet_front_end.start()
    await quiet_front_end.stop()

    with pytest.raises(DeliveryFailedError):
        await quiet_front_end.deliver(conversation(anna.chat), NEWS)
