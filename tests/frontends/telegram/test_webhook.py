"""The webhook over real sockets: who may send updates, and which are kept while the bot is stopped."""

import asyncio
import logging

import aiohttp
import pytest

from clearml_chatops.bot.frontends.telegram import TelegramFrontEnd
from clearml_chatops.models.errors import SettingsError
from clearml_chatops.models.messages import IncomingMessage
from clearml_chatops.models.replies import Reply
from tests.frontends.conftest import FakeBot
from tests.frontends.telegram.conftest import PUBLIC_ADDRESS, serve_front_end
from tests.support.telegram import Fault, Person, TelegramServer
from tests.support.telegram.refusals import build_bad_request

HEADER = "X-Telegram-Bot-Api-Secret-Token"


@pytest.fixture
def webhook_url() -> str:
    return PUBLIC_ADDRESS


def build_update(person: Person, text: str, update_id: int) -> dict[str, object]:
    """Return an update as an attacker could write it."""
    return {
        "update_id": update_id,
        "message": {
            "message_id": 1,
            "date": 1,
            "chat": person.chat.to_json(),
            "from": person.user,
            "text": text,
        },
    }


async def test_the_webhook_is_set_with_url_and_secret(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd
) -> None:
    (parameters,) = telegram.list_calls("setWebhook")

    assert parameters["url"] == f"{PUBLIC_ADDRESS}/telegram"
    assert set(parameters["allowed_updates"]) == {"message", "callback_query"}
    assert len(parameters["secret_token"]) >= 32
    assert telegram.token.partition(":")[2] not in parameters["secret_token"]
    assert not parameters.get("drop_pending_updates")


@pytest.mark.parametrize("secret", [None, "", "wrong", "ungültig", "x" * 10_000])
async def test_a_request_without_the_secret_is_refused(
    telegram: TelegramServer,
    telegram_front_end: TelegramFrontEnd,
    anna: Person,
    bot: FakeBot,
    secret: str | None,
) -> None:
    address = telegram.webhook.local_addresses[PUBLIC_ADDRESS] + "/telegram"
    headers = {HEADER: secret[:7000]} if secret is not None else {}
    async with aiohttp.ClientSession() as session:
        async with session.post(address, json=build_update(anna, "/abort", 5), headers=headers) as answer:
            assert answer.status == 403
        async with session.get(address) as answer:
            assert answer.status == 405

    await anna.send("/find")
    await telegram.wait_until(lambda: anna.chat.bot_messages)
    assert bot.lines == ["/find"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"{}", b'{"update_id": 1, "message": 7}', b"\xff"])
async def test_an_invalid_update_is_refused(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person, bot: FakeBot, body: bytes
) -> None:
    headers = {HEADER: telegram.state.webhook_secret, "Content-Type": "application/json"}
    address = telegram.webhook.local_addresses[PUBLIC_ADDRESS] + "/telegram"
    async with aiohttp.ClientSession() as session, session.post(address, data=body, headers=headers) as answer:
        assert answer.status == 400

    await anna.send("/find")
    await telegram.wait_until(lambda: anna.chat.bot_messages)
    assert bot.lines == ["/find"]


async def test_an_update_is_acknowledged_before_its_command_ends(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person
) -> None:
    may_end = asyncio.Event()

    async def slow(message: IncomingMessage) -> Reply:
        await may_end.wait()
        return Reply.of("done")

    telegram_front_end._update_handler._handle = slow
    await anna.send("/find")
    await telegram.wait_until(lambda: not telegram.state.updates)
    assert anna.chat.bot_messages == []
    may_end.set()
    await telegram.wait_until(lambda: anna.chat.texts == ["done"])


async def test_stopping_answers_received_updates_and_refuses_later_ones(
    telegram: TelegramServer, unstarted_front_end: TelegramFrontEnd, anna: Person
) -> None:
    started, may_end = asyncio.Event(), asyncio.Event()

    async def slow(message: IncomingMessage) -> Reply:
        started.set()
        await may_end.wait()
        return Reply.of(f"done {message.text}")

    unstarted_front_end._update_handler._handle = slow
    async with serve_front_end(unstarted_front_end, telegram):
        await unstarted_front_end.start()
        await anna.send("/find")
        await started.wait()
        stop_task = asyncio.create_task(unstarted_front_end.stop())
        await asyncio.sleep(0)  # until it has begun
        await anna.send("/queue")
        await telegram.wait_until(lambda: 503 in telegram.webhook.refused_statuses)
        may_end.set()
        await stop_task

    assert anna.chat.texts == ["done /find"]
    assert telegram.list_calls("deleteWebhook") == []
    assert telegram.state.webhook_url
    assert len(telegram.state.updates) == 1


async def test_pending_updates_are_answered_after_a_restart(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person, bot: FakeBot
) -> None:
    first_secret = telegram.state.webhook_secret
    telegram.state.webhook_url = ""
    await anna.send("/find")
    restarted_front_end = TelegramFrontEnd(
        handle=bot.handle,
        registry=telegram_front_end._update_handler._registry,
        actions=telegram_front_end._update_handler._actions,
        requests=telegram_front_end._update_handler._requests,
        cards=telegram_front_end._update_handler._cards,
        conversations=telegram_front_end._client._conversations,
        list_admin_ids=telegram_front_end._command_menus._list_admin_ids,
        token=telegram.token,
        api_url=telegram.url,
        webhook_url=f"{PUBLIC_ADDRESS}/",
    )

    async with serve_front_end(restarted_front_end, telegram):
        await restarted_front_end.start()
        await telegram.wait_until(lambda: anna.chat.bot_messages)
        await restarted_front_end.stop()

    assert telegram.state.webhook_secret == first_secret
    assert bot.lines == ["/find"]


async def test_set_webhook_is_retried(
    telegram: TelegramServer, unstarted_front_end: TelegramFrontEnd, anna: Person, bot: FakeBot
) -> None:
    telegram.add_fault("setWebhook", Fault.broken(502))
    async with serve_front_end(unstarted_front_end, telegram):
        await unstarted_front_end.start()
        await anna.send("/find")
        await telegram.wait_until(lambda: anna.chat.bot_messages)
        await unstarted_front_end.stop()

    assert bot.lines == ["/find"]


async def test_a_rejected_address_is_one_clear_error(
    telegram: TelegramServer, unstarted_front_end: TelegramFrontEnd
) -> None:
    telegram.add_fault("setWebhook", Fault(build_bad_request("bad webhook: Failed to resolve host")))

    with pytest.raises(SettingsError, match=r"^TELEGRAM_WEBHOOK_URL: .*resolve host"):
        await unstarted_front_end.start()

    await unstarted_front_end.stop()


async def test_neither_token_nor_secret_is_in_a_log_line(
    telegram: TelegramServer,
    telegram_front_end: TelegramFrontEnd,
    anna: Person,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    await anna.send("/find")
    await telegram.wait_until(lambda: anna.chat.bot_messages)

    assert telegram.state.webhook_secret not in caplog.text
    assert telegram.token not in caplog.text
