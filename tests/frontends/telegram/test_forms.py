"""Forms on Telegram: each question asks for one value, and people answer by replying to it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clearml_chatops.bot.frontends.telegram import TelegramFrontEnd
from clearml_chatops.bot.frontends.telegram.forms import MAX_FIELDS, find_single_question
from clearml_chatops.handlers.command_line import split_words
from clearml_chatops.models.errors import DatabaseUnusableError
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Identity
from clearml_chatops.models.replies import FieldKind, Form, FormField, Reply
from clearml_chatops.services.people.actions import LIFETIME, ActionService
from clearml_chatops.storage.database import Database
from tests.frontends.conftest import FakeBot, MemoryRequests, build_small_registry
from tests.frontends.telegram.conftest import MemoryActions, MemoryCards, MemoryConversations
from tests.support.telegram import Chat, Person, ShownMessage, TelegramServer

RATE = FormField("args.lr", "lr", "0.1", group="Args", hint="The learning rate.", changed=True)
SETUP = FormField("setup", "setup script", kind=FieldKind.LONG_TEXT)
PARAMETERS = Reply.of(Form("Parameters of baseline", "/set", (RATE, SETUP)), experiment_id="e1")
EXPERIMENT = FormField("id", "experiment", kind=FieldKind.EXPERIMENT, positional=True, required=True)
CLONE = Reply.of(Form("Clone", "/clone", (EXPERIMENT,)))
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


async def open_form(telegram: TelegramServer, person: Person, chat: Chat) -> ShownMessage:
    await person.send("/set", chat=chat)
    await telegram.wait_until(lambda: chat.bot_messages)
    return chat.bot_messages[0]


async def press_for_question(
    telegram: TelegramServer, person: Person, form: ShownMessage, label: str
) -> ShownMessage:
    """Press a button of a form and return the question that follows."""
    message_count = len(form.chat.bot_messages)
    await person.press(form, label)
    await telegram.wait_until(lambda: len(form.chat.bot_messages) > message_count)
    return form.chat.bot_messages[-1]


async def answer_question(
    telegram: TelegramServer, person: Person, question: ShownMessage, text: str
) -> ShownMessage:
    """Answer a question and return the bot's reply."""
    message_count = len(question.chat.bot_messages)
    await person.reply_to(question, text)
    await telegram.wait_until(lambda: len(question.chat.bot_messages) > message_count)
    assert len(question.chat.bot_messages) == message_count + 1
    return question.chat.bot_messages[-1]


async def test_a_form_shows_its_values_and_a_button_for_each(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person, bot: FakeBot
) -> None:
    bot.replies["/set"] = PARAMETERS

    form = await open_form(telegram, anna, anna.chat)

    assert form.text == "Parameters of baseline\nArgs\n● lr: 0.1\nsetup script: —"
    assert list(form.buttons) == ["● lr", "setup script"]
    assert form.forced_reply is None


async def test_a_button_asks_for_a_value_and_the_answer_runs_the_command(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person, bot: FakeBot
) -> None:
    bot.replies["/set"] = PARAMETERS
    form = await open_form(telegram, anna, anna.chat)

    question = await press_for_question(telegram, anna, form, "● lr")
    assert question.forced_reply is not None
    assert (question.forced_reply.placeholder, question.forced_reply.user_ids) == ("0.1", None)
    assert question.reply_to == form.id
    assert all(part in question.text for part in ("Args", "lr", "The learning rate.", "Now: 0.1"))

    await answer_question(telegram, anna, question, "0.05")
    assert bot.messages[-1] == IncomingMessage(
        Identity("telegram", str(anna.id)),
        "Anna Berg",
        Conversation("telegram", str(anna.id)),
        "/set args.lr='0.05'",
        "e1",
    )


@pytest.mark.parametrize(
    "text", ["pip install x\nexport A='b c'", "/data/imagenet", "a=b --yes", "don't", "“two words”", "\\", "/"]
)
async def test_an_answer_with_any_characters_is_one_value(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person, bot: FakeBot, text: str
) -> None:
    bot.replies["/set"] = PARAMETERS
    form = await open_form(telegram, anna, anna.chat)
    question = await press_for_question(telegram, anna, form, "setup script")
    assert "several lines" in question.text

    await answer_question(telegram, anna, question, text)

    _, value = split_words(bot.lines[-1])
    assert (value.key, value.value) == ("setup", text.replace("“", '"').replace("”", '"'))


async def test_a_command_sent_as_the_reply_to_a_question_is_a_command(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person, bot: FakeBot
) -> None:
    bot.replies["/set"] = PARAMETERS
    form = await open_form(telegram, anna, anna.chat)
    question = await press_for_question(telegram, anna, form, "setup script")

    await answer_question(telegram, anna, question, "/find base")

    assert bot.lines[-1] == "/find base"


async def test_in_a_group_the_question_mentions_the_person_who_pressed(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person, bot: FakeBot
) -> None:
    group = telegram.add_group("Lab")
    boris = telegram.add_person("<b>Boris & Co</b>")
    bot.replies["/set"] = PARAMETERS
    form = await open_form(telegram, anna, group)

    question = await press_for_question(telegram, boris, form, "● lr")
    assert question.forced_reply is not None
    assert question.forced_reply.user_ids == frozenset({boris.id})
    assert "<b>Boris & Co</b>, Args" in question.text

    await answer_question(telegram, anna, question, "0.05")
    assert bot.messages[-1].sender == Identity("telegram", str(anna.id))
    assert bot.messages[-1].conversation == Conversation("telegram", str(group.id))


