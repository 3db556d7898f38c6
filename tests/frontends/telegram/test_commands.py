"""What people write and press on Telegram, over real sockets, with the real library."""

import asyncio
from datetime import timedelta

import pytest

from clearml_chatops.bot.frontends.telegram import TelegramFrontEnd
from clearml_chatops.handlers.registry import CommandFamily, Registry
from clearml_chatops.models.errors import DatabaseUnusableError
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Identity
from clearml_chatops.models.replies import Button, Buttons, Code, Reply
from tests.frontends.conftest import FakeBot
from tests.frontends.telegram.conftest import MemoryActions, MemoryCards
from tests.support.telegram import Fault, Person, TelegramServer

pytestmark = pytest.mark.usefixtures("telegram_front_end")

CARD = Reply.of("baseline", Buttons((Button("Log", "/log e1"), Button("Abort", "/abort e1"))), about="e1")


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


async def test_a_press_runs_the_command_as_the_one_who_pressed(
    telegram: TelegramServer, anna: Person, bot: FakeBot
) -> None:
    group = telegram.group("Lab")
    boris = telegram.person("Boris")
    bot.replies["/find"] = CARD
    await anna.say("/find", chat=group)
    await telegram.until(lambda: group.answers)
    card = group.answers[0]

    press = await boris.press(card, "Abort")
    await telegram.until(lambda: len(group.answers) == 2)

    assert bot.heard[1] == IncomingMessage(
        Identity("telegram", str(boris.id)),
        "Boris",
        Conversation("telegram", str(group.id)),
        "/abort e1",
        "e1",
        in_public=True,
    )
    answer = boris.saw(press)
    assert answer is not None
    assert not answer.text
    assert list(card.buttons) == ["Log", "Abort"]
    assert card.edited == 0
    assert group.answers[1].reply_to == card.id


async def test_a_press_is_answered_before_its_command_is(
    telegram: TelegramServer, anna: Person, bot: FakeBot, quiet_front_end: TelegramFrontEnd
) -> None:
    bot.replies["/show"] = CARD
    await anna.say("/show")
    await telegram.until(lambda: anna.chat.answers)
    done = asyncio.Event()

    async def slow(message: IncomingMessage) -> Reply:
        await done.wait()
        return Reply.of("aborted")

    quiet_front_end._handle = slow
    press = await anna.press(anna.chat.answers[0], "Abort")
    await telegram.until(lambda: anna.saw(press) and ("typing", None) in anna.chat.actions)
    assert len(anna.chat.answers) == 1
    done.set()
    await telegram.until(lambda: anna.chat.texts[1:] == ["aborted"])


async def test_an_expired_button_says_so(
    telegram: TelegramServer, anna: Person, bot: FakeBot, actions: MemoryActions
) -> None:
    bot.replies["/show"] = CARD
    await anna.say("/show")
    await telegram.until(lambda: anna.chat.answers)
    actions.actions.clear()

    press = await anna.press(anna.chat.answers[0], "Log")
    await telegram.until(lambda: anna.saw(press))

    answer = anna.saw(press)
    assert answer is not None
    assert answer.alert
    assert "expired" in answer.text
    assert bot.lines == ["/show"]


async def test_a_press_counts_when_telegram_has_given_it_up(
    telegram: TelegramServer, anna: Person, bot: FakeBot
) -> None:
    bot.replies["/show"] = CARD
    await anna.say("/show")
    await telegram.until(lambda: anna.chat.answers)
    press = await anna.press(anna.chat.answers[0], "Log")
    telegram.state.open_presses.discard(press)

    await telegram.until(lambda: len(anna.chat.answers) == 2)

    assert bot.lines == ["/show", "/log e1"]


async def test_button_commands_of_any_length_fit(telegram: TelegramServer, anna: Person, bot: FakeBot) -> None:
    command = "/set args.text=" + "x" * 3000
    bot.replies["/show"] = Reply.of("x", Buttons((Button("Set", command),)))
    await anna.say("/show")
    await telegram.until(lambda: anna.chat.answers)

    await anna.press(anna.chat.answers[0], "Set")
    await telegram.until(lambda: len(anna.chat.answers) == 2)

    assert bot.lines == ["/show", command]


async def test_what_is_delivered_twice_is_done_once(telegram: TelegramServer, anna: Person, bot: FakeBot) -> None:
    said = await anna.say("/find")
    update = next(update for update in telegram.state.updates if "message" in update)
    await telegram.until(lambda: anna.chat.answers)

    polls = telegram.polls
    await telegram.state.redeliver(update)
    await telegram.until(lambda: telegram.polls > polls)
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

    quiet_front_end._handle = handle
    await anna.say("/set")
    await anna.say("/enqueue")
    await boris.say("/queue")
    await telegram.until(lambda: boris.chat.answers)
    assert begun == ["/set", "/queue"]
    first_may_end.set()
    await telegram.until(lambda: len(anna.chat.answers) == 2)

    assert anna.chat.texts == ["done /set", "done /enqueue"]


