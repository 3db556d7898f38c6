"""Buttons whose answer takes the place of the message that has them: the pages of a list."""

from functools import partial

import pytest

from clearml_chatops.models.replies import Button, Buttons, Code, Form, FormField, Outcome, Picture, Reply, Text
from tests.frontends.conftest import FakeBot
from tests.frontends.telegram.conftest import MemoryActions, MemoryCards
from tests.support.pictures import png
from tests.support.telegram import Person, ShownMessage, TelegramServer

pytestmark = pytest.mark.usefixtures("telegram_front_end")


def _was_edited(message: ShownMessage, times: int) -> bool:
    return message.edited == times


def page(number: int) -> Reply:
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
def _pages(bot: FakeBot) -> None:
    bot.replies["/find"] = page(1)
    for number in range(10):
        bot.replies[f"/find page={number}"] = page(number)


@pytest.fixture
async def shown(telegram: TelegramServer, anna: Person) -> ShownMessage:
    """The first page, in the private chat."""
    await anna.say("/find")
    await telegram.until(lambda: anna.chat.answers)
    return anna.chat.answers[0]


async def test_a_list_is_turned_page_by_page_in_its_message(
    telegram: TelegramServer, anna: Person, shown: ShownMessage, bot: FakeBot
) -> None:
    for edits, label in enumerate(("Next", "Next", "Next", "Back"), 1):
        await anna.press(shown, label)
        await telegram.until(partial(_was_edited, shown, edits))

    assert anna.chat.texts == ["Experiments, page 3 of 9"]
    assert bot.lines == ["/find", *(f"/find page={number}" for number in (2, 3, 4, 3))]


async def test_a_page_that_is_the_same_is_left_as_it_is(
    telegram: TelegramServer, anna: Person, shown: ShownMessage, actions: MemoryActions
) -> None:
    # The same page with other tokens is another message to Telegram, so the tokens have to be the same here.
    actions.token_of = {action: token for token, action in actions.actions.items()}

    await anna.press(shown, "Again")
    await telegram.until(lambda: telegram.called("editMessageText"))
    await anna.say("/queue")
    await telegram.until(lambda: len(anna.chat.answers) == 2)

    assert shown.edited == 0
    assert anna.chat.texts[0] == "Experiments, page 1 of 9"


async def test_the_page_of_a_deleted_list_is_sent_anew(
    telegram: TelegramServer, anna: Person, shown: ShownMessage
) -> None:
    await anna.press(shown, "Next")
    del anna.chat.messages[shown.id]
    await telegram.until(lambda: anna.chat.texts == ["Experiments, page 2 of 9"])

    (anew,) = anna.chat.answers
    await anna.press(anew, "Next")
    await telegram.until(lambda: anna.chat.texts == ["Experiments, page 3 of 9"])


async def test_two_people_turn_the_pages_of_one_list(telegram: TelegramServer, anna: Person, bot: FakeBot) -> None:
    group = telegram.group("Lab")
    boris = telegram.person("Boris")
    await anna.say("/find", chat=group)
    await telegram.until(lambda: group.answers)
    (shown,) = group.answers

    await boris.press(shown, "Next")
    await telegram.until(lambda: shown.text == "Experiments, page 2 of 9")
    await anna.press(shown, "Next")
    await telegram.until(lambda: shown.text == "Experiments, page 3 of 9")

    assert [message.sender.user_id for message in bot.heard] == [str(anna.id), str(boris.id), str(anna.id)]
    assert group.answers == [shown]


async def test_what_went_wrong_takes_no_list_away(
    telegram: TelegramServer, anna: Person, shown: ShownMessage, bot: FakeBot
) -> None:
    bot.replies["/find page=2"] = Reply((Text("ClearML does not answer."),), Outcome.REFUSED)

    await anna.press(shown, "Next")
    await telegram.until(lambda: len(anna.chat.answers) == 2)

    assert anna.chat.texts == ["Experiments, page 1 of 9", "ClearML does not answer."]


@pytest.mark.parametrize(
    ("more", "messages"),
    [
        (Code("line\n" * 10_000), 2),
        (Text("x" * 9000), 3),
        (Form("Clone", "/clone", (FormField("id", "experiment", positional=True),)), 2),
    ],
)
async def test_what_is_more_than_a_message_is_sent_anew_and_whole(
    telegram: TelegramServer,
    anna: Person,
    shown: ShownMessage,
    bot: FakeBot,
    more: Code | Text | Form,
    messages: int,
) -> None:
    bot.replies["/find page=2"] = Reply.of("A page", more)

    await anna.press(shown, "Next")
    await telegram.until(lambda: len(anna.chat.answers) == 1 + messages)

    assert shown.edited == 0


async def test_a_picture_takes_the_place_of_a_picture_and_of_a_text(
    telegram: TelegramServer, anna: Person, bot: FakeBot, cards: MemoryCards
) -> None:
    again = Buttons((Button("Again", "/plot again", in_place=True),))
    bot.replies["/plot"] = Reply.of("No scalars yet.", again, about="e1")
    bot.replies["/plot again"] = Reply.of(Picture("loss", png(30, 20), "loss, 10 points"), again, about="e1")
    await anna.say("/plot")
    await telegram.until(lambda: anna.chat.answers)
    (shown,) = anna.chat.answers

    await anna.press(shown, "Again")
    await telegram.until(lambda: shown.is_photo)
    assert (shown.text, shown.file_content, shown.file_name) == ("loss, 10 points", png(30, 20), "loss.png")
    bot.replies["/plot again"] = Reply.of(Picture("loss", png(31, 20), "loss, 11 points"), again, about="e1")
    await anna.press(shown, "Again")
    await telegram.until(lambda: shown.text == "loss, 11 points")

    assert shown.file_content == png(31, 20)
    assert anna.chat.answers == [shown]
    assert cards.experiments == {(str(anna.id), str(shown.id)): "e1"}
