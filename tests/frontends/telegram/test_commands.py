"""What people write and press on Telegram, over real sockets, with the real library."""

import asyncio

import pytest

from clearml_chatops.bot.frontends.telegram import TelegramFrontEnd
from clearml_chatops.models.errors import DatabaseUnusableError
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Identity
from clearml_chatops.models.replies import Reply
from tests.frontends.conftest import FakeBot
from tests.frontends.telegram.conftest import BOTH_WAYS, CARD, MemoryCards
from tests.support.telegram import Person, TelegramServer

pytestmark = [pytest.mark.usefixtures("telegram_front_end"), BOTH_WAYS]


async def test_a_message_in_a_private_chat_is_a_command(
    telegram: TelegramServer, anna: Person, bot: FakeBot
) -> None:
    bot.replies["find base"] = Reply.of("baseline & <b>others</b>")

    said = await anna.say("find base")
    await telegram.until(lambda: anna.chat.answers)

    assert bot.heard == [
        IncomingMessage(
            Identity("telegram", str(anna.id)), "Anna Berg", Conversation("telegram", str(anna.id)), "find base"
        )
    ]
    (answer,) = anna.chat.answers
    assert answer.text == "baseline & <b>others</b>"
    assert answer.reply_to == said.id


@pytest.mark.parametrize(
    ("written", "heard"),
    [
        ("/clone@lab_bot base", "/clone base"),
        ("/clone@LAB_Bot base", "/clone base"),
        ("/queue_move base front", "/queue_move base front"),
        ("/abbort", "/abbort"),
        ("@lab_bot clone base", "clone base"),
        ("@lab_bot, clone base", "clone base"),
        ("@lab_bot", "/help"),
    ],
)
async def test_commands_in_a_group(
    telegram: TelegramServer, anna: Person, bot: FakeBot, written: str, heard: str
) -> None:
    group = telegram.group("Lab")

    await anna.say(written, chat=group)
    await telegram.until(lambda: group.answers)

    assert bot.lines == [heard]
    assert bot.heard[0].conversation == Conversation("telegram", str(group.id))
    assert anna.chat.answers == []


async def test_what_is_for_other_bots_is_left_to_them(
    telegram: TelegramServer, anna: Person, bot: FakeBot
) -> None:
    group = telegram.group("Lab")

    await anna.say("/clone@other_bot base", chat=group)
    await anna.say("/roll_the_dice", chat=group)
    await anna.say("I told @lab_bot yesterday", chat=group)
    await anna.say("/find", chat=group)
    await telegram.until(lambda: group.answers)

    assert bot.lines == ["/find"]


async def test_answers_stay_in_their_topic(telegram: TelegramServer, anna: Person, bot: FakeBot) -> None:
    forum = telegram.forum("Lab")
    topic = await anna.open_topic(forum, "Runs")
    bot.replies["/find"] = CARD

    await anna.say("/find", chat=forum, topic=topic)
    await telegram.until(lambda: forum.answers)
    await anna.press(forum.answers[0], "Log")
    await telegram.until(lambda: len(forum.answers) == 2)

    assert {answer.thread for answer in forum.answers} == {topic}
    assert {message.conversation for message in bot.heard} == {Conversation("telegram", str(forum.id), str(topic))}
    # Telegram calls all that is written in a topic a reply to its first message.
    assert bot.heard[0].about == ""


async def test_a_reply_in_a_group_without_topics_is_no_thread(
    telegram: TelegramServer, anna: Person, bot: FakeBot
) -> None:
    supergroup = telegram.supergroup("Lab")
    bot.replies["/find"] = CARD
    await anna.say("/find", chat=supergroup)
    await telegram.until(lambda: supergroup.answers)

    await anna.reply_to(supergroup.answers[0], "log")
    await telegram.until(lambda: len(supergroup.answers) == 2)

    assert bot.heard[1].conversation == Conversation("telegram", str(supergroup.id))