async def test_an_answer_comes_without_buttons_where_they_cannot_be_kept(
    telegram: TelegramServer,
    anna: Person,
    bot: FakeBot,
    actions: MemoryActions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(_: str) -> str:
        raise DatabaseUnusableError(url="sqlite://", reason="locked")

    bot.replies["/show"] = CARD
    monkeypatch.setattr(actions, "remember", fail)
    await anna.say("/show")
    await telegram.until(lambda: anna.chat.answers)

    assert anna.chat.texts == ["baseline"]
    assert not anna.chat.answers[0].buttons


async def test_a_press_that_cannot_be_looked_up_says_why(
    telegram: TelegramServer,
    anna: Person,
    bot: FakeBot,
    actions: MemoryActions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(_: str) -> str:
        raise DatabaseUnusableError(url="sqlite://", reason="locked" * 100)

    bot.replies["/show"] = CARD
    await anna.say("/show")
    await telegram.until(lambda: anna.chat.answers)
    monkeypatch.setattr(actions, "recall", fail)
    press = await anna.press(anna.chat.answers[0], "Log")
    await telegram.until(lambda: anna.saw(press))

    answer = anna.saw(press)
    assert answer is not None
    assert answer.text.startswith("DATABASE_URL")


async def test_an_error_of_a_handler_is_told_and_ends_nothing(
    telegram: TelegramServer, anna: Person, quiet_front_end: TelegramFrontEnd, bot: FakeBot
) -> None:
    async def broken(message: IncomingMessage) -> Reply:
        raise ZeroDivisionError

    quiet_front_end._handle = broken
    await anna.say("/find")
    await telegram.until(lambda: anna.chat.answers)
    quiet_front_end._handle = bot.handle
    await anna.say("/find")
    await telegram.until(lambda: len(anna.chat.answers) == 2)

    assert "unexpected" in anna.chat.texts[0]


async def test_the_first_start_shows_what_to_do(telegram: TelegramServer, anna: Person, bot: FakeBot) -> None:
    await anna.say("/start")
    await telegram.until(lambda: anna.chat.answers)
    assert list(anna.chat.answers[0].buttons) == ["Find experiments", "My queue", "All commands"]

    await anna.press(anna.chat.answers[0], "My queue")
    await telegram.until(lambda: len(anna.chat.answers) == 2)
    assert bot.lines == ["/queue"]


async def test_a_start_command_of_the_registry_answers_deep_links(
    telegram: TelegramServer, anna: Person, bot: FakeBot, quiet_front_end: TelegramFrontEnd
) -> None:
    family = CommandFamily("People")

    @family.command("start", examples=())
    async def start(context: object, code: str = "") -> Reply:
        """Begin."""
        raise NotImplementedError

    quiet_front_end._registry = Registry([family])
    await anna.say("/start a1b2")
    await telegram.until(lambda: anna.chat.answers)

    assert bot.lines == ["/start a1b2"]


async def test_a_long_log_arrives_as_a_document(
    telegram: TelegramServer, anna: Person, bot: FakeBot, cards: MemoryCards
) -> None:
    log = "\n".join(f"line {number}" for number in range(10_000))
    bot.replies["/log"] = Reply.of("The log", Code(log), Buttons((Button("Show", "/show e1"),)), about="e1")

    await anna.say("/log")
    await telegram.until(lambda: len(anna.chat.answers) == 2)

    text, document = anna.chat.answers
    assert text.text == "The log"
    assert document.file_name == "log.txt"
    assert document.file_content.decode() == log
    assert document.text.endswith("line 9999")
    assert list(document.buttons) == ["Show"]
    assert set(cards.experiments.values()) == {"e1"}


async def test_a_busy_telegram_is_obeyed_in_the_middle_of_a_list(
    telegram: TelegramServer, anna: Person, bot: FakeBot
) -> None:
    lines = [f"{number:05} " + "x" * 100 for number in range(100)]
    bot.replies["/find"] = Reply.of("\n".join(lines))
    telegram.misbehave("sendMessage", Fault.too_many_requests(retry_after=1, skip=1, times=1))

    await anna.say("/find")
    await telegram.until(lambda: len(anna.chat.answers) == 3)

    assert "\n".join(anna.chat.texts).split("\n") == lines


@pytest.mark.parametrize("fault", [Fault.dropped(), Fault.broken(500), Fault.broken(502)])
async def test_an_answer_survives_a_lost_connection(telegram: TelegramServer, anna: Person, fault: Fault) -> None:
    telegram.misbehave("sendMessage", fault)

    await anna.say("/find")
    await telegram.until(lambda: anna.chat.answers)

    assert len(telegram.called("sendMessage")) == 2


async def test_an_answer_comes_rather_twice_than_never(
    telegram: TelegramServer, anna: Person, bot: FakeBot
) -> None:
    telegram.misbehave("sendMessage", Fault.dropped(carried_out=True))

    await anna.say("/find")
    await telegram.until(lambda: len(anna.chat.answers) == 2)

    assert bot.lines == ["/find"]


async def test_an_answer_that_nobody_can_receive_ends_nothing(
    telegram: TelegramServer, anna: Person, caplog: pytest.LogCaptureFixture
) -> None:
    boris = telegram.person("Boris")
    boris.chat.bot_is_blocked = True

    await boris.say("/find")
    await telegram.until(lambda: telegram.called("sendMessage"))
    await anna.say("/find")
    await telegram.until(lambda: anna.chat.answers)

    assert "blocked by the user" in caplog.text


async def test_the_answer_to_a_deleted_message_is_sent_all_the_same(
    telegram: TelegramServer, anna: Person, quiet_front_end: TelegramFrontEnd
) -> None:
    async def handle(message: IncomingMessage) -> Reply:
        anna.chat.messages.clear()
        return Reply.of("done")

    quiet_front_end._handle = handle
    quiet_front_end._patience = timedelta(minutes=1)
    await anna.say("/find")
    await telegram.until(lambda: anna.chat.texts == ["done"])
