"""Beginning, ending, and what lies between a bot and Telegram."""

import asyncio
import logging
from time import monotonic

import pytest

from clearml_chatops.bot.frontends.telegram import TelegramFrontEnd
from clearml_chatops.models.errors import SettingsError
from clearml_chatops.models.messages import IncomingMessage
from clearml_chatops.models.replies import Reply
from tests.frontends.conftest import FakeBot, small_registry
from tests.frontends.telegram.conftest import MemoryActions, MemoryCards, MemoryPlaces
from tests.support.telegram import Fault, Person, TelegramServer
from tests.support.waiting import until


async def nobody() -> list[str]:
    return []


def front_end_with(token: str, api_url: str, webhook_url: str = "") -> TelegramFrontEnd:
    return TelegramFrontEnd(
        handle=FakeBot().handle,
        registry=small_registry(),
        actions=MemoryActions(),
        cards=MemoryCards(),
        places=MemoryPlaces(),
        admins=nobody,
        token=token,
        api_url=api_url,
        webhook_url=webhook_url,
    )


@pytest.mark.parametrize("token", ["", "abc", "42:with blank", "42:AA\n"])
def test_what_cannot_be_a_token_is_refused_at_once(token: str) -> None:
    with pytest.raises(SettingsError, match=r"^TELEGRAM_BOT_TOKEN: ") as refused:
        front_end_with(token, "")

    assert not token.strip() or token.strip() not in str(refused.value)


def test_what_cannot_be_an_address_is_refused_at_once() -> None:
    with pytest.raises(SettingsError, match=r"^TELEGRAM_API_URL: "):
        front_end_with("42:AA", "api.example.org")


def test_a_webhook_needs_a_public_address(quiet_front_end: TelegramFrontEnd) -> None:
    assert list(quiet_front_end.routes) == []
    with pytest.raises(SettingsError, match=r"^TELEGRAM_WEBHOOK_URL: must begin with https://"):
        front_end_with("42:AA", "", webhook_url="http://bot.example.org")


async def test_a_token_that_telegram_does_not_accept_is_one_clear_error(telegram: TelegramServer) -> None:
    front_end = front_end_with("42:wrong", telegram.url)

    with pytest.raises(SettingsError, match=r"^TELEGRAM_BOT_TOKEN: Telegram does not accept it") as refused:
        await front_end.start()

    assert "42:wrong" not in str(refused.value)
    assert refused.value.__cause__ is None
    await front_end.stop()


async def test_telegram_may_be_down_at_boot(
    telegram: TelegramServer, quiet_front_end: TelegramFrontEnd, anna: Person
) -> None:
    await telegram.hang_up()

    await quiet_front_end.start()
    await telegram.listen()
    await anna.say("/find")
    await telegram.until(lambda: anna.chat.answers)

    await quiet_front_end.stop()


async def test_a_wrong_token_found_later_is_one_log_line(
    telegram: TelegramServer, caplog: pytest.LogCaptureFixture
) -> None:
    front_end = front_end_with("42:wrong", telegram.url)
    await telegram.hang_up()
    await front_end.start()
    await telegram.listen()

    await until(lambda: "TELEGRAM_BOT_TOKEN: Telegram does not accept it" in caplog.text)

    await front_end.stop()
    assert "42:wrong" not in caplog.text


async def test_stopping_while_telegram_is_down_takes_no_time(
    telegram: TelegramServer, quiet_front_end: TelegramFrontEnd
) -> None:
    await quiet_front_end.start()
    await telegram.until(lambda: telegram.polls)
    await telegram.hang_up()
    begun = monotonic()

    await quiet_front_end.stop()

    assert monotonic() - begun < 5


async def test_polling_goes_on_after_its_connection_was_dropped(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person, bot: FakeBot
) -> None:
    await telegram.until(lambda: telegram.polls)
    await telegram.hang_up()
    await telegram.listen()

    await anna.say("/find")
    await telegram.until(lambda: anna.chat.answers)

    assert bot.lines == ["/find"]


async def test_a_webhook_that_stands_is_deleted_before_polling_and_nothing_is_lost(
    telegram: TelegramServer, quiet_front_end: TelegramFrontEnd, anna: Person, bot: FakeBot
) -> None:
    telegram.webhook.leads_to = {"https://bot.example.org": "http://127.0.0.1:9"}
    telegram.state.webhook = "https://bot.example.org/telegram"
    await anna.say("/find")

    await quiet_front_end.start()
    await telegram.until(lambda: anna.chat.answers)
    await quiet_front_end.stop()

    assert telegram.state.webhook == ""
    assert bot.lines == ["/find"]


async def test_a_second_poller_is_told_in_one_line(
    telegram: TelegramServer, quiet_front_end: TelegramFrontEnd, anna: Person, caplog: pytest.LogCaptureFixture
) -> None:
    telegram.misbehave("getUpdates", Fault.conflict(times=2))
    await quiet_front_end.start()

    await anna.say("/find")
    await telegram.until(lambda: anna.chat.answers)

    conflicts = [record for record in caplog.records if "another program polls" in record.getMessage()]
    assert len(conflicts) == 1
    await quiet_front_end.stop()


async def test_the_token_is_in_no_log_line(
    telegram: TelegramServer, quiet_front_end: TelegramFrontEnd, anna: Person, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    telegram.misbehave("getUpdates", Fault.dropped())
    telegram.misbehave("sendMessage", Fault.broken(500))
    await quiet_front_end.start()
    await anna.say("/find")
    await telegram.until(lambda: anna.chat.answers)
    await quiet_front_end.stop()

    assert caplog.text
    assert telegram.token not in caplog.text
    assert telegram.token.partition(":")[2] not in caplog.text


async def test_an_answer_under_way_is_sent_before_the_end(
    telegram: TelegramServer, quiet_front_end: TelegramFrontEnd, anna: Person
) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def slow(message: IncomingMessage) -> Reply:
        begun.set()
        await may_end.wait()
        return Reply.of("done")

    quiet_front_end._answering._handle = slow
    await quiet_front_end.start()
    await anna.say("/find")
    await begun.wait()

    stopping = asyncio.create_task(quiet_front_end.stop())
    # The last poll has no time-out: it only tells what was received.
    await telegram.until(lambda: not telegram.state.updates)
    may_end.set()
    await stopping

    assert anna.chat.texts == ["done"]


async def test_a_command_that_does_not_end_is_told_about_in_time(
    telegram: TelegramServer, quiet_front_end: TelegramFrontEnd, anna: Person
) -> None:
    begun = asyncio.Event()

    async def endless(message: IncomingMessage) -> Reply:
        begun.set()
        await asyncio.Event().wait()
        raise NotImplementedError

    quiet_front_end._answering._handle = endless
    await quiet_front_end.start()
    await anna.say("/find")
    await begun.wait()

    start = monotonic()
    await quiet_front_end.stop()

    assert monotonic() - start < 5
    (text,) = anna.chat.texts
    assert "may or may not have been done" in text
