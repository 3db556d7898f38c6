"""Commands that people write on Telegram, over real sockets with the real library."""

import asyncio

import pytest

from clearml_chatops.bot.frontends.telegram import TelegramFrontEnd
from clearml_chatops.models.actions import Action
from clearml_chatops.models.errors import DatabaseUnusableError
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Identity
from clearml_chatops.models.replies import Reply
from tests.frontends.conftest import FakeBot
from tests.frontends.telegram.conftest import BOTH_TRANSPORTS, CARD, MemoryActions, MemoryCards
from tests.support.telegram import Person, TelegramServer

pytestmark = [pytest.mark.usefixtures("telegram_front_end"), BOTH_TRANSPORTS]


async def test_a_message_in_a_private_chat_is_a_command(
    telegram: TelegramServer, anna: Person, bot: FakeBot
) -> None:
    bot.replies["find base"] = Reply.of("baseline & <b>others</b>")

    sent = await anna.send("find base")
    await telegram.wait_until(lambda: anna.chat.bot_messages)

    assert bot.messages == [
        IncomingMessage(
            Identity("telegram", str(anna.id)), "Anna Berg", Conversation("telegram", str(anna.id)), "find base"
        )
    ]
    (answer,) = anna.chat.bot_messages
    assert answer.text == "baseline & <b>others</b>"
    assert answer.reply_to == sent.id


@pytest.mark.parametrize(
    ("text", "command_line"),
    [
        ("/clone@lab_bot base", "/clone base"),
        ("/clone@LAB_Bot base", "/clone base"),
        ("/queue_move base front", "/queue_move base front"),
        ("/abbort", "/abbort"),
        ("/kill base", "/kill base"),
        ("/list queues", "/list queues"),
        ("@lab_bot how do I start training?", "how do I start training?"),
        ("@lab_bot clone base", "clone base"),
        ("@lab_bot, clone base", "clone base"),
        ("@lab_bot", "/help"),
    ],
)
async def test_commands_in_a_group(
    telegram: TelegramServer, anna: Person, bot: FakeBot, text: str, command_line: str
) -> None:
    group = telegram.add_group("Lab")

    await anna.send(text, chat=group)
    await telegram.wait_until(lambda: group.bot_messages)

    assert bot.lines == [command_line]
    assert bot.messages[0].conversation == Conversation("telegram", str(group.id))
    assert anna.chat.bot_messages == []


async def test_commands_for_other_bots_are_ignored(telegram: TelegramServer, anna: Person, bot: FakeBot) -> None:
    group = telegram.add_group("Lab")

    await anna.send("/clone@other_bot base", chat=group)
    await anna.send("/roll_the_dice", chat=group)
    await anna.send("I told @lab_bot yesterday", chat=group)
    await anna.send("/find", chat=group)
    await telegram.wait_until(lambda: group.bot_messages)

    assert bot.lines == ["/find"]


async def test_answers_stay_in_their_topic(telegram: TelegramServer, anna: Person, bot: FakeBot) -> None:
    forum = telegram.add_forum("Lab")
    topic = await anna.open_topic(forum, "Runs")
    bot.replies["/find"] = CARD

    await anna.send("/find", chat=forum, topic=topic)
    await telegram.wait_until(lambda: forum.bot_messages)
    await anna.press(forum.bot_messages[0], "Log")
    await telegram.wait_until(lambda: len(forum.bot_messages) == 2)

    assert {answer.thread for answer in forum.bot_messages} == {topic}
    assert {message.conversation for message in bot.messages} == {
        Conversation("telegram", str(forum.id), str(topic))
    }
    # Telegram marks every message in a topic as a reply to its first message.
    assert bot.messages[0].context_experiment_id == ""


async def test_a_reply_in_a_group_without_topics_is_no_thread(
    telegram: TelegramServer, anna: Person, bot: FakeBot
) -> None:
    supergroup = telegram.add_supergroup("Lab")
    bot.replies["/find"] = CARD
    await anna.send("/find", chat=supergroup)
    await telegram.wait_until(lambda: supergroup.bot_messages)

    await anna.reply_to(supergroup.bot_messages[0], "abort")
    await telegram.wait_until(lambda: len(supergroup.bot_messages) == 2)

    assert bot.messages[1].conversation == Conversation("telegram", str(supergroup.id))


@pytest.mark.parametrize("chat_type", ["private", "group"])
async def test_a_reply_to_a_card_is_about_its_experiment(
    telegram: TelegramServer, anna: Person, bot: FakeBot, chat_type: str
) -> None:
    chat = anna.chat if chat_type == "private" else telegram.add_group("Lab")
    bot.replies["/find"] = CARD
    await anna.send("/find", chat=chat)
    await telegram.wait_until(lambda: chat.bot_messages)

    await anna.reply_to(chat.bot_messages[0], "abort 20")
    await telegram.wait_until(lambda: len(chat.bot_messages) == 2)

    assert [(message.text, message.context_experiment_id) for message in bot.messages] == [
        ("/find", ""),
        ("abort 20", "e1"),
    ]


