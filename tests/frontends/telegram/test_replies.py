"""Replies on Telegram arrive complete, also over a bad connection."""

from datetime import timedelta

import pytest

from clearml_chatops.bot.frontends.telegram import TelegramFrontEnd
from clearml_chatops.models.messages import IncomingMessage
from clearml_chatops.models.replies import Button, Buttons, Code, Fields, Reply, Table, Text, Tone
from tests.frontends.conftest import FakeBot
from tests.frontends.telegram.conftest import BOTH_TRANSPORTS, MemoryCards
from tests.support.telegram import Fault, Person, TelegramServer

pytestmark = [pytest.mark.usefixtures("telegram_front_end"), BOTH_TRANSPORTS]


async def test_a_long_log_arrives_as_a_document(
    telegram: TelegramServer, anna: Person, bot: FakeBot, cards: MemoryCards
) -> None:
    log = "\n".join(f"line {number}" for number in range(10_000))
    bot.replies["/log"] = Reply.of(
        "The log", Code(log), Buttons((Button("Show", "/show e1"),)), experiment_id="e1"
    )

    await anna.send("/log")
    await telegram.wait_until(lambda: len(anna.chat.bot_messages) == 2)

    text, document = anna.chat.bot_messages
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

    await anna.send("/find")
    await telegram.wait_until(lambda: len(anna.chat.bot_messages) == 2)

    document, last = anna.chat.bot_messages
    assert len(document.file_content.decode().splitlines()) == 501
    assert "440 more aren't shown" in last.text
    assert sum(map(len, last.rows)) == 60


async def test_a_value_of_3000_characters_full_of_markup_arrives_whole(
    telegram: TelegramServer, anna: Person, bot: FakeBot
) -> None:
    value = "</b><!channel>&" * 200
    bot.replies["/show"] = Reply.of(Text(value, Tone.HEADING), Fields(((value[:60], value),)))

    await anna.send("/show")
    await telegram.wait_until(lambda: len(anna.chat.bot_messages) == 2)

    assert "\n".join(anna.chat.texts).count(value) == 2


async def test_a_rate_limit_between_messages_is_waited_out(
    telegram: TelegramServer, anna: Person, bot: FakeBot
) -> None:
    lines = [f"{number:05} " + "x" * 100 for number in range(100)]
    bot.replies["/find"] = Reply.of("\n".join(lines))
    telegram.add_fault("sendMessage", Fault.too_many_requests(retry_after=1, skip=1, times=1))

    await anna.send("/find")
    await telegram.wait_until(lambda: len(anna.chat.bot_messages) == 3)

    assert "\n".join(anna.chat.texts).split("\n") == lines


@pytest.mark.parametrize("fault", [Fault.dropped(), Fault.broken(500), Fault.broken(502)])
async def test_an_answer_survives_a_lost_connection(telegram: TelegramServer, anna: Person, fault: Fault) -> None:
    telegram.add_fault("sendMessage", fault)

    await anna.send("/find")
    await telegram.wait_until(lambda: anna.chat.bot_messages)

    assert len(telegram.list_calls("sendMessage")) == 2


async def test_a_reply_is_sent_again_when_its_response_is_lost(
    telegram: TelegramServer, anna: Person, bot: FakeBot
) -> None:
    telegram.add_fault("sendMessage", Fault.dropped(runs_method=True))

    await anna.send("/find")
    await telegram.wait_until(lambda: len(anna.chat.bot_messages) == 2)

    assert bot.lines == ["/find"]


async def test_a_reply_to_a_blocked_chat_is_logged(
    telegram: TelegramServer, anna: Person, caplog: pytest.LogCaptureFixture
) -> None:
    boris = telegram.add_person("Boris")
    boris.chat.bot_is_blocked = True

    await boris.send("/find")
    await telegram.wait_until(lambda: telegram.list_calls("sendMessage"))
    await anna.send("/find")
    await telegram.wait_until(lambda: anna.chat.bot_messages)

    assert "blocked by the user" in caplog.text


async def test_the_reply_to_a_deleted_message_is_sent(
    telegram: TelegramServer, anna: Person, unstarted_front_end: TelegramFrontEnd
) -> None:
    async def handle(message: IncomingMessage) -> Reply:
        anna.chat.messages.clear()
        return Reply.of("done")

    unstarted_front_end._update_handler._handle = handle
    unstarted_front_end._update_handler._typing_delay = timedelta(minutes=1)
    await anna.send("/find")
    await telegram.wait_until(lambda: anna.chat.texts == ["done"])
