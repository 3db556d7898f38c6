"""Socket Mode: startup checks, reconnecting and shutdown."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from aiohttp.test_utils import unused_port

from clearml_chatops.bot.frontends.slack import SlackCredentials, SlackFrontEnd, Timing
from clearml_chatops.models.errors import SettingsError
from clearml_chatops.models.replies import Reply
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import (
    FakeCards,
    SlowBot,
    build_credentials,
    build_front_end,
    connect_front_end,
    over_both_transports,
    wait_for_first,
)
from tests.support.polling import wait_until
from tests.support.slack import Envelope, Person, SlackServer
from tests.support.slack.server import APP_TOKEN, BOT_TOKEN


async def test_wrong_bot_token_is_reported(slack: SlackServer, bot: FakeBot, cards: FakeCards) -> None:
    with pytest.raises(SettingsError, match=r"^SLACK_BOT_TOKEN: Slack doesn't accept it \(invalid_auth\)"):
        await build_front_end(
            slack, bot, cards, credentials=replace(build_credentials(slack), bot_token="xoxb-wrong")
        ).start()


@pytest.mark.parametrize(
    ("token", "error_code"), [("xapp-wrong", "invalid_auth"), ("xoxb-0001", "not_allowed_token_type")]
)
async def test_wrong_app_token_is_reported(
    slack: SlackServer, bot: FakeBot, cards: FakeCards, token: str, error_code: str
) -> None:
    credentials = replace(build_credentials(slack), app_token=token)
    with pytest.raises(SettingsError, match=rf"^SLACK_APP_TOKEN: Slack doesn't accept it \({error_code}\)"):
        await build_front_end(slack, bot, cards, credentials=credentials).start()


@over_both_transports
async def test_missing_scopes_are_named(slack: SlackServer, bot: FakeBot, cards: FakeCards) -> None:
    slack.api.scopes -= {"files:write", "users:read"}
    with pytest.raises(
        SettingsError, match=r"^SLACK_BOT_TOKEN: the app lacks the scopes files:write, users:read\."
    ):
        await build_front_end(slack, bot, cards).start()


async def test_unavailable_slack_at_startup_is_retried(
    slack: SlackServer, bot: FakeBot, cards: FakeCards, anna: Person
) -> None:
    slack.api.faults.is_unavailable = True
    async with connect_front_end(slack, bot, cards):
        slack.api.faults.is_unavailable = False
        await anna.send_direct_message("queue")
        await wait_until(lambda: bot.lines == ["queue"])


async def test_unreachable_slack_at_startup_is_retried(bot: FakeBot, cards: FakeCards) -> None:
    port = unused_port()
    server = SlackServer(port=port)
    credentials = SlackCredentials(BOT_TOKEN, APP_TOKEN, api_url=f"http://127.0.0.1:{port}/api/")
    async with connect_front_end(server, bot, cards, credentials=credentials), server:
        await server.socket_mode.wait_for_connection()


async def test_wrong_settings_found_later_are_logged(
    slack: SlackServer, bot: FakeBot, cards: FakeCards, caplog: pytest.LogCaptureFixture
) -> None:
    slack.api.faults.is_unavailable = True
    async with connect_front_end(
        slack, bot, cards, credentials=replace(build_credentials(slack), bot_token="xoxb-wrong")
    ):
        slack.api.faults.is_unavailable = False
        await wait_until(lambda: "Slack stays disconnected: SLACK_BOT_TOKEN" in caplog.text)


@pytest.mark.parametrize("loss", ["close", "drop", "ask_to_reconnect"])
async def test_lost_connection_is_reopened(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str, loss: str
) -> None:
    await slack.socket_mode.wait_for_connection()
    match loss:
        case "close":
            await slack.socket_mode.close()
        case "drop":
            slack.socket_mode.drop_connections()
        case _:
            await slack.socket_mode.request_reconnect()
    await wait_until(lambda: slack.socket_mode.opened_count == 2)
    await anna.send_slash_command("/find", "x", lab)
    await wait_until(lambda: bot.lines == ["/find x"])
    await wait_until(lambda: len(slack.list_ephemeral_messages(anna)) == 1)


async def test_dead_url_is_not_retried_forever(
    slack: SlackServer, bot: FakeBot, cards: FakeCards, anna: Person
) -> None:
    slack.socket_mode.dead_url_count = 1
    async with connect_front_end(slack, bot, cards):
        await anna.send_direct_message("queue")
        await wait_until(lambda: bot.lines == ["queue"])
    assert slack.socket_mode.refused_ticket_count > 0
    assert slack.socket_mode.opened_count == 1


async def test_dead_url_after_drop_is_replaced(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person
) -> None:
    await slack.socket_mode.wait_for_connection()
    slack.socket_mode.dead_url_count = 1
    await slack.socket_mode.close()
    await anna.send_direct_message("queue")
    await wait_until(lambda: bot.lines == ["queue"])


async def test_redelivery_is_acknowledged_and_not_run_again(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    command = await anna.send_slash_command("/clone", "x", lab)
    message = await anna.send_direct_message("clone x")
    await wait_until(lambda: len(bot.messages) == 2)
    for envelope in (command, message):
        await slack.socket_mode.resend(envelope, retry_attempt=1, retry_reason="timeout")
        again = await slack.redeliver(envelope, attempt=2)
        await again.acknowledged.wait()
        await wait_until(partial(_is_acknowledged_twice, envelope))
    await anna.send_direct_message("queue")
    await wait_until(lambda: bot.lines[-1] == "queue")
    assert len(bot.messages) == 3


def _is_acknowledged_twice(envelope: Envelope) -> bool:
    return envelope.acks == 2


async def test_no_secret_is_in_the_logs(
    slack: SlackServer,
    bot: FakeBot,
    cards: FakeCards,
    anna: Person,
    lab: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    slack.socket_mode.dead_url_count = 1
    async with connect_front_end(slack, bot, cards):
        await anna.send_slash_command("/clone", "my secret name", lab)
        await wait_for_first(lambda: slack.list_ephemeral_messages(anna))
        await slack.socket_mode.close()
        await wait_until(lambda: slack.socket_mode.opened_count == 2)
    assert "Failed to connect" in caplog.text
    for secret in (BOT_TOKEN, APP_TOKEN, "ticket=ticket", "/response/response", "my secret name"):
        assert secret not in caplog.text


async def test_running_command_is_answered_at_shutdown(
    slack: SlackServer, cards: FakeCards, anna: Person, lab: str
) -> None:
    bot = SlowBot({"/clone x": Reply.of("Cloned.")})
    front_end = build_front_end(slack, bot, cards)
    await front_end.start()
    envelope = await anna.send_slash_command("/clone", "x", lab)
    await wait_until(lambda: bot.messages)
    stop_task = asyncio.create_task(front_end.stop())
    await wait_until(lambda: not slack.socket_mode.connections)
    bot.may_answer.set()
    await stop_task
    assert [message.visible_text for message in slack.list_ephemeral_messages(anna)] == ["Cloned."]
    assert envelope.acks == 1


@over_both_transports
async def test_command_that_outlasts_shutdown_gets_stopped_reply(
    slack: SlackServer, cards: FakeCards, anna: Person, lab: str
) -> None:
    bot, boris = SlowBot(), slack.add_person("boris")
    async with connect_front_end(slack, bot, cards, timing=Timing(shutdown_timeout=timedelta(0))):
        await anna.send_slash_command("/wait", "", lab)
        waiting_for_its_turn = await anna.send_slash_command("/next", "", lab)
        await boris.mention_bot(lab, "wait")
        await wait_until(lambda: len(bot.messages) == 2 and waiting_for_its_turn.acks)
    assert sorted(bot.lines) == ["/wait", "wait"]
    answers = [*slack.list_ephemeral_messages(anna), *slack.list_posted_messages(lab)]
    assert len(answers) == 3
    assert all("stopped before" in answer.visible_text for answer in answers)


async def test_stop_before_first_connection_is_quick(bot: FakeBot, cards: FakeCards, slack: SlackServer) -> None:
    slack.api.faults.is_unavailable = True
    front_end = build_front_end(slack, bot, cards)
    await front_end.start()
    await front_end.stop()
