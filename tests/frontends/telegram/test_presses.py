"""A press of a button on Telegram is the command behind it, of the one who pressed."""

import asyncio

import pytest

from clearml_chatops.bot.frontends.telegram import TelegramFrontEnd
from clearml_chatops.models.errors import DatabaseUnusableError
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Identity
from clearml_chatops.models.replies import Button, Buttons, Reply
from tests.frontends.conftest import FakeBot
from tests.frontends.telegram.conftest import BOTH_WAYS, CARD, MemoryActions
from tests.support.telegram import Fault, Person, TelegramServer
from tests.support.telegram.refusals import bad_request

pytestmark = [pytest.mark.usefixtures("telegram_front_end"), BOTH_WAYS]


async def show_card(telegram: TelegramServer, anna: Person, bot: FakeBot) -> None:
    bot.replies["/show"] = CARD
    await anna.say("/show")
    await telegram.until(lambda: anna.chat.answers)


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
    await show_card(telegram, anna, bot)
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
    await show_card(telegram, anna, bot)
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
    await show_card(telegram, anna, bot)
    actions.actions.clear()
    telegram.misbehave("answerCallbackQuery", Fault(bad_request("query is too old")))

    await anna.press(anna.chat.answers[0], "Log")
    await telegram.until(lambda: len(anna.chat.answers) == 2)

    assert "expired" in anna.chat.texts[1]
    assert bot.lines == ["/show"]


async def test_a_press_counts_when_telegram_has_given_it_up(
    telegram: TelegramServer, anna: Person, bot: FakeBot
) -> None:
    await show_card(telegram, anna, bot)
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


async def test_an_answer_comes_without_buttons_where_they_cannot_be_kept(
    telegram: TelegramServer,
    anna: Person,
    bot: FakeBot,
    actions: MemoryActions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(_: str) -> str:
        raise DatabaseUnusableError(url="sqlite://", reason="locked")

    monkeypatch.setattr(actions, "remember", fail)
    await show_card(telegram, anna, bot)

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

    await show_card(telegram, anna, bot)
    monkeypatch.setattr(actions, "recall", fail)
    press = await anna.press(anna.chat.answers[0], "Log")
    await telegram.until(lambda: anna.saw(press))

    answer = anna.saw(press)
    assert answer is not None
    assert answer.text.startswith("DATABASE_URL")
