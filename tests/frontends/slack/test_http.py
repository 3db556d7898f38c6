"""HTTP mode: what is signed is heard, what is not does nothing, and all that was acknowledged is answered.

That commands, mentions, buttons and messages work as by Socket Mode, the tests of those show, over both ways.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp.test_utils import unused_port

from clearml_chatops.bot.frontends.slack import SlackAccess, SlackFrontEnd, Timing
from clearml_chatops.bot.frontends.slack.signed_requests import PATH, SignedRequests
from clearml_chatops.bot.web_server import serving
from clearml_chatops.models.errors import SettingsError
from clearml_chatops.models.replies import Reply
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import RememberedCards, SlowBot, access_to, connected, first, front_end_for
from tests.support.slack import Person, SlackServer
from tests.support.slack.http_events import SIGNING_SECRET, encoded, signed
from tests.support.slack.server import APP_TOKEN, BOT_TOKEN
from tests.support.waiting import until


@pytest.fixture
def by_http() -> bool:
    return True


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


def _message(slack: SlackServer, person: Person) -> bytes:
    event = {"type": "message", "user": person.id, "text": "queue", "ts": "1.1", "channel_type": "im"}
    event["channel"] = person.direct_channel
    body, _ = encoded("events_api", {"type": "event_callback", "event_id": "Ev1", "event": event})
    return body


async def _posted(
    slack: SlackServer, session: aiohttp.ClientSession, body: bytes, headers: dict[str, str]
) -> tuple[int, str]:
    headers = {"Content-Type": "application/json", **headers}
    async with session.post(slack.http_events.address, data=body, headers=headers) as response:
        return response.status, await response.text()


async def test_no_app_token_is_needed_and_none_is_used(slack: SlackServer, front_end: SlackFrontEnd) -> None:
    assert [(route.method, route.path) for route in front_end.routes] == [("POST", "/slack/events")]
    assert {call.method for call in slack.api.calls} == {"auth.test"}


async def test_with_an_app_token_there_are_no_routes(
    slack: SlackServer, bot: FakeBot, cards: RememberedCards
) -> None:
    access = SlackAccess(BOT_TOKEN, APP_TOKEN, SIGNING_SECRET, slack.api_url)
    assert list(front_end_for(slack, bot, cards, access=access).routes) == []


async def test_a_blank_secret_is_named(slack: SlackServer, bot: FakeBot, cards: RememberedCards) -> None:
    with pytest.raises(SettingsError, match=r"^SLACK_SIGNING_SECRET: blank"):
        front_end_for(slack, bot, cards, access=replace(access_to(slack), signing_secret=" \n"))


async def test_the_address_is_verified(
    slack: SlackServer, front_end: SlackFrontEnd, session: aiohttp.ClientSession
) -> None:
    assert await slack.http_events.verify()
    body = json.dumps({"type": "url_verification", "token": "x", "challenge": "3eZbrw1a"}).encode()
    assert (await _posted(slack, session, body, signed(body, secret="other")))[0] == 401


def _not_signed(body: bytes) -> dict[str, dict[str, str]]:
    """Headers that prove nothing of a body, and what is wrong with them."""
    right, now = signed(body), datetime.now(UTC)
    return {
        "none": {},
        "no signature": {**right, "X-Slack-Signature": ""},
        "a signature that is no text": {**right, "X-Slack-Signature": "v0=ä"},
        "no time": {**right, "X-Slack-Request-Timestamp": ""},
        "a time that is no number": {**right, "X-Slack-Request-Timestamp": "yesterday"},
        "a time that is no time": {**right, "X-Slack-Request-Timestamp": "9" * 5000},
        "another body": signed(b"{}"),
        "another secret": signed(body, secret="other"),
        "too old": signed(body, at=now - timedelta(minutes=6)),
        "from the future": signed(body, at=now + timedelta(minutes=6)),
    }


@pytest.mark.parametrize("wrong", sorted(_not_signed(b"")))
async def test_what_slack_did_not_just_sign_is_refused_and_nothing_happens(  # all of them fixtures
    slack: SlackServer,
    front_end: SlackFrontEnd,
    bot: FakeBot,
    anna: Person,
    session: aiohttp.ClientSession,
    caplog: pytest.LogCaptureFixture,
    wrong: str,
) -> None:
    body = _message(slack, anna)
    for _ in range(2):
        assert await _posted(slack, session, body, _not_signed(body)[wrong]) == (401, "")
    assert (await _posted(slack, session, body, signed(body)))[0] == 200
    await until(lambda: bot.lines == ["queue"])
    assert caplog.text.count("not signed with SLACK_SIGNING_SECRET") == 1
    assert "queue" not in caplog.text


async def test_a_body_that_is_no_text_is_refused(
    slack: SlackServer, front_end: SlackFrontEnd, session: aiohttp.ClientSession
) -> None:
    assert (await _posted(slack, session, b"\xff\xfe", signed(b"\xff\xfe")))[0] == 401


async def test_a_body_of_any_size_is_not_read(
    slack: SlackServer, front_end: SlackFrontEnd, session: aiohttp.ClientSession
) -> None:
    body = b" " * (2**20 + 1)
    assert (await _posted(slack, session, body, signed(body)))[0] == 413


@pytest.mark.parametrize(("seconds", "status"), [(300, 503), (301, 401)])
async def test_five_minutes_are_by_the_clock(session: aiohttp.ClientSession, seconds: int, status: int) -> None:
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    requests = SignedRequests(SIGNING_SECRET, clock=lambda: noon)
    port, headers = unused_port(), signed(b"{}", at=noon - timedelta(seconds=seconds))
    async with (
        serving(requests.routes, host="127.0.0.1", port=port),
        session.post(f"http://127.0.0.1:{port}{PATH}", data=b"{}", headers=headers) as response,
    ):
        assert response.status == status


async def test_another_way_in_there_is_none(
    slack: SlackServer, front_end: SlackFrontEnd, session: aiohttp.ClientSession
) -> None:
    async with session.get(slack.http_events.address) as response:
        assert response.status == 405
    async with session.post(slack.http_events.address.replace("events", "other")) as response:
        assert response.status == 404


async def test_what_slack_sends_again_is_acknowledged_and_not_done_again(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    command = await anna.slash("/clone", "x", lab)
    message = await anna.direct_message("clone x")
    await until(lambda: len(bot.heard) == 2)
    again = [await slack.redeliver(envelope, attempt) for envelope in (command, message) for attempt in (1, 2, 3)]
    for envelope in again:
        await envelope.acknowledged.wait()
    await anna.direct_message("queue")
    await until(lambda: bot.lines[-1] == "queue")
    assert len(bot.heard) == 3


async def test_what_comes_before_slack_can_be_asked_is_done_when_slack_sends_it_again(
    slack: SlackServer, bot: FakeBot, cards: RememberedCards, anna: Person
) -> None:
    slack.api.mood.out_of_order = True
    async with connected(slack, bot, cards):
        message = await anna.direct_message("queue")
        await until(lambda: message.statuses)
        assert (message.statuses, bot.heard) == ([503], [])
        slack.api.mood.out_of_order = False

        async def is_taken() -> bool:
            again = await slack.redeliver(message)
            await until(lambda: again.statuses)
            return again.acks == 1

        await until(is_taken)
        await until(lambda: bot.lines == ["queue"])


async def test_the_acknowledgement_waits_for_no_work(
    slack: SlackServer, cards: RememberedCards, anna: Person, lab: str
) -> None:
    bot = SlowBot({"/find": Reply.of("Found.")})
    async with connected(slack, bot, cards):
        envelope = await anna.slash("/find", "", lab)
        await envelope.acknowledged.wait()
        assert envelope.ack_payload is None
        assert slack.whispered(anna) == []
        bot.may_answer.set()
        assert (await first(lambda: slack.whispered(anna))).shown == "Found."
    assert slack.timed_out == []


async def test_what_was_acknowledged_when_the_program_ends_is_answered_and_nothing_else_is_taken(
    slack: SlackServer, cards: RememberedCards, anna: Person, lab: str
) -> None:
    bot = SlowBot({"/clone x": Reply.of("Cloned.")})
    async with connected(slack, bot, cards) as front_end:
        envelope = await anna.slash("/clone", "x", lab)
        await until(lambda: bot.heard)
        ending = asyncio.create_task(front_end.stop())
        await asyncio.sleep(0)
        late = await anna.direct_message("queue")
        await until(lambda: late.statuses)
        assert late.statuses == [503]
        bot.may_answer.set()
        await ending
    assert [message.shown for message in slack.whispered(anna)] == ["Cloned."]
    assert envelope.acks == 1
    assert bot.lines == ["/clone x"]


async def test_a_body_that_never_ends_does_not_hold_up_the_end(
    slack: SlackServer, bot: FakeBot, cards: RememberedCards
) -> None:
    async with connected(slack, bot, cards, timing=Timing(wait_at_the_end=timedelta(0))):
        port = int(slack.http_events.address.split(":")[2].split("/")[0])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nContent-Length: 100\r\n\r\n{")
        assert b" 408 " in await reader.readline()
        writer.close()
