"""The connection to Telegram: start, stop, and failures in between."""

import asyncio
import logging
from time import monotonic

import pytest

from clearml_chatops.bot.frontends.telegram import TelegramFrontEnd
from clearml_chatops.models.errors import SettingsError
from clearml_chatops.models.messages import IncomingMessage
from clearml_chatops.models.replies import Reply
from tests.frontends.conftest import FakeBot, MemoryRequests, build_small_registry
from tests.frontends.telegram.conftest import MemoryActions, MemoryCards, MemoryConversations
from tests.support.polling import wait_until
from tests.support.telegram import Fault, Person, TelegramServer


async def list_admin_ids() -> list[str]:
    return []


def create_front_end(token: str, api_url: str, webhook_url: str = "") -> TelegramFrontEnd:
    return TelegramFrontEnd(
        handle=FakeBot().handle,
        registry=build_small_registry(),
        actions=MemoryActions(),
        requests=MemoryRequests(),
        cards=MemoryCards(),
        conversations=MemoryConversations(),
        list_admin_ids=list_admin_ids,
        token=token,
        api_url=api_url,
        webhook_url=webhook_url,
    )


@pytest.mark.parametrize("token", ["", "abc", "42:with space", "42:AA\n"])
def test_an_invalid_token_is_refused(token: str) -> None:
    with pytest.raises(SettingsError, match=r"^TELEGRAM_BOT_TOKEN: ") as refused:
        create_front_end(token, "")

    assert not token.strip() or token.strip() not in str(refused.value)


def test_an_invalid_api_url_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"^TELEGRAM_API_URL: "):
        create_front_end("42:AA", "api.example.org")


def test_a_webhook_needs_a_public_address(unstarted_front_end: TelegramFrontEnd) -> None:
    assert list(unstarted_front_end.routes) == []
    with pytest.raises(SettingsError, match=r"^TELEGRAM_WEBHOOK_URL: must start with https://"):
        create_front_end("42:AA", "", webhook_url="http://bot.example.org")


async def test_a_rejected_token_is_one_clear_error(telegram: TelegramServer) -> None:
    front_end = create_front_end("42:wrong", telegram.url)

    with pytest.raises(SettingsError, match=r"^TELEGRAM_BOT_TOKEN: Telegram doesn't accept it") as refused:
        await front_end.start()

    assert "42:wrong" not in str(refused.value)
    assert refused.value.__cause__ is None
    await front_end.stop()


async def test_telegram_may_be_down_at_boot(
    telegram: TelegramServer, unstarted_front_end: TelegramFrontEnd, anna: Person
) -> None:
    await telegram.stop_listening()

    await unstarted_front_end.start()
    await telegram.listen()
    await anna.send("/find")
    await telegram.wait_until(lambda: anna.chat.bot_messages)

    await unstarted_front_end.stop()


async def test_a_token_rejected_later_is_one_log_line(
    telegram: TelegramServer, caplog: pytest.LogCaptureFixture
) -> None:
    front_end = create_front_end("42:wrong", telegram.url)
    await telegram.stop_listening()
    await front_end.start()
    await telegram.listen()

    await wait_until(lambda: "TELEGRAM_BOT_TOKEN: Telegram doesn't accept it" in caplog.text)

    await front_end.stop()
    assert "42:wrong" not in caplog.text


async def test_stopping_while_telegram_is_down_is_fast(
    telegram: TelegramServer, unstarted_front_end: TelegramFrontEnd
) -> None:
    await unstarted_front_end.start()
    await telegram.wait_until(lambda: telegram.poll_count)
    await telegram.stop_listening()
    start = monotonic()

    await unstarted_front_end.stop()

    assert monotonic() - start < 5


async def test_polling_continues_after_a_dropped_connection(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person, bot: FakeBot
) -> None:
    await telegram.wait_until(lambda: telegram.poll_count)
    await telegram.stop_listening()
    await telegram.listen()

    await anna.send("/find")
    await telegram.wait_until(lambda: anna.chat.bot_messages)

    assert bot.lines == ["/find"]


async def test_an_old_webhook_is_deleted_before_polling(
    telegram: TelegramServer, unstarted_front_end: TelegramFrontEnd, anna: Person, bot: FakeBot
) -> None:
    telegram.webhook.local_addresses = {"https://bot.example.org": "http://127.0.0.1:9"}
    telegram.state.webhook_url = "https://bot.example.org/telegram"
    await anna.send("/find")

    await unstarted_front_end.start()
    await telegram.wait_until(lambda: anna.chat.bot_messages)
    await unstarted_front_end.stop()

    assert telegram.state.webhook_url == ""
    assert bot.lines == ["/find"]


async def test_a_polling_conflict_is_one_log_line(
    telegram: TelegramServer, unstarted_front_end: TelegramFrontEnd, anna: Person, caplog: pytest.LogCaptureFixture
) -> None:
    telegram.add_fault("getUpdates", Fault.conflict(times=2))
    await unstarted_front_end.start()

    await anna.send("/find")
    await telegram.wait_until(lambda: anna.chat.bot_messages)

    conflicts = [record for record in caplog.records if "another program polls" in record.getMessage()]
    assert len(conflicts) == 1
    await unstarted_front_end.stop()


async def test_the_token_is_in_no_log_line(
    telegram: TelegramServer, unstarted_front_end: TelegramFrontEnd, anna: Person, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    telegram.add_fault("getUpdates", Fault.dropped())
    telegram.add_fault("sendMessage", Fault.broken(500))
    await unstarted_front_end.start()
    await anna.send("/find")
    await telegram.wait_until(lambda: anna.chat.bot_messages)
    await unstarted_front_end.stop()

    assert caplog.text
    assert telegram.token not in caplog.text
    assert telegram.token.partition(":")[2] not in caplog.text


async def test_a_running_command_is_answered_before_the_end(
    telegram: TelegramServer, unstarted_front_end: TelegramFrontEnd, anna: Person
) -> None:
    started, may_end = asyncio.Event(), asyncio.Event()

    async def slow(message: IncomingMessage) -> Reply:
        started.set()
        await may_end.wait()
        return Reply.of("done")

    unstarted_front_end._update_handler._handle = slow
    await unstarted_front_end.start()
    await anna.send("/find")
    await started.wait()

    stop_task = asyncio.create_task(unstarted_front_end.stop())
    # The last poll has no timeout: it only confirms the received updates.
    await telegram.wait_until(lambda: not telegram.state.updates)
    may_end.set()
    await stop_task

    assert anna.chat.texts == ["done"]


async def test_a_command_that_does_not_end_is_cancelled_with_a_message(
    telegram: TelegramServer, unstarted_front_end: TelegramFrontEnd, anna: Person
) -> None:
    started = asyncio.Event()

    async def endless(message: IncomingMessage) -> Reply:
        started.set()
        await asyncio.Event().wait()
        raise NotImplementedError

    unstarted_front_end._update_handler._handle = endless
    await unstarted_front_end.start()
    await anna.send("/find")
    await started.wait()

    start = monotonic()
    await unstarted_front_end.stop()

    assert monotonic() - start < 5
    (text,) = anna.chat.texts
    assert "It may still happen: check with /show" in text
