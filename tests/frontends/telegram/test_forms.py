"""Forms on Telegram: one value at a time is asked for, and the reply to the question is the answer."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clearml_chatops.bot.frontends.telegram import TelegramFrontEnd
from clearml_chatops.bot.frontends.telegram.forms import MOST_FIELDS, asked_at_once
from clearml_chatops.handlers.lines import split_words
from clearml_chatops.models.errors import DatabaseUnusableError
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Identity
from clearml_chatops.models.replies import FieldKind, Form, FormField, Reply
from clearml_chatops.services.people.actions import LIFETIME, ActionService
from clearml_chatops.storage.database import Database
from tests.frontends.conftest import FakeBot, small_registry
from tests.frontends.telegram.conftest import MemoryActions, MemoryCards, MemoryPlaces
from tests.support.telegram import Chat, Person, ShownMessage, TelegramServer

RATE = FormField("args.lr", "lr", "0.1", group="Args", note="The learning rate.", changed=True)
SETUP = FormField("setup", "setup script", kind=FieldKind.LONG_TEXT)
PARAMETERS = Reply.of(Form("Parameters of baseline", "/set", (RATE, SETUP)), about="e1")
EXPERIMENT = FormField("id", "experiment", kind=FieldKind.EXPERIMENT, positional=True, required=True)
CLONE = Reply.of(Form("Clone", "/clone", (EXPERIMENT,)))
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


async def form_in(telegram: TelegramServer, person: Person, chat: Chat) -> ShownMessage:
    await person.say("/set", chat=chat)
    await telegram.until(lambda: chat.answers)
    return chat.answers[0]


async def question_after(telegram: TelegramServer, person: Person, form: ShownMessage, label: str) -> ShownMessage:
    """The question that pressing a button of a form brings."""
    before = len(form.chat.answers)
    await person.press(form, label)
    await telegram.until(lambda: len(form.chat.answers) > before)
    return form.chat.answers[-1]


async def answered(telegram: TelegramServer, person: Person, question: ShownMessage, text: str) -> ShownMessage:
    """What the bot says to the answer of a question."""
    before = len(question.chat.answers)
    await person.reply_to(question, text)
    await telegram.until(lambda: len(question.chat.answers) > before)
    assert len(question.chat.answers) == before + 1
    return question.chat.answers[-1]


async def test_a_form_shows_its_values_and_a_button_for_each(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person, bot: FakeBot
) -> None:
    bot.replies["/set"] = PARAMETERS

    form = await form_in(telegram, anna, anna.chat)

    assert form.text == "Parameters of baseline\nArgs\n● lr: 0.1\nsetup script: —"
    assert list(form.buttons) == ["● lr", "setup script"]
    assert form.forced_reply is None


async def test_a_value_is_asked_for_and_the_reply_is_the_command(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person, bot: FakeBot
) -> None:
    bot.replies["/set"] = PARAMETERS
    form = await form_in(telegram, anna, anna.chat)

    question = await question_after(telegram, anna, form, "● lr")
    assert question.forced_reply is not None
    assert (question.forced_reply.placeholder, question.forced_reply.reaches) == ("0.1", None)
    assert question.reply_to == form.id
    assert all(part in question.text for part in ("Args", "lr", "The learning rate.", "Now: 0.1"))

    await answered(telegram, anna, question, "0.05")
    assert bot.heard[-1] == IncomingMessage(
        Identity("telegram", str(anna.id)),
        "Anna Berg",
        Conversation("telegram", str(anna.id)),
        "/set args.lr='0.05'",
        "e1",
    )


@pytest.mark.parametrize(
    "text", ["pip install x\nexport A='b c'", "/data/imagenet", "a=b --yes", "don't", "“two words”", "\\", "/"]
)
async def test_an_answer_is_one_value_whatever_is_in_it(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person, bot: FakeBot, text: str
) -> None:
    bot.replies["/set"] = PARAMETERS
    form = await form_in(telegram, anna, anna.chat)
    question = await question_after(telegram, anna, form, "setup script")
    assert "several lines" in question.text

    await answered(telegram, anna, question, text)

    _, value = split_words(bot.lines[-1])
    assert (value.key, value.value) == ("setup", text.replace("“", '"').replace("”", '"'))


async def test_a_command_sent_as_the_reply_to_a_question_is_a_command(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person, bot: FakeBot
) -> None:
    bot.replies["/set"] = PARAMETERS
    form = await form_in(telegram, anna, anna.chat)
    question = await question_after(telegram, anna, form, "setup script")

    await answered(telegram, anna, question, "/find base")

    assert bot.lines[-1] == "/find base"


async def test_in_a_group_the_question_reaches_the_one_who_pressed(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person, bot: FakeBot
) -> None:
    group = telegram.group("Lab")
    boris = telegram.person("<b>Boris & Co</b>")
    bot.replies["/set"] = PARAMETERS
    form = await form_in(telegram, anna, group)

    question = await question_after(telegram, boris, form, "● lr")
    assert question.forced_reply is not None
    assert question.forced_reply.reaches == frozenset({boris.id})
    assert "<b>Boris & Co</b>, Args" in question.text

    await answered(telegram, anna, question, "0.05")
    assert bot.heard[-1].sender == Identity("telegram", str(anna.id))
    assert bot.heard[-1].conversation == Conversation("telegram", str(group.id))


async def test_a_question_stays_in_its_topic(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person, bot: FakeBot
) -> None:
    forum = telegram.forum("Lab")
    topic = await anna.open_topic(forum, "Runs")
    bot.replies["/set"] = PARAMETERS
    await anna.say("/set", chat=forum, topic=topic)
    await telegram.until(lambda: forum.answers)

    question = await question_after(telegram, anna, forum.answers[0], "● lr")
    assert question.thread == topic
    await answered(telegram, anna, question, "0.05")

    assert bot.heard[-1].text == "/set args.lr='0.05'"
    assert bot.heard[-1].conversation.thread == str(topic)


async def test_a_form_of_one_empty_value_asks_at_once(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person, bot: FakeBot
) -> None:
    group = telegram.group("Lab")
    bot.replies["/clone"] = CLONE

    await anna.say("/clone", chat=group)
    await telegram.until(lambda: group.answers)
    (question,) = group.answers
    assert question.forced_reply is not None
    assert question.forced_reply.reaches == frozenset({anna.id})
    assert "id, a part of its name, or its web link" in question.text

    await answered(telegram, anna, question, "my baseline")
    assert bot.lines[-1] == "/clone 'my baseline'"


async def test_an_expired_question_says_so(
    telegram: TelegramServer,
    telegram_front_end: TelegramFrontEnd,
    anna: Person,
    bot: FakeBot,
    actions: MemoryActions,
) -> None:
    bot.replies["/set"] = PARAMETERS
    form = await form_in(telegram, anna, anna.chat)
    question = await question_after(telegram, anna, form, "● lr")
    actions.actions.clear()

    answer = await answered(telegram, anna, question, "0.05")

    assert "expired" in answer.text
    assert bot.lines == ["/set"]


async def test_a_question_answered_without_text_says_so(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person, bot: FakeBot
) -> None:
    bot.replies["/set"] = PARAMETERS
    form = await form_in(telegram, anna, anna.chat)
    question = await question_after(telegram, anna, form, "● lr")

    await anna.reply_with_photo(question)
    await telegram.until(lambda: len(anna.chat.answers) == 3)

    assert "text only" in anna.chat.texts[-1]
    assert bot.lines == ["/set"]


async def test_a_question_that_cannot_be_noted_is_told(
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
    form = await form_in(telegram, anna, anna.chat)
    monkeypatch.setattr(actions, "remember_question", fail)

    await anna.press(form, "● lr")
    await telegram.until(lambda: len(anna.chat.answers) == 3)

    assert anna.chat.texts[-1].startswith("❌ DATABASE_URL")


async def test_a_form_of_many_long_and_hostile_values_keeps_every_limit(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person, bot: FakeBot
) -> None:
    hostile = "<!channel> </b> & @anna " * 130
    fields = tuple(
        FormField(f"args.x{number}", hostile, hostile, note=hostile, group=f"{number} {hostile}")
        for number in range(300)
    )
    bot.replies["/set"] = Reply.of(Form(hostile, "/set", fields))

    await anna.say("/set")
    await telegram.until(lambda: anna.chat.answers and anna.chat.answers[-1].rows)
    shown = anna.chat.answers[-1]
    assert sum(map(len, shown.rows)) == MOST_FIELDS
    assert f"{300 - MOST_FIELDS} more" in shown.text
    assert f"/set args.x{MOST_FIELDS}=…" in shown.text

    question = await question_after(telegram, anna, shown, shown.rows[0][0].label)
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

    async def nobody() -> list[str]:
        return []

    def front_end() -> TelegramFrontEnd:
        return TelegramFrontEnd(
            handle=bot.handle,
            registry=small_registry(),
            actions=ActionService(database=database, clock=lambda: now[0]),
            cards=cards,
            places=MemoryPlaces(),
            admins=nobody,
            token=telegram.token,
            api_url=telegram.url,
        )

    bot.replies["/set"] = PARAMETERS
    before = front_end()
    await before.start()
    form = await form_in(telegram, anna, anna.chat)
    question = await question_after(telegram, anna, form, "● lr")
    await before.stop()

    after = front_end()
    await after.start()
    await answered(telegram, anna, question, "0.05")
    assert bot.lines[-1] == "/set args.lr='0.05'"

    now[0] += LIFETIME + timedelta(seconds=1)
    late = await answered(telegram, anna, question, "0.01")
    assert "expired" in late.text
    await after.stop()


def test_the_form_of_a_present_value_is_not_asked_at_once() -> None:
    form = CLONE.blocks[0]
    assert isinstance(form, Form)
    assert asked_at_once(form) is not None
    assert asked_at_once(replace(form, fields=(replace(EXPERIMENT, value="e1"),))) is None
    assert asked_at_once(replace(form, fields=(EXPERIMENT, SETUP))) is None
