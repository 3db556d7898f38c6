"""A button press on Telegram runs the button's command for the person who pressed it."""

import asyncio

import pytest

from clearml_chatops.bot.frontends.telegram import TelegramFrontEnd
from clearml_chatops.models.errors import DatabaseUnusableError
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Identity
from clearml_chatops.models.replies import Button, Buttons, Reply
from tests.frontends.conftest import FakeBot
from tests.frontends.telegram.conftest import BOTH_TRANSPORTS, CARD, MemoryActions
from tests.support.telegram import Fault, Person, TelegramServer
from tests.support.telegram.refusals import build_bad_request

pytestmark = [pytest.mark.usefixtures("telegram_front_end"), BOTH_TRANSPORTS]


async def show_card(telegram: TelegramServer, anna: Person, bot: FakeBot) -> None:
    bot.replies["/show"] = CARD
    await anna.send("/show")
    await telegram.wait_until(lambda: anna.chat.bot_messages)


async def test_a_press_runs_the_command_as_the_person_who_pressed(
    telegram: TelegramServer, anna: Person, bot: FakeBot
) -> None:
    group = telegram.add_group("Lab")
    boris = telegram.add_person("Boris")
    bot.replies["/find"] = CARD
    await anna.send("/find", chat=group)
    await telegram.wait_until(lambda: group.bot_messages)
    card = group.bot_messages[0]

    press = await boris.press(card, "Abort")
    await telegram.wait_until(lambda: len(group.bot_messages) == 2)

    assert bot.messages[1] == IncomingMessage(
        Identity("telegram", str(boris.id)),
        "Boris",
        Conversation("telegram", str(group.id)),
        "/abort e1",
        "e1",
        is_visible_to_others=True,
    )
    answer = boris.get_callback_answer(press)
    assert answer is not None
    assert not answer.text
    assert list(card.buttons) == ["Log", "Abort"]
    assert card.edit_count == 0
    assert group.bot_messages[1].reply_to == card.id


async def test_a_press_is_confirmed_before_its_command_ends(
    telegram: TelegramServer, anna: Person, bot: FakeBot, unstarted_front_end: TelegramFrontEnd
) -> None:
    await show_card(telegram, anna, bot)
    done = asyncio.Event()

    async def slow(message: IncomingMessage) -> Reply:
        await done.wait()
        return Reply.of("aborted")

    unstarted_front_end._update_handler._handle = slow
    press = await anna.press(anna.chat.bot_messages[0], "Abort")
    await telegram.wait_until(
        lambda: anna.get_callback_answer(press) and ("typing", None) in anna.chat.chat_actions
    )
    assert len(anna.chat.bot_messages) == 1
    done.set()
    await telegram.wait_until(lambda: anna.chat.texts[1:] == ["aborted"])


async def test_an_expired_button_says_so(
    telegram: TelegramServer, anna: Person, bot: FakeBot, actions: MemoryActions
) -> None:
    await show_card(telegram, anna, bot)
    actions.actions.clear()

    press = await anna.press(anna.chat.bot_messages[0], "Log")
    await telegram.wait_until(lambda: anna.get_callback_answer(press))

    answer = anna.get_callback_answer(press)
    assert answer is not None
    assert answer.is_alert
    assert "expired" in answer.text
    assert bot.lines == ["/show"]


async def test_an_expired_button_says_so_even_if_the_press_is_too_old_for_an_alert(
    telegram: TelegramServer, anna: Person, bot: FakeBot, actions: MemoryActions
) -> None:
    await show_card(telegram, anna, bot)
    actions.actions.clear()
    telegram.add_fault("answerCallbackQuery", Fault(build_bad_request("query is too old")))

    await anna.press(anna.chat.bot_messages[0], "Log")
    await telegram.wait_until(lambda: len(anna.chat.bot_messages) == 2)

    assert "expired" in anna.chat.texts[1]
    assert bot.lines == ["/show"]


async def test_a_press_that_cannot_be_answered_still_runs(
    telegram: TelegramServer, anna: Person, bot: FakeBot
) -> None:
    await show_card(telegram, anna, bot)
    press = await anna.press(anna.chat.bot_messages[0], "Log")
    telegram.state.pending_presses.discard(press)

    await telegram.wait_until(lambda: len(anna.chat.bot_messages) == 2)

    assert bot.lines == ["/show", "/log e1"]


async def test_button_commands_of_any_length_fit(telegram: TelegramServer, anna: Person, bot: FakeBot) -> None:
    command = "/set args.text=" + "x" * 3000
    bot.replies["/show"] = Reply.of("x", Buttons((Button("Set", command),)))
    await anna.send("/show")
    await telegram.wait_until(lambda: anna.chat.bot_messages)

    await anna.press(anna.chat.bot_messages[0], "Set")
    await telegram.wait_until(lambda: len(anna.chat.bot_messages) == 2)

    assert bot.lines == ["/show", command]


async def test_a_reply_is_sent_without_buttons_that_cannot_be_saved(
    telegram: TelegramServer,
    anna: Person,
    bot: FakeBot,
    actions: MemoryActions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(_: str) -> str:
        raise DatabaseUnusableError(url="sqlite://", reason="locked")

    monkeypatch.setattr(actions, "create_token", fail)
    await show_card(telegram, anna, bot)

    assert anna.chat.texts == ["baseline"]
    assert not anna.chat.bot_messages[0].buttons


async def test_a_failed_action_lookup_is_shown_as_an_alert(
    telegram: TelegramServer,
    anna: Person,
    bot: FakeBot,
    actions: MemoryActions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(_: str) -> str:
        raise DatabaseUnusableError(url="sqlite://", reason="locked" * 100)

    await show_card(telegram, anna, bot)
    monkeypatch.setattr(actions, "find_action", fail)
    press = await anna.press(anna.chat.bot_messages[0], "Log")
    await telegram.wait_until(lambda: anna.get_callback_answer(press))

    answer = anna.get_callback_answer(press)
    assert answer is not None
    assert answer.text.startswith("DATABASE_URL")