async def test_a_question_stays_in_its_topic(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person, bot: FakeBot
) -> None:
    forum = telegram.add_forum("Lab")
    topic = await anna.open_topic(forum, "Runs")
    bot.replies["/set"] = PARAMETERS
    await anna.send("/set", chat=forum, topic=topic)
    await telegram.wait_until(lambda: forum.bot_messages)

    question = await press_for_question(telegram, anna, forum.bot_messages[0], "● lr")
    assert question.thread == topic
    await answer_question(telegram, anna, question, "0.05")

    assert bot.messages[-1].text == "/set args.lr='0.05'"
    assert bot.messages[-1].conversation.thread == str(topic)


async def test_a_form_of_one_empty_value_asks_at_once(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person, bot: FakeBot
) -> None:
    group = telegram.add_group("Lab")
    bot.replies["/clone"] = CLONE

    await anna.send("/clone", chat=group)
    await telegram.wait_until(lambda: group.bot_messages)
    (question,) = group.bot_messages
    assert question.forced_reply is not None
    assert question.forced_reply.user_ids == frozenset({anna.id})
    assert "id, part of its name, or its web link" in question.text

    await answer_question(telegram, anna, question, "my baseline")
    assert bot.lines[-1] == "/clone 'my baseline'"


async def test_an_expired_question_says_so(
    telegram: TelegramServer,
    telegram_front_end: TelegramFrontEnd,
    anna: Person,
    bot: FakeBot,
    actions: MemoryActions,
) -> None:
    bot.replies["/set"] = PARAMETERS
    form = await open_form(telegram, anna, anna.chat)
    question = await press_for_question(telegram, anna, form, "● lr")
    actions.actions.clear()

    answer = await answer_question(telegram, anna, question, "0.05")

    assert "expired" in answer.text
    assert bot.lines == ["/set"]


async def test_a_question_answered_without_text_says_so(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person, bot: FakeBot
) -> None:
    bot.replies["/set"] = PARAMETERS
    form = await open_form(telegram, anna, anna.chat)
    question = await press_for_question(telegram, anna, form, "● lr")

    await anna.reply_with_photo(question)
    await telegram.wait_until(lambda: len(anna.chat.bot_messages) == 3)

    assert "only text" in anna.chat.texts[-1]
    assert bot.lines == ["/set"]


async def test_a_question_that_cannot_be_saved_is_an_error(
    telegram: TelegramServer,
    telegram_front_end: TelegramFrontEnd,
    anna: Person,
    bot: FakeBot,
    actions: MemoryActions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(*_: object) -> None:
        raise DatabaseUnusableError(url="sqlite://", reason="locked")

    bot.replies["/set"] = PARAMETERS
    form = await open_form(telegram, anna, anna.chat)
    monkeypatch.setattr(actions, "record_question", fail)

    await anna.press(form, "● lr")
    await telegram.wait_until(lambda: len(anna.chat.bot_messages) == 3)

    assert anna.chat.texts[-1].startswith("❌ DATABASE_URL")


async def test_a_form_of_long_and_hostile_values_stays_within_limits(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person, bot: FakeBot
) -> None:
    hostile = "<!channel> </b> & @anna " * 130
    fields = tuple(
        FormField(f"args.x{number}", hostile, hostile, hint=hostile, group=f"{number} {hostile}")
        for number in range(300)
    )
    bot.replies["/set"] = Reply.of(Form(hostile, "/set", fields))

    await anna.send("/set")
    await telegram.wait_until(lambda: anna.chat.bot_messages and anna.chat.bot_messages[-1].rows)
    shown = anna.chat.bot_messages[-1]
    assert sum(map(len, shown.rows)) == MAX_FIELDS
    assert f"{300 - MAX_FIELDS} more" in shown.text
    assert f"/set args.x{MAX_FIELDS}=…" in shown.text

    question = await press_for_question(telegram, anna, shown, shown.rows[0][0].label)
    assert question.forced_reply is not None
    assert len(question.forced_reply.placeholder) == 64
    assert "</b> & @" in question.text


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'chatops.db'}")
    await opened.prepare()
    yield opened
    await opened.aclose()


async def test_a_question_survives_a_restart_until_it_expires(
    telegram: TelegramServer, anna: Person, bot: FakeBot, cards: MemoryCards, database: Database
) -> None:
    now = [NOON]

    async def list_admin_ids() -> list[str]:
        return []

    def create_front_end() -> TelegramFrontEnd:
        return TelegramFrontEnd(
            handle=bot.handle,
            registry=build_small_registry(),
            actions=ActionService(database=database, clock=lambda: now[0]),
            requests=MemoryRequests(),
            cards=cards,
            conversations=MemoryConversations(),
            list_admin_ids=list_admin_ids,
            token=telegram.token,
            api_url=telegram.url,
        )

    bot.replies["/set"] = PARAMETERS
    before = create_front_end()
    await before.start()
    form = await open_form(telegram, anna, anna.chat)
    question = await press_for_question(telegram, anna, form, "● lr")
    await before.stop()

    after = create_front_end()
    await after.start()
    await answer_question(telegram, anna, question, "0.05")
    assert bot.lines[-1] == "/set args.lr='0.05'"

    now[0] += LIFETIME + timedelta(seconds=1)
    late = await answer_question(telegram, anna, question, "0.01")
    assert "expired" in late.text
    await after.stop()


def test_a_form_with_a_value_is_not_asked_directly() -> None:
    form = CLONE.blocks[0]
    assert isinstance(form, Form)
    assert find_single_question(form) is not None
    assert find_single_question(replace(form, fields=(replace(EXPERIMENT, value="e1"),))) is None
    assert find_single_question(replace(form, fields=(EXPERIMENT, SETUP))) is None
