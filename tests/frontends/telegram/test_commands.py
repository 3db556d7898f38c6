"""What people write and press on Telegram, over real sockets, with the real library."""

import asyncio
from datetime import timedelta

import pytest

from clearml_chatops.bot.frontends.telegram import TelegramFrontEnd
from clearml_chatops.models.errors import DatabaseUnusableError
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Identity
from clearml_chatops.models.replies import Button, Buttons, Code, Fields, Reply, Table, Text, Tone
from tests.frontends.conftest import FakeBot
from tests.frontends.telegram.conftest import PUBLIC_ADDRESS, MemoryActions, MemoryCards
from tests.support.telegram import Fault, Person, TelegramServer
from tests.support.telegram.refusals import bad_request

pytestmark = pytest.mark.usefixtures("telegram_front_end")


@pytest.fixture(params=["", PUBLIC_ADDRESS], ids=["polling", "webhook"])
def webhook_url(request: pytest.FixtureRequest) -> str:
    """Both ways in which Telegram gives its updates."""
    return str(request.param)


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

    quiet_front_end._answering._handle = slow
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


async def test_an_expired_button_says_so_also_when_the_press_is_too_old_for_an_alert(
    telegram: TelegramServer, anna: Person, bot: FakeBot, actions: MemoryActions
) -> None:
    bot.replies["/show"] = CARD
    await anna.say("/show")
    await telegram.until(lambda: anna.chat.answers)
    actions.actions.clear()
    telegram.misbehave("answerCallbackQuery", Fault(bad_request("query is too old")))

    await anna.press(anna.chat.answers[0], "Log")
    await telegram.until(lambda: len(anna.chat.answers) == 2)

    assert "expired" in anna.chat.texts[1]
    assert bot.lines == ["/show"]


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


async def test_500_experiments_found_arrive_as_a_file(
    telegram: TelegramServer, anna: Person, bot: FakeBot
) -> None:
    rows = tuple((f"{number:032x}", f"<b>run</b> & {number}", "Completed") for number in range(500))
    options = tuple(Button(f"<b>run</b> {number}", f"/show {number}") for number in range(500))
    bot.replies["/find"] = Reply.of(Table(("id", "name", "status"), rows), Buttons(options))

    await anna.say("/find")
    await telegram.until(lambda: len(anna.chat.answers) == 2)

    document, last = anna.chat.answers
    assert len(document.file_content.decode().splitlines()) == 501
    assert "440 more are not shown" in last.text
    assert sum(map(len, last.rows)) == 60


async def test_a_value_of_3000_characters_full_of_markup_arrives_whole(
    telegram: TelegramServer, anna: Person, bot: FakeBot
) -> None:
    value = "</b><!channel>&" * 200
    bot.replies["/show"] = Reply.of(Text(value, Tone.HEADING), Fields(((value[:60], value),)))

    await anna.say("/show")
    await telegram.until(lambda: len(anna.chat.answers) == 2)

    assert "\n".join(anna.chat.texts).count(value) == 2


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

    quiet_front_end._answering._handle = handle
    quiet_front_end._answering._patience = timedelta(minutes=1)
    await anna.say("/find")
    await telegram.until(lambda: anna.chat.texts == ["done"])
