"""Pictures: as photos in the chat where Telegram takes them, else as files; each with its caption."""

import pytest

from clearml_chatops.bot.frontends.telegram import pictures
from clearml_chatops.models.replies import Button, Buttons, Picture, Reply, Text, Tone
from tests.frontends.conftest import FakeBot
from tests.frontends.telegram.conftest import MemoryCards
from tests.support.pictures import png
from tests.support.telegram import Fault, Person, TelegramServer
from tests.support.telegram.refusals import bad_request
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("telegram_front_end")

PLOT = Picture("val/loss", png(1280, 720), "loss <0.1> & @anna")


async def test_pictures_are_photos_with_the_buttons_below_the_last(
    telegram: TelegramServer, anna: Person, bot: FakeBot, cards: MemoryCards
) -> None:
    other = Picture("accuracy.png", png(640, 480), "accuracy")
    buttons = Buttons((Button("Log", "/log e1"),))
    bot.replies["/plot"] = Reply.of(Text("baseline", Tone.HEADING), PLOT, other, buttons, about="e1")

    said = await anna.say("/plot")
    await telegram.until(lambda: len(anna.chat.answers) == 3)

    heading, first, second = anna.chat.answers
    assert (heading.text, heading.reply_to) == ("baseline", said.id)
    assert (first.is_photo, first.file_name, first.file_content) == (True, "val_loss.png", PLOT.png)
    assert first.text.replace("\u2060", "") == "loss <0.1> & @anna"
    assert first.text != "loss <0.1> & @anna", "nobody is pinged"
    assert (second.is_photo, second.file_content, second.text) == (True, other.png, "accuracy")
    assert [list(message.buttons) for message in anna.chat.answers] == [[], [], ["Log"]]
    await until(lambda: len(cards.experiments) == 3)
    assert set(cards.experiments.values()) == {"e1"}


@pytest.mark.parametrize(
    "content",
    [
        png(6000, 4001),
        png(2100, 100),
        png(10, 10, at_least=10 * 1024 * 1024),
        b"GIF89a",
    ],
    ids=["sides", "stretched", "heavy", "no PNG"],
)
async def test_what_is_no_photo_to_telegram_is_a_file(
    telegram: TelegramServer, anna: Person, bot: FakeBot, content: bytes
) -> None:
    bot.replies["/plot"] = Reply.of(Picture("loss", content, "loss"))

    await anna.say("/plot")
    await telegram.until(lambda: anna.chat.answers)

    (document,) = anna.chat.answers
    assert (document.is_photo, document.file_name, document.text) == (False, "loss.png", "loss")
    assert document.file_content == content
    assert telegram.called("sendPhoto") == []


async def test_a_photo_that_telegram_refuses_is_sent_as_a_file(
    telegram: TelegramServer, anna: Person, bot: FakeBot
) -> None:
    bot.replies["/plot"] = Reply.of(PLOT, Buttons((Button("Log", "/log"),)))
    telegram.misbehave("sendPhoto", Fault(bad_request("PHOTO_INVALID_DIMENSIONS")))

    await anna.say("/plot")
    await telegram.until(lambda: anna.chat.answers)

    (document,) = anna.chat.answers
    assert not document.is_photo
    assert document.file_content == PLOT.png
    assert list(document.buttons) == ["Log"]


async def test_a_caption_goes_on_as_text_where_it_is_too_long(
    telegram: TelegramServer, anna: Person, bot: FakeBot
) -> None:
    words = [f"<step {number}> & so" for number in range(300)]
    bot.replies["/plot"] = Reply.of(Picture("loss", PLOT.png, "\n".join(words)), Buttons((Button("Log", "/log"),)))

    await anna.say("/plot")
    await telegram.until(lambda: anna.chat.answers and anna.chat.answers[-1].rows)

    photo, *rest = anna.chat.answers
    assert photo.is_photo
    assert rest
    assert "\n".join([photo.text, *(message.text for message in rest)]).split("\n") == words


async def test_what_telegram_does_not_take_at_all_is_told_in_words(
    telegram: TelegramServer, anna: Person, bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "LARGEST_DOCUMENT", 1000)
    bot.replies["/plot"] = Reply.of(Picture("loss", png(10, 10, at_least=2000), "It falls."))

    await anna.say("/plot")
    await telegram.until(lambda: anna.chat.answers)

    assert "more than Telegram takes" in anna.chat.texts[0]
    assert "It falls." in anna.chat.texts[0]


async def test_a_photo_survives_a_busy_telegram_and_a_lost_connection(
    telegram: TelegramServer, anna: Person, bot: FakeBot
) -> None:
    bot.replies["/plot"] = Reply.of(PLOT)
    telegram.misbehave("sendPhoto", Fault.too_many_requests(retry_after=1))
    telegram.misbehave("sendPhoto", Fault.dropped())

    await anna.say("/plot")
    await telegram.until(lambda: anna.chat.answers)

    assert anna.chat.answers[0].file_content == PLOT.png
    assert len(telegram.called("sendPhoto")) == 3
