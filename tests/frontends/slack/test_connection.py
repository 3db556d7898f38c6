"""The connection: what is checked before it, what heals it, and how it ends."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from aiohttp.test_utils import unused_port

from clearml_chatops.bot.frontends.slack import SlackAccess, SlackFrontEnd, Timing
from clearml_chatops.models.errors import SettingsError
from clearml_chatops.models.replies import Reply
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import (
    RememberedCards,
    SlowBot,
    access_to,
    both_ways,
    connected,
    first,
    front_end_for,
)
from tests.support.slack import Envelope, Person, SlackServer
from tests.support.slack.server import APP_TOKEN, BOT_TOKEN
from tests.support.waiting import until


async def test_a_wrong_bot_token_stops_with_one_line(
    slack: SlackServer, bot: FakeBot, cards: RememberedCards
) -> None:
    with pytest.raises(SettingsError, match=r"^SLACK_BOT_TOKEN: Slack does not accept it \(invalid_auth\)"):
        await front_end_for(slack, bot, cards, access=replace(access_to(slack), bot_token="xoxb-wrong")).start()


@pytest.mark.parametrize(
    ("token", "word"), [("xapp-wrong", "invalid_auth"), ("xoxb-0001", "not_allowed_token_type")]
)
async def test_a_wrong_app_token_stops_with_one_line(
    slack: SlackServer, bot: FakeBot, cards: RememberedCards, token: str, word: str
) -> None:
    with pytest.raises(SettingsError, match=rf"^SLACK_APP_TOKEN: Slack does not accept it \({word}\)"):
        await front_end_for(slack, bot, cards, access=replace(access_to(slack), app_token=token)).start()


@both_ways
async def test_missing_scopes_are_named(slack: SlackServer, bot: FakeBot, cards: RememberedCards) -> None:
    slack.api.scopes -= {"files:write", "users:read"}
    with pytest.raises(
        SettingsError, match=r"^SLACK_BOT_TOKEN: the app lacks the scopes files:write, users:read;"
    ):
        await front_end_for(slack, bot, cards).start()


async def test_slack_out_of_order_at_boot_is_waited_out(
    slack: SlackServer, bot: FakeBot, cards: RememberedCards, anna: Person
) -> None:
    slack.api.mood.out_of_order = True
    async with connected(slack, bot, cards):
        slack.api.mood.out_of_order = False
        await anna.direct_message("queue")
        await until(lambda: bot.lines == ["queue"])


async def test_slack_unreachable_at_boot_stops_nothing(bot: FakeBot, cards: RememberedCards) -> None:
    port = unused_port()
    server = SlackServer(port=port)
    access = SlackAccess(BOT_TOKEN, APP_TOKEN, api_url=f"http://127.0.0.1:{port}/api/")
    async with connected(server, bot, cards, access=access), server:
        await server.sockets.wait_for_connection()


async def test_settings_found_wrong_only_later_are_told_in_the_log(
    slack: SlackServer, bot: FakeBot, cards: RememberedCards, caplog: pytest.LogCaptureFixture
) -> None:
    slack.api.mood.out_of_order = True
    async with connected(slack, bot, cards, access=replace(access_to(slack), bot_token="xoxb-wrong")):
        slack.api.mood.out_of_order = False
        await until(lambda: "Slack is left out: SLACK_BOT_TOKEN" in caplog.text)


@pytest.mark.parametrize("manner", ["close", "cut", "ask_to_reconnect"])
async def test_after_the_connection_is_gone_everything_is_heard_again(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str, manner: str
) -> None:
    await slack.sockets.wait_for_connection()
    match manner:
        case "close":
            await slack.sockets.close()
        case "cut":
            slack.sockets.cut()
        case _:
            await slack.sockets.ask_to_reconnect()
    await until(lambda: slack.sockets.opened == 2)
    await anna.slash("/find", "x", lab)
    await until(lambda: bot.lines == ["/find x"])
    await until(lambda: len(slack.whispered(anna)) == 1)


async def test_a_dead_address_is_not_tried_for_ever(
    slack: SlackServer, bot: FakeBot, cards: RememberedCards, anna: Person
) -> None:
    slack.sockets.dead_addresses = 1
    async with connected(slack, bot, cards):
        await anna.direct_message("queue")
        await until(lambda: bot.lines == ["queue"])
    assert slack.sockets.refused_tickets > 0
    assert slack.sockets.opened == 1


async def test_a_dead_address_after_a_drop_heals_too(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person
) -> None:
    await slack.sockets.wait_for_connection()
    slack.sockets.dead_addresses = 1
    await slack.sockets.close()
    await anna.direct_message("queue")
    await until(lambda: bot.lines == ["queue"])


async def test_what_slack_delivers_again_is_acknowledged_and_not_done_again(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    command = await anna.slash("/clone", "x", lab)
    message = await anna.direct_message("clone x")
    await until(lambda: len(bot.heard) == 2)
    for envelope in (command, message):
        await slack.sockets.send_again(envelope, retry_attempt=1, retry_reason="timeout")
        again = await slack.redeliver(envelope, attempt=2)
        await again.acknowledged.wait()
        await until(partial(_is_acknowledged_twice, envelope))
    await anna.direct_message("queue")
    await until(lambda: bot.lines[-1] == "queue")
    assert len(bot.heard) == 3


def _is_acknowledged_twice(envelope: Envelope) -> bool:
    return envelope.acks == 2


async def test_no_secret_is_in_the_logs(
    slack: SlackServer,
    bot: FakeBot,
    cards: RememberedCards,
    anna: Person,
    lab: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    slack.sockets.dead_addresses = 1
    async with connected(slack, bot, cards):
        await anna.slash("/clone", "my secret name", lab)
        await first(lambda: slack.whispered(anna))
        await slack.sockets.close()
        await until(lambda: slack.sockets.opened == 2)
    assert "Failed to connect" in caplog.text
    for secret in (BOT_TOKEN, APP_TOKEN, "ticket=ticket", "/response/response", "my secret name"):
        assert secret not in caplog.text


async def test_a_command_under_way_when_the_program_ends_is_answered(
    slack: SlackServer, cards: RememberedCards, anna: Person, lab: str
) -> None:
    bot = SlowBot({"/clone x": Reply.of("Cloned.")})
    front_end = front_end_for(slack, bot, cards)
    await front_end.start()
    envelope = await anna.slash("/clone", "x", lab)
    await until(lambda: bot.heard)
    ending = asyncio.create_task(front_end.stop())
    await until(lambda: not slack.sockets.connections)
    bot.may_answer.set()
    await ending
    assert [message.shown for message in slack.whispered(anna)] == ["Cloned."]
    assert envelope.acks == 1


@both_ways
async def test_a_command_that_takes_longer_than_the_end_is_told_so(
    slack: SlackServer, cards: RememberedCards, anna: Person, lab: str
) -> None:
    bot = SlowBot()
    async with connected(slack, bot, cards, timing=Timing(wait_at_the_end=timedelta(0))):
        await anna.slash("/wait", "", lab)
        await anna.mention(lab, "wait")
        await until(lambda: len(bot.heard) == 2)
    assert "being stopped" in slack.whispered(anna)[0].shown
    assert "being stopped" in slack.posted(lab)[0].shown


async def test_stopping_what_never_reached_slack_is_quick(
    bot: FakeBot, cards: RememberedCards, slack: SlackServer
) -> None:
    slack.api.mood.out_of_order = True
    front_end = front_end_for(slack, bot, cards)
    await front_end.start()
    await front_end.stop()
