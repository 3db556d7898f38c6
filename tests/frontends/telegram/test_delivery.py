"""What nobody asked for: notifications, and cards that are edited in place."""

from datetime import timedelta
from time import monotonic

import pytest

from clearml_chatops.bot.frontends.telegram import DeliveryFailedError, DestinationGoneError, TelegramFrontEnd
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Button, Buttons, Code, Reply
from tests.frontends.telegram.conftest import MemoryCards, MemoryPlaces
from tests.support.telegram import Chat, Fault, Person, TelegramServer
from tests.support.waiting import until

PENDING = Reply.of("Pending", about="e1").as_card()
RUNNING = Reply.of("Running", about="e1").as_card()
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


@pytest.mark.parametrize("messages", [1, 2])
async def test_a_notification_has_arrived_with_its_last_message_and_before_anything_else_is_done(
    telegram_front_end: TelegramFrontEnd, anna: Person, cards: MemoryCards, messages: int
) -> None:
    known: list[tuple[int, int]] = []

    async def arrived() -> None:
        known.append((len(anna.chat.answers), len(cards.experiments)))

    news = NEWS if messages == 1 else Reply.of("word " * 1000, *NEWS.blocks, about="e1")
    await telegram_front_end.deliver(conversation(anna.chat), news, arrived)
    assert known == [(messages, messages - 1)], "once, and its last message is no card yet"
    assert len(cards.experiments) == messages


async def test_what_telegram_does_not_take_has_not_arrived(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person
) -> None:
    async def arrived() -> None:
        pytest.fail("Telegram does not have it")

    telegram.misbehave("sendMessage", Fault.broken(500, times=10))
    with pytest.raises(DeliveryFailedError):
        await telegram_front_end.deliver(conversation(anna.chat), NEWS, arrived)


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


async def test_a_group_that_has_moved_is_followed_and_noted(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, places: MemoryPlaces, cards: MemoryCards
) -> None:
    group = telegram.group("Lab")
    supergroup = telegram.move(group)

    await telegram_front_end.deliver(conversation(group), NEWS)

    assert supergroup.texts == ["It is Completed."]
    assert places.moves == [(str(group.id), str(supergroup.id))]
    assert set(cards.experiments) == {(str(supergroup.id), str(supergroup.answers[0].id))}


async def test_a_group_that_moves_is_noted_at_once(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person, places: MemoryPlaces
) -> None:
    group = telegram.group("Lab")
    supergroup = telegram.move(group)

    await telegram.tell_of_move(group, anna)
    await until(lambda: len(places.moves) == 2)

    assert set(places.moves) == {(str(group.id), str(supergroup.id))}
    assert supergroup.answers == []


async def test_the_card_of_a_group_that_has_moved_is_sent_anew_and_touches_no_other_message(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, cards: MemoryCards
) -> None:
    group = telegram.group("Lab")
    await telegram_front_end.deliver(conversation(group), PENDING)
    supergroup = telegram.move(group)
    await telegram_front_end.deliver(conversation(supergroup), Reply.of("something else"))
    assert group.answers[0].id == supergroup.answers[0].id

    await telegram_front_end.edit(conversation(group), str(group.answers[0].id), RUNNING)
    await telegram_front_end.edit(conversation(supergroup), f"old:{group.answers[0].id}", RUNNING)

    assert supergroup.texts == ["something else", "Running", "Running"]


async def test_a_card_is_edited_in_place(telegram_front_end: TelegramFrontEnd, anna: Person) -> None:
    await telegram_front_end.deliver(conversation(anna.chat), Reply.of("Pending"))
    (card,) = anna.chat.answers

    await telegram_front_end.edit(conversation(anna.chat), str(card.id), Reply.of("Running"))
    await telegram_front_end.edit(conversation(anna.chat), str(card.id), Reply.of("Running"))

    assert anna.chat.texts == ["Running"]
    assert card.edited == 1


async def test_a_deleted_card_is_sent_anew_and_is_the_card_from_then_on(
    telegram_front_end: TelegramFrontEnd, anna: Person, cards: MemoryCards
) -> None:
    await telegram_front_end.deliver(conversation(anna.chat), PENDING)
    (card,) = anna.chat.answers
    del anna.chat.messages[card.id]

    await telegram_front_end.edit(conversation(anna.chat), str(card.id), RUNNING)

    (anew,) = anna.chat.answers
    assert anew.text == "Running"
    assert cards.live == {str(card.id), str(anew.id)}


async def test_what_is_no_card_any_more_is_not_sent_anew(
    telegram_front_end: TelegramFrontEnd, anna: Person
) -> None:
    await telegram_front_end.deliver(conversation(anna.chat), PENDING)
    (card,) = anna.chat.answers
    del anna.chat.messages[card.id]

    superseded = Reply.of("Its card is further down.", about="e1")
    await telegram_front_end.edit(conversation(anna.chat), str(card.id), superseded)

    assert anna.chat.answers == []


async def test_of_a_card_in_two_messages_one_is_the_card(
    telegram_front_end: TelegramFrontEnd, anna: Person, cards: MemoryCards
) -> None:
    await telegram_front_end.deliver(conversation(anna.chat), Reply.of("x" * 5000, about="e1").as_card())

    assert len(anna.chat.answers) == 2
    assert cards.live == {str(anna.chat.answers[-1].id)}


async def test_an_edit_waits_as_long_as_telegram_says(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person
) -> None:
    await telegram_front_end.deliver(conversation(anna.chat), PENDING)
    telegram.misbehave("editMessageText", Fault.too_many_requests(retry_after=1))
    begun = monotonic()

    await telegram_front_end.edit(conversation(anna.chat), str(anna.chat.answers[0].id), RUNNING)

    assert monotonic() - begun >= 1
    assert anna.chat.texts == ["Running"]


async def test_below_a_file_a_text_is_its_caption_or_takes_its_place(
    telegram_front_end: TelegramFrontEnd, anna: Person, cards: MemoryCards
) -> None:
    log = Reply.of(Code("line\n" * 500), about="e1")
    await telegram_front_end.deliver(conversation(anna.chat), log.as_card())
    (document,) = anna.chat.answers

    await telegram_front_end.edit(conversation(anna.chat), str(document.id), RUNNING)
    await telegram_front_end.edit(conversation(anna.chat), str(document.id), RUNNING)
    assert (document.text, document.file_name, document.edited) == ("Running", "log.txt", 1)

    long = Reply.of("x" * 1500, about="e1").as_card()
    await telegram_front_end.edit(conversation(anna.chat), str(document.id), long)
    (anew,) = anna.chat.answers
    assert (anew.text, anew.file_name) == ("x" * 1500, "")
    assert str(anew.id) in cards.live


def test_a_group_is_edited_less_often_than_a_private_chat(quiet_front_end: TelegramFrontEnd) -> None:
    group = quiet_front_end.edit_pace(Conversation("telegram", "-1001"))
    private = quiet_front_end.edit_pace(Conversation("telegram", "17"))
    assert group.card >= timedelta(seconds=10)
    assert timedelta(minutes=1) / group.conversation <= 10, "half of the 20 messages and edits that it takes"
    assert timedelta(seconds=1) <= private.conversation <= private.card


async def test_nothing_is_delivered_after_the_end(quiet_front_end: TelegramFrontEnd, anna: Person) -> None:
    await quiet_front_end.start()
    await quiet_front_end.stop()

    with pytest.raises(DeliveryFailedError):
        await quiet_front_end.deliver(conversation(anna.chat), NEWS)
