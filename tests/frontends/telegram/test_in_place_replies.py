"""Buttons with in-place replies, which replace the message of the button: the pages of a list."""

from functools import partial

import pytest

from clearml_chatops.models.replies import Button, Buttons, Code, Form, FormField, Outcome, Picture, Reply, Text
from tests.frontends.conftest import FakeBot
from tests.frontends.telegram.conftest import MemoryActions, MemoryCards
from tests.support.pictures import build_png
from tests.support.telegram import Person, ShownMessage, TelegramServer

pytestmark = pytest.mark.usefixtures("telegram_front_end")


def _has_edit_count(message: ShownMessage, edit_count: int) -> bool:
    return message.edit_count == edit_count


def build_page(number: int) -> Reply:
    return Reply.of(
        f"Experiments, page {number} of 9",
        Buttons(
            (
                Button("Back", f"/find page={number - 1}", in_place=True),
                Button("Next", f"/find page={number + 1}", in_place=True),
                Button("Again", f"/find page={number}", in_place=True),
            )
        ),
    )


@pytest.fixture(autouse=True)
def _prepare_pages(bot: FakeBot) -> None:
    bot.replies["/find"] = build_page(1)
    for number in range(10):
        bot.replies[f"/find page={number}"] = build_page(number)


@pytest.fixture
async def shown(telegram: TelegramServer, anna: Person) -> ShownMessage:
    """The first page, in the private chat."""
    await anna.send("/find")
    await telegram.wait_until(lambda: anna.chat.bot_messages)
    return anna.chat.bot_messages[0]


async def test_pages_are_shown_in_the_same_message(
    telegram: TelegramServer, anna: Person, shown: ShownMessage, bot: FakeBot
) -> None:
    for edits, label in enumerate(("Next", "Next", "Next", "Back"), 1):
        await anna.press(shown, label)
        await telegram.wait_until(partial(_has_edit_count, shown, edits))

    assert anna.chat.texts == ["Experiments, page 3 of 9"]
    assert bot.lines == ["/find", *(f"/find page={number}" for number in (2, 3, 4, 3))]


async def test_an_unchanged_page_is_not_edited(
    telegram: TelegramServer, anna: Person, shown: ShownMessage, actions: MemoryActions
) -> None:
    # Telegram sees other tokens as a change, so the tokens have to be the same here.
    actions.fixed_tokens = {action: token for token, action in actions.actions.items()}

    await anna.press(shown, "Again")
    await telegram.wait_until(lambda: telegram.list_calls("editMessageText"))
    await anna.send("/queue")
    await telegram.wait_until(lambda: len(anna.chat.bot_messages) == 2)

    assert shown.edit_count == 0
    assert anna.chat.texts[0] == "Experiments, page 1 of 9"


async def test_a_page_of_a_deleted_message_is_sent_again(
    telegram: TelegramServer, anna: Person, shown: ShownMessage
) -> None:
    await anna.press(shown, "Next")
    del anna.chat.messages[shown.id]
    await telegram.wait_until(lambda: anna.chat.texts == ["Experiments, page 2 of 9"])

    (new_list,) = anna.chat.bot_messages
    await anna.press(new_list, "Next")
    await telegram.wait_until(lambda: anna.chat.texts == ["Experiments, page 3 of 9"])


async def test_two_people_turn_the_pages_of_one_list(telegram: TelegramServer, anna: Person, bot: FakeBot) -> None:
    group = telegram.add_group("Lab")
    boris = telegram.add_person("Boris")
    await anna.send("/find", chat=group)
    await telegram.wait_until(lambda: group.bot_messages)
    (shown,) = group.bot_messages

    await boris.press(shown, "Next")
    await telegram.wait_until(lambda: shown.text == "Experiments, page 2 of 9")
    await anna.press(shown, "Next")
    await telegram.wait_until(lambda: shown.text == "Experiments, page 3 of 9")

    assert [message.sender.user_id for message in bot.messages] == [str(anna.id), str(boris.id), str(anna.id)]
    assert group.bot_messages == [shown]


async def test_an_error_does_not_replace_the_list(
    telegram: TelegramServer, anna: Person, shown: ShownMessage, bot: FakeBot
) -> None:
    bot.replies["/find page=2"] = Reply((Text("ClearML does not answer."),), Outcome.REFUSED)

    await anna.press(shown, "Next")
    await telegram.wait_until(lambda: len(anna.chat.bot_messages) == 2)

    assert anna.chat.texts == ["Experiments, page 1 of 9", "ClearML does not answer."]


@pytest.mark.parametrize(
    ("more", "messages"),
    [
        (Code("line\n" * 10_000), 2),
        (Text("x" * 9000), 3),
        (Form("Clone", "/clone", (FormField("id", "experiment", positional=True),)), 2),
    ],
)
async def test_a_reply_longer_than_a_message_is_sent_again(
    telegram: TelegramServer,
    anna: Person,
    shown: ShownMessage,
    bot: FakeBot,
    more: Code | Text | Form,
    messages: int,
) -> None:
    bot.replies["/find page=2"] = Reply.of("A page", more)

    await anna.press(shown, "Next")
    await telegram.wait_until(lambda: len(anna.chat.bot_messages) == 1 + messages)

    assert shown.edit_count == 0


async def test_a_picture_replaces_a_picture_or_a_text(
    telegram: TelegramServer, anna: Person, bot: FakeBot, cards: MemoryCards
) -> None:
    again = Buttons((Button("Again", "/plot again", in_place=True),))
    bot.replies["/plot"] = Reply.of("No scalars yet.", again, experiment_id="e1")
    bot.replies["/plot again"] = Reply.of(
        Picture("loss", build_png(30, 20), "loss, 10 points"), again, experiment_id="e1"
    )
    await anna.send("/plot")
    await telegram.wait_until(lambda: anna.chat.bot_messages)
    (shown,) = anna.chat.bot_messages

    await anna.press(shown, "Again")
    await telegram.wait_until(lambda: shown.is_photo)
    assert (shown.text, shown.file_content, shown.file_name) == ("loss, 10 points", build_png(30, 20), "loss.png")
    bot.replies["/plot again"] = Reply.of(
        Picture("loss", build_png(31, 20), "loss, 11 points"), again, experiment_id="e1"
    )
    await anna.press(shown, "Again")
    await telegram.wait_until(lambda: shown.text == "loss, 11 points")

    assert shown.file_content == build_png(31, 20)
    assert anna.chat.bot_messages == [shown]
    assert cards.experiments == {(str(anna.id), str(shown.id)): "e1"}
