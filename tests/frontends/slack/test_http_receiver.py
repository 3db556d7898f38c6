"""HTTP mode: signed requests are handled, unsigned ones refused, acknowledged ones answered.

The tests of commands, mentions, buttons and messages run over both transports (`over_both_transports`).
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp.test_utils import unused_port

from clearml_chatops.bot.frontends.slack import SlackCredentials, SlackFrontEnd, Timing
from clearml_chatops.bot.frontends.slack.http_receiver import REQUEST_PATH, HttpReceiver
from clearml_chatops.bot.web_server import run_web_server
from clearml_chatops.models.errors import SettingsError
from clearml_chatops.models.replies import Reply
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import (
    FakeCards,
    SlowBot,
    build_credentials,
    build_front_end,
    connect_front_end,
    wait_for_first,
)
from tests.support.polling import wait_until
from tests.support.slack import Person, SlackServer
from tests.support.slack.http_events import SIGNING_SECRET, build_signature_headers, encode_body
from tests.support.slack.server import APP_TOKEN, BOT_TOKEN


@pytest.fixture
def by_http() -> bool:
    return True


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


def _encode_message(slack: SlackServer, person: Person) -> bytes:
    event = {"type": "message", "user": person.id, "text": "queue", "ts": "1.1", "channel_type": "im"}
    event["channel"] = person.direct_channel
    body, _ = encode_body("events_api", {"type": "event_callback", "event_id": "Ev1", "event": event})
    return body


async def _post(
    slack: SlackServer, session: aiohttp.ClientSession, body: bytes, headers: dict[str, str]
) -> tuple[int, str]:
    headers = {"Content-Type": "application/json", **headers}
    async with session.post(slack.http_events.request_url, data=body, headers=headers) as response:
        return response.status, await response.text()


async def test_no_app_token_is_needed_and_none_is_used(slack: SlackServer, front_end: SlackFrontEnd) -> None:
    assert [(route.method, route.path) for route in front_end.routes] == [("POST", "/slack/events")]
    assert {call.method for call in slack.api.calls} == {"auth.test"}


async def test_with_an_app_token_there_are_no_routes(slack: SlackServer, bot: FakeBot, cards: FakeCards) -> None:
    credentials = SlackCredentials(BOT_TOKEN, APP_TOKEN, SIGNING_SECRET, slack.api_url)
    assert list(build_front_end(slack, bot, cards, credentials=credentials).routes) == []


async def test_blank_secret_is_reported(slack: SlackServer, bot: FakeBot, cards: FakeCards) -> None:
    with pytest.raises(SettingsError, match=r"^SLACK_SIGNING_SECRET: blank"):
        build_front_end(slack, bot, cards, credentials=replace(build_credentials(slack), signing_secret=" \n"))


async def test_request_url_is_verified(
    slack: SlackServer, front_end: SlackFrontEnd, session: aiohttp.ClientSession
) -> None:
    assert await slack.http_events.verify()
    body = json.dumps({"type": "url_verification", "token": "x", "challenge": "3eZbrw1a"}).encode()
    assert (await _post(slack, session, body, build_signature_headers(body, secret="other")))[0] == 401


def _build_bad_headers(body: bytes) -> dict[str, dict[str, str]]:
    """Return headers that don't prove a body's origin, by what is wrong with them."""
    right, now = build_signature_headers(body), datetime.now(UTC)
    return {
        "none": {},
        "no signature": {**right, "X-Slack-Signature": ""},
        "signature is not text": {**right, "X-Slack-Signature": "v0=ä"},
        "no timestamp": {**right, "X-Slack-Request-Timestamp": ""},
        "timestamp is not a number": {**right, "X-Slack-Request-Timestamp": "yesterday"},
        "timestamp out of range": {**right, "X-Slack-Request-Timestamp": "9" * 5000},
        "another body": build_signature_headers(b"{}"),
        "another secret": build_signature_headers(body, secret="other"),
        "too old": build_signature_headers(body, signed_at=now - timedelta(minutes=6)),
        "from the future": build_signature_headers(body, signed_at=now + timedelta(minutes=6)),
    }


@pytest.mark.parametrize("defect", sorted(_build_bad_headers(b"")))
async def test_unsigned_request_is_refused(
    slack: SlackServer,
    front_end: SlackFrontEnd,
    bot: FakeBot,
    anna: Person,
    session: aiohttp.ClientSession,
    caplog: pytest.LogCaptureFixture,
    defect: str,
) -> None:
    body = _encode_message(slack, anna)
    for _ in range(2):
        assert await _post(slack, session, body, _build_bad_headers(body)[defect]) == (401, "")
    assert (await _post(slack, session, body, build_signature_headers(body)))[0] == 200
    await wait_until(lambda: bot.lines == ["queue"])
    assert caplog.text.count("isn't signed with SLACK_SIGNING_SECRET") == 1
    assert "queue" not in caplog.text


async def test_body_that_is_not_text_is_refused(
    slack: SlackServer, front_end: SlackFrontEnd, session: aiohttp.ClientSession
) -> None:
    assert (await _post(slack, session, b"\xff\xfe", build_signature_headers(b"\xff\xfe")))[0] == 401


async def test_oversized_body_is_refused(
    slack: SlackServer, front_end: SlackFrontEnd, session: aiohttp.ClientSession
) -> None:
    body = b" " * (2**20 + 1)
    assert (await _post(slack, session, body, build_signature_headers(body)))[0] == 413


@pytest.mark.parametrize(("seconds", "status"), [(300, 503), (301, 401)])
async def test_signature_expires_after_five_minutes(
    session: aiohttp.ClientSession, seconds: int, status: int
) -> None:
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    receiver = HttpReceiver(SIGNING_SECRET, clock=lambda: noon)
    port, headers = unused_port(), build_signature_headers(b"{}", signed_at=noon - timedelta(seconds=seconds))
    async with (
        run_web_server(receiver.routes, host="127.0.0.1", port=port),
        session.post(f"http://127.0.0.1:{port}{REQUEST_PATH}", data=b"{}", headers=headers) as response,
    ):
        assert response.status == status


async def test_other_methods_and_paths_are_refused(
    slack: SlackServer, front_end: SlackFrontEnd, session: aiohttp.ClientSession
) -> None:
    async with session.get(slack.http_events.request_url) as response:
        assert response.status == 405
    async with session.post(slack.http_events.request_url.replace("events", "other")) as response:
        assert response.status == 404


async def test_redelivery_is_acknowledged_and_not_run_again(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    command = await anna.send_slash_command("/clone", "x", lab)
    message = await anna.send_direct_message("clone x")
    await wait_until(lambda: len(bot.messages) == 2)
    again = [await slack.redeliver(envelope, attempt) for envelope in (command, message) for attempt in (1, 2, 3)]
    for envelope in again:
        await envelope.acknowledged.wait()
    await anna.send_direct_message("queue")
    await wait_until(lambda: bot.lines[-1] == "queue")
    assert len(bot.messages) == 3


async def test_request_before_connection_is_run_at_redelivery(
    slack: SlackServer, bot: FakeBot, cards: FakeCards, anna: Person
) -> None:
    slack.api.faults.is_unavailable = True
    async with connect_front_end(slack, bot, cards):
        message = await anna.send_direct_message("queue")
        await wait_until(lambda: message.statuses)
        assert (message.statuses, bot.messages) == ([503], [])
        slack.api.faults.is_unavailable = False

        async def is_accepted() -> bool:
            again = await slack.redeliver(message)
            await wait_until(lambda: again.statuses)
            return again.acks == 1

        await wait_until(is_accepted)
        await wait_until(lambda: bot.lines == ["queue"])


async def test_acknowledgement_does_not_wait_for_command(
    slack: SlackServer, cards: FakeCards, anna: Person, lab: str
) -> None:
    bot = SlowBot({"/find": Reply.of("Found.")})
    async with connect_front_end(slack, bot, cards):
        envelope = await anna.send_slash_command("/find", "", lab)
        await envelope.acknowledged.wait()
        assert envelope.ack_payload is None
        assert slack.list_ephemeral_messages(anna) == []
        bot.may_answer.set()
        assert (await wait_for_first(lambda: slack.list_ephemeral_messages(anna))).visible_text == "Found."
    assert slack.timed_out == []


async def test_shutdown_answers_acknowledged_requests_and_refuses_new_ones(
    slack: SlackServer, cards: FakeCards, anna: Person, lab: str
) -> None:
    bot = SlowBot({"/clone x": Reply.of("Cloned.")})
    async with connect_front_end(slack, bot, cards) as front_end:
        envelope = await anna.send_slash_command("/clone", "x", lab)
        await wait_until(lambda: bot.messages)
        stop_task = asyncio.create_task(front_end.stop())
        await asyncio.sleep(0)
        late = await anna.send_direct_message("queue")
        await wait_until(lambda: late.statuses)
        assert late.statuses == [503]
        bot.may_answer.set()
        await stop_task
    assert [message.visible_text for message in slack.list_ephemeral_messages(anna)] == ["Cloned."]
    assert envelope.acks == 1
    assert bot.lines == ["/clone x"]


async def test_endless_body_does_not_block_shutdown(slack: SlackServer, bot: FakeBot, cards: FakeCards) -> None:
    async with connect_front_end(slack, bot, cards, timing=Timing(shutdown_timeout=timedelta(0))):
        port = int(slack.http_events.request_url.split(":")[2].split("/")[0])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nContent-Length: 100\r\n\r\n{")
        assert b" 408 " in await reader.readline()
        writer.close()