@pytest.mark.parametrize("place", ["private", "group"])
async def test_a_reply_to_a_card_is_about_its_experiment(
    telegram: TelegramServer, anna: Person, bot: FakeBot, place: str
) -> None:
    chat = anna.chat if place == "private" else telegram.group("Lab")
    bot.replies["/find"] = CARD
    await anna.say("/find", chat=chat)
    await telegram.until(lambda: chat.answers)

    await anna.reply_to(chat.answers[0], "log 20")
    await telegram.until(lambda: len(chat.answers) == 2)

    assert [(message.text, message.about) for message in bot.heard] == [("/find", ""), ("log 20", "e1")]


async def test_a_picture_in_the_private_chat_is_answered_and_in_a_group_is_for_the_others(
    telegram: TelegramServer, anna: Person, bot: FakeBot
) -> None:
    group = telegram.group("Lab")
    bot.replies["/find"] = CARD
    await anna.say("/find", chat=group)
    await anna.say("/find")
    await telegram.until(lambda: group.answers and anna.chat.answers)
    await anna.reply_with_photo(group.answers[0])
    await anna.reply_with_photo(anna.chat.answers[0])
    await telegram.until(lambda: len(anna.chat.answers) == 2)

    assert "text only" in anna.chat.texts[1]
    assert bot.lines == ["/find", "/find"]
    assert len(group.answers) == 1


async def test_what_is_delivered_twice_is_done_once(telegram: TelegramServer, anna: Person, bot: FakeBot) -> None:
    said = await anna.say("/find")
    update = next(update for update in telegram.state.updates if "message" in update)
    await telegram.until(lambda: anna.chat.answers and not telegram.state.updates)

    await telegram.state.redeliver(update)
    await telegram.until(lambda: not telegram.state.updates)
    await anna.say("/queue")
    await telegram.until(lambda: len(anna.chat.answers) == 2)

    assert bot.lines == ["/find", "/queue"]
    assert anna.chat.answers[0].reply_to == said.id


async def test_the_commands_of_one_person_are_done_in_their_order(
    telegram: TelegramServer, anna: Person, quiet_front_end: TelegramFrontEnd
) -> None:
    boris = telegram.person("Boris")
    first_may_end = asyncio.Event()
    begun: list[str] = []

    async def handle(message: IncomingMessage) -> Reply:
        begun.append(message.text)
        if message.text == "/set":
            await first_may_end.wait()
        return Reply.of(f"done {message.text}")

    quiet_front_end._answering._handle = handle
    await anna.say("/set")
    await anna.say("/enqueue")
    await boris.say("/queue")
    await telegram.until(lambda: boris.chat.answers)
    assert begun == ["/set", "/queue"]
    first_may_end.set()
    await telegram.until(lambda: len(anna.chat.answers) == 2)

    assert anna.chat.texts == ["done /set", "done /enqueue"]


async def test_a_card_that_cannot_be_looked_up_is_a_refusal_and_ends_nothing(
    telegram: TelegramServer,
    anna: Person,
    bot: FakeBot,
    cards: MemoryCards,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(*_: object) -> str:
        raise DatabaseUnusableError(url="sqlite://", reason="locked")

    bot.replies["/show"] = CARD
    await anna.say("/show")
    await telegram.until(lambda: anna.chat.answers)
    monkeypatch.setattr(cards, "experiment_of", fail)
    await anna.reply_to(anna.chat.answers[0], "log")
    await telegram.until(lambda: len(anna.chat.answers) == 2)
    await anna.say("/find")
    await telegram.until(lambda: len(anna.chat.answers) == 3)

    assert anna.chat.texts[1].startswith("❌ DATABASE_URL")
    assert bot.lines == ["/show", "/find"]


async def test_a_deep_link_goes_through_the_funnel(telegram: TelegramServer, anna: Person, bot: FakeBot) -> None:
    code = "aB3-_" * 12
    await anna.say(f"/start {code}")
    await telegram.until(lambda: anna.chat.answers)

    assert bot.lines == [f"/start {code}"]