async def test_what_people_write_to_each_other_in_a_group_gets_no_answer(
    telegram: TelegramServer, anna: Person, bot: FakeBot
) -> None:
    group = telegram.add_group("Lab")
    bot.replies["/find"] = CARD
    await anna.send("/find", chat=group)
    await telegram.wait_until(lambda: group.bot_messages)
    card = group.bot_messages[0]
    for text in ("nice, 0.91!", "looks good to all of us", "why is it that slow again?", "hello Bob", "thanks"):
        await anna.reply_to(card, text)
    await anna.send("/hug Bob", chat=group)
    await anna.reply_to(card, "kill it")
    await telegram.wait_until(lambda: len(group.bot_messages) == 2)
    assert bot.lines == ["/find", "kill it"]


async def test_a_picture_is_answered_in_private_and_ignored_in_a_group(
    telegram: TelegramServer, anna: Person, bot: FakeBot
) -> None:
    group = telegram.add_group("Lab")
    bot.replies["/find"] = CARD
    await anna.send("/find", chat=group)
    await anna.send("/find")
    await telegram.wait_until(lambda: group.bot_messages and anna.chat.bot_messages)
    await anna.reply_with_photo(group.bot_messages[0])
    await anna.reply_with_photo(anna.chat.bot_messages[0])
    await telegram.wait_until(lambda: len(anna.chat.bot_messages) == 2)

    assert "only text" in anna.chat.texts[1]
    assert bot.lines == ["/find", "/find"]
    assert len(group.bot_messages) == 1


async def test_a_redelivered_update_runs_once(telegram: TelegramServer, anna: Person, bot: FakeBot) -> None:
    sent = await anna.send("/find")
    update = next(update for update in telegram.state.updates if "message" in update)
    await telegram.wait_until(lambda: anna.chat.bot_messages and not telegram.state.updates)

    await telegram.state.redeliver(update)
    await telegram.wait_until(lambda: not telegram.state.updates)
    await anna.send("/queue")
    await telegram.wait_until(lambda: len(anna.chat.bot_messages) == 2)

    assert bot.lines == ["/find", "/queue"]
    assert anna.chat.bot_messages[0].reply_to == sent.id


async def test_commands_of_one_person_run_in_order(
    telegram: TelegramServer, anna: Person, unstarted_front_end: TelegramFrontEnd
) -> None:
    boris = telegram.add_person("Boris")
    first_may_end = asyncio.Event()
    started: list[str] = []

    async def handle(message: IncomingMessage) -> Reply:
        started.append(message.text)
        if message.text == "/set":
            await first_may_end.wait()
        return Reply.of(f"done {message.text}")

    unstarted_front_end._update_handler._handle = handle
    await anna.send("/set")
    await anna.send("/enqueue")
    await boris.send("/queue")
    await telegram.wait_until(lambda: boris.chat.bot_messages)
    assert started == ["/set", "/queue"]
    first_may_end.set()
    await telegram.wait_until(lambda: len(anna.chat.bot_messages) == 2)

    assert anna.chat.texts == ["done /set", "done /enqueue"]


async def test_a_message_does_not_overtake_a_button_that_was_pressed_before(
    telegram: TelegramServer,
    anna: Person,
    bot: FakeBot,
    actions: MemoryActions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    may_look_up = asyncio.Event()
    find_action = actions.find_action

    async def find_action_slowly(token: str) -> Action | None:
        await may_look_up.wait()
        return await find_action(token)

    monkeypatch.setattr(actions, "find_action", find_action_slowly)
    bot.replies["/show"] = CARD
    await anna.send("/show")
    await telegram.wait_until(lambda: anna.chat.bot_messages)
    await anna.press(anna.chat.bot_messages[0], "Log")
    await anna.send("/queue")
    await telegram.wait_until(lambda: not telegram.state.updates)
    may_look_up.set()
    await telegram.wait_until(lambda: len(anna.chat.bot_messages) == 3)

    assert bot.lines == ["/show", "/log e1", "/queue"]


async def test_a_failed_card_lookup_is_a_refusal(
    telegram: TelegramServer,
    anna: Person,
    bot: FakeBot,
    cards: MemoryCards,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(*_: object) -> str:
        raise DatabaseUnusableError(url="sqlite://", reason="locked")

    bot.replies["/show"] = CARD
    await anna.send("/show")
    await telegram.wait_until(lambda: anna.chat.bot_messages)
    monkeypatch.setattr(cards, "find_experiment_id", fail)
    await anna.reply_to(anna.chat.bot_messages[0], "abort")
    await telegram.wait_until(lambda: len(anna.chat.bot_messages) == 2)
    await anna.send("/find")
    await telegram.wait_until(lambda: len(anna.chat.bot_messages) == 3)

    assert anna.chat.texts[1].startswith("❌ DATABASE_URL")
    assert bot.lines == ["/show", "/find"]


async def test_a_deep_link_is_a_command(telegram: TelegramServer, anna: Person, bot: FakeBot) -> None:
    code = "aB3-_" * 12
    await anna.send(f"/start {code}")
    await telegram.wait_until(lambda: anna.chat.bot_messages)

    assert bot.lines == [f"/start {code}"]
