"""The webhook over real sockets: who may bring updates, and what is kept while nobody listens."""

import asyncio
import logging

import aiohttp
import pytest

from clearml_chatops.bot.frontends.telegram import TelegramFrontEnd
from clearml_chatops.models.errors import SettingsError
from clearml_chatops.models.messages import IncomingMessage
from clearml_chatops.models.replies import Reply
from tests.frontends.conftest import FakeBot
from tests.frontends.telegram.conftest import PUBLIC_ADDRESS, reachable
from tests.support.telegram import Fault, Person, TelegramServer
from tests.support.telegram.refusals import bad_request

HEADER = "X-Telegram-Bot-Api-Secret-Token"


@pytest.fixture
def webhook_url() -> str:
    return PUBLIC_ADDRESS


def message_from(person: Person, text: str, number: int) -> dict[str, object]:
    """An update as somebody else might make it up."""
    return {
        "update_id": number,
        "message": {
            "message_id": 1,
            "date": 1,
            "chat": person.chat.to_json(),
            "from": person.user,
            "text": text,
        },
    }


async def test_telegram_is_told_where_to_bring_what(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd
) -> None:
    (given,) = telegram.called("setWebhook")

    assert given["url"] == f"{PUBLIC_ADDRESS}/telegram"
    assert set(given["allowed_updates"]) == {"message", "callback_query"}
    assert len(given["secret_token"]) >= 32
    assert telegram.token.partition(":")[2] not in given["secret_token"]
    assert not given.get("drop_pending_updates")


@pytest.mark.parametrize("secret", [None, "", "wrong", "ungültig", "x" * 10_000])
async def test_who_does_not_know_the_secret_is_refused_and_nothing_happens(
    telegram: TelegramServer,
    telegram_front_end: TelegramFrontEnd,
    anna: Person,
    bot: FakeBot,
    secret: str | None,
) -> None:
    address = telegram.webhook.leads_to[PUBLIC_ADDRESS] + "/telegram"
    headers = {HEADER: secret[:7000]} if secret is not None else {}
    async with aiohttp.ClientSession() as session:
        async with session.post(address, json=message_from(anna, "/abort", 5), headers=headers) as answer:
            assert answer.status == 403
        async with session.get(address) as answer:
            assert answer.status == 405

    await anna.say("/find")
    await telegram.until(lambda: anna.chat.answers)
    assert bot.lines == ["/find"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"{}", b'{"update_id": 1, "message": 7}', b"\xff"])
async def test_what_is_no_update_ends_nothing(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person, bot: FakeBot, body: bytes
) -> None:
    headers = {HEADER: telegram.state.webhook_secret, "Content-Type": "application/json"}
    address = telegram.webhook.leads_to[PUBLIC_ADDRESS] + "/telegram"
    async with aiohttp.ClientSession() as session, session.post(address, data=body, headers=headers) as answer:
        assert answer.status == 400

    await anna.say("/find")
    await telegram.until(lambda: anna.chat.answers)
    assert bot.lines == ["/find"]


async def test_an_update_is_acknowledged_before_its_command_ends(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person
) -> None:
    may_end = asyncio.Event()

    async def slow(message: IncomingMessage) -> Reply:
        await may_end.wait()
        return Reply.of("done")

    telegram_front_end._answering._handle = slow
    await anna.say("/find")
    await telegram.until(lambda: not telegram.state.updates)
    assert anna.chat.answers == []
    may_end.set()
    await telegram.until(lambda: anna.chat.texts == ["done"])


async def test_what_was_taken_is_answered_and_what_comes_later_is_kept_for_the_next_start(
    telegram: TelegramServer, quiet_front_end: TelegramFrontEnd, anna: Person
) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def slow(message: IncomingMessage) -> Reply:
        begun.set()
        await may_end.wait()
        return Reply.of(f"done {message.text}")

    quiet_front_end._answering._handle = slow
    async with reachable(quiet_front_end, telegram):
        await quiet_front_end.start()
        await anna.say("/find")
        await begun.wait()
        stopping = asyncio.create_task(quiet_front_end.stop())
        await anna.say("/queue")
        await telegram.until(lambda: 503 in telegram.webhook.refused)
        may_end.set()
        await stopping

    assert anna.chat.texts == ["done /find"]
    assert telegram.called("deleteWebhook") == []
    assert telegram.state.webhook
    assert len(telegram.state.updates) == 1


async def test_after_a_restart_the_secret_is_the_same_and_what_was_kept_is_answered(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person, bot: FakeBot
) -> None:
    first = telegram.state.webhook_secret
    telegram.state.webhook = ""
    await anna.say("/find")
    again = TelegramFrontEnd(
        handle=bot.handle,
        registry=telegram_front_end._answering._registry,
        actions=telegram_front_end._answering._actions,
        cards=telegram_front_end._answering._cards,
        places=telegram_front_end._wire._places,
        admins=telegram_front_end._menus._admins,
        token=telegram.token,
        api_url=telegram.url,
        webhook_url=f"{PUBLIC_ADDRESS}/",
    )

    async with reachable(again, telegram):
        await again.start()
        await telegram.until(lambda: anna.chat.answers)
        await again.stop()

    assert telegram.state.webhook_secret == first
    assert bot.lines == ["/find"]


async def test_updates_wait_while_telegram_could_not_be_told(
    telegram: TelegramServer, quiet_front_end: TelegramFrontEnd, anna: Person, bot: FakeBot
) -> None:
    telegram.misbehave("setWebhook", Fault.broken(502))
    async with reachable(quiet_front_end, telegram):
        await quiet_front_end.start()
        await anna.say("/find")
        await telegram.until(lambda: anna.chat.answers)
        await quiet_front_end.stop()

    assert bot.lines == ["/find"]


async def test_an_address_that_telegram_does_not_take_is_one_clear_error(
    telegram: TelegramServer, quiet_front_end: TelegramFrontEnd
) -> None:
    telegram.misbehave("setWebhook", Fault(bad_request("bad webhook: Failed to resolve host")))

    with pytest.raises(SettingsError, match=r"^TELEGRAM_WEBHOOK_URL: .*resolve host"):
        await quiet_front_end.start()

    await quiet_front_end.stop()


async def test_neither_token_nor_secret_is_in_a_log_line(
    telegram: TelegramServer,
    telegram_front_end: TelegramFrontEnd,
    anna: Person,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    await anna.say("/find")
    await telegram.until(lambda: anna.chat.answers)

    assert telegram.state.webhook_secret not in caplog.text
    assert telegram.token not in caplog.text
