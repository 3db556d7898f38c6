"""Pictures on Telegram: as photos if Telegram accepts them, else as files; each with its caption."""

import pytest

from clearml_chatops.bot.frontends.telegram import pictures
from clearml_chatops.models.replies import Button, Buttons, Picture, Reply, Text, Tone
from tests.frontends.conftest import FakeBot
from tests.frontends.telegram.conftest import MemoryCards
from tests.support.pictures import build_png
from tests.support.polling import wait_until
from tests.support.telegram import Fault, Person, TelegramServer
from tests.support.telegram.refusals import build_bad_request

pytestmark = pytest.mark.usefixtures("telegram_front_end")

PLOT = Picture("val/loss", build_png(1280, 720), "loss <0.1> & @anna")


async def test_pictures_are_photos_with_the_buttons_below_the_last(
    telegram: TelegramServer, anna: Person, bot: FakeBot, cards: MemoryCards
) -> None:
    other = Picture("accuracy.png", build_png(640, 480), "accuracy")
    buttons = Buttons((Button("Log", "/log e1"),))
    bot.replies["/plot"] = Reply.of(Text("baseline", Tone.HEADING), PLOT, other, buttons, experiment_id="e1")

    sent = await anna.send("/plot")
    await telegram.wait_until(lambda: len(anna.chat.bot_messages) == 3)

    heading, first, second = anna.chat.bot_messages
    assert (heading.text, heading.reply_to) == ("baseline", sent.id)
    assert (first.is_photo, first.file_name, first.file_content) == (True, "val_loss.png", PLOT.png)
    assert first.text.replace("\u2060", "") == "loss <0.1> & @anna"
    assert first.text != "loss <0.1> & @anna", "nobody is mentioned"
    assert (second.is_photo, second.file_content, second.text) == (True, other.png, "accuracy")
    assert [list(message.buttons) for message in anna.chat.bot_messages] == [[], [], ["Log"]]
    await wait_until(lambda: len(cards.experiments) == 3)
    assert set(cards.experiments.values()) == {"e1"}


@pytest.mark.parametrize(
    "content",
    [
        build_png(6000, 4001),
        build_png(2100, 100),
        build_png(10, 10, padding_size=10 * 1024 * 1024),
        b"GIF89a",
    ],
    ids=["sides", "stretched", "heavy", "no PNG"],
)
async def test_an_unsupported_photo_is_sent_as_a_file(
    telegram: TelegramServer, anna: Person, bot: FakeBot, content: bytes
) -> None:
    bot.replies["/plot"] = Reply.of(Picture("loss", content, "loss"))

    await anna.send("/plot")
    await telegram.wait_until(lambda: anna.chat.bot_messages)

    (document,) = anna.chat.bot_messages
    assert (document.is_photo, document.file_name, document.text) == (False, "loss.png", "loss")
    assert document.file_content == content
    assert telegram.list_calls("sendPhoto") == []


async def test_a_refused_photo_is_sent_as_a_file(telegram: TelegramServer, anna: Person, bot: FakeBot) -> None:
    bot.replies["/plot"] = Reply.of(PLOT, Buttons((Button("Log", "/log"),)))
    telegram.add_fault("sendPhoto", Fault(build_bad_request("PHOTO_INVALID_DIMENSIONS")))

    await anna.send("/plot")
    await telegram.wait_until(lambda: anna.chat.bot_messages)

    (document,) = anna.chat.bot_messages
    assert not document.is_photo
    assert document.file_content == PLOT.png
    assert list(document.buttons) == ["Log"]


async def test_a_long_caption_continues_as_text(telegram: TelegramServer, anna: Person, bot: FakeBot) -> None:
    words = [f"<step {number}> & so" for number in range(300)]
    bot.replies["/plot"] = Reply.of(Picture("loss", PLOT.png, "\n".join(words)), Buttons((Button("Log", "/log"),)))

    await anna.send("/plot")
    await telegram.wait_until(lambda: anna.chat.bot_messages and anna.chat.bot_messages[-1].rows)

    photo, *rest = anna.chat.bot_messages
    assert photo.is_photo
    assert rest
    assert "\n".join([photo.text, *(message.text for message in rest)]).split("\n") == words


async def test_an_oversized_picture_is_described_in_text(
    telegram: TelegramServer, anna: Person, bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "MAX_DOCUMENT_SIZE", 1000)
    bot.replies["/plot"] = Reply.of(Picture("loss", build_png(10, 10, padding_size=2000), "It falls."))

    await anna.send("/plot")
    await telegram.wait_until(lambda: anna.chat.bot_messages)

    assert "too large for Telegram" in anna.chat.texts[0]
    assert "It falls." in anna.chat.texts[0]


async def test_a_photo_is_retried_after_faults(telegram: TelegramServer, anna: Person, bot: FakeBot) -> None:
    bot.replies["/plot"] = Reply.of(PLOT)
    telegram.add_fault("sendPhoto", Fault.too_many_requests(retry_after=1))
    telegram.add_fault("sendPhoto", Fault.dropped())

    await anna.send("/plot")
    await telegram.wait_until(lambda: anna.chat.bot_messages)

    assert anna.chat.bot_messages[0].file_content == PLOT.png
    assert len(telegram.list_calls("sendPhoto")) == 3
