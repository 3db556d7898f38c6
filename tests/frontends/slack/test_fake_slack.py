"""The fake workspace refuses what Slack refuses, or the other tests would prove nothing."""

import json
from typing import Any

import aiohttp
import pytest

from tests.support.slack import SlackServer
from tests.support.slack.server import APP_TOKEN, BOT_TOKEN


def _build_text(length: int, kind: str = "plain_text") -> dict[str, Any]:
    return {"type": kind, "text": "x" * length}


def _build_button(number: int = 0, label: int = 1, value: int = 1) -> dict[str, Any]:
    return {"type": "button", "text": _build_text(label), "value": "v" * value, "action_id": f"a{number}"}


async def _call(slack: SlackServer, method: str, token: str = BOT_TOKEN, **arguments: Any) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{slack.api_url}{method}", json=arguments) as response,
    ):
        answer: dict[str, Any] = await response.json()
        return answer


@pytest.mark.parametrize(
    ("blocks", "code"),
    [
        ([{"type": "section", "text": _build_text(3001)}], "invalid_blocks"),
        ([{"type": "section", "text": _build_text(0)}], "invalid_blocks"),
        ([{"type": "section", "fields": [_build_text(1)] * 11}], "invalid_blocks"),
        ([{"type": "section", "fields": [_build_text(2001)]}], "invalid_blocks"),
        ([{"type": "header", "text": _build_text(151)}], "invalid_blocks"),
        ([{"type": "header", "text": _build_text(1, "mrkdwn")}], "invalid_blocks"),
        ([{"type": "actions", "elements": [_build_button(number) for number in range(26)]}], "invalid_blocks"),
        ([{"type": "actions", "elements": [_build_button(label=76)]}], "invalid_blocks"),
        ([{"type": "actions", "elements": [_build_button(value=2001)]}], "invalid_blocks"),
        ([{"type": "actions", "elements": [_build_button(), _build_button()]}], "invalid_blocks"),
        ([{"type": "divider"}] * 51, "invalid_blocks"),
        ([{"type": "section", "text": _build_text(2999)}] * 5, "msg_blocks_too_long"),
        ([{"type": "table"}], "invalid_blocks"),
        ([], "no_text"),
    ],
)
async def test_blocks_over_a_limit_are_refused(slack: SlackServer, lab: str, blocks: list[Any], code: str) -> None:
    assert (await _call(slack, "chat.postMessage", channel=lab, blocks=blocks))["error"] == code


async def test_a_text_over_the_limit_is_refused(slack: SlackServer, lab: str) -> None:
    assert (await _call(slack, "chat.postMessage", channel=lab, text="x" * 40_001))["error"] == "msg_too_long"


async def test_tokens_and_scopes_are_checked(slack: SlackServer, lab: str) -> None:
    assert (await _call(slack, "auth.test", "xoxb-other"))["error"] == "invalid_auth"
    assert (await _call(slack, "auth.test", APP_TOKEN))["error"] == "invalid_auth"
    assert (await _call(slack, "apps.connections.open"))["error"] == "not_allowed_token_type"
    slack.api.scopes.remove("chat:write")
    refused = await _call(slack, "chat.postMessage", channel=lab, text="x")
    assert (refused["error"], refused["needed"]) == ("missing_scope", "chat:write")


async def test_a_broadcast_and_a_wrong_method_are_noticed() -> None:
    async with SlackServer() as slack:
        lab = slack.add_channel("lab")
        await _call(slack, "chat.postMessage", channel=lab, text="<!channel> hello")
        assert slack.workspace.broadcasts == ["<!channel>"]
        assert (await _call(slack, "chat.scheduleMessage"))["error"] == "unknown_method"
        assert slack.api.unknown_methods == ["chat.scheduleMessage"]


async def test_an_acknowledgement_after_three_seconds_is_late() -> None:
    now = [0.0]
    async with SlackServer(clock=lambda: now[0]) as slack:
        anna, lab = slack.add_person("anna"), slack.add_channel("lab")
        opened = await _call(slack, "apps.connections.open", APP_TOKEN)
        async with aiohttp.ClientSession() as session, session.ws_connect(opened["url"]) as socket:
            assert (await socket.receive_json())["type"] == "hello"
            envelope = await anna.send_slash_command("/find", "x", lab)
            received = await socket.receive_json()
            now[0] = 3.1
            await socket.send_json({"envelope_id": received["envelope_id"]})
            await envelope.acknowledged.wait()
            assert slack.timed_out == [envelope]
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await session.ws_connect(opened["url"])


async def test_response_url_allows_five_uses_within_thirty_minutes() -> None:
    now = [0.0]
    async with SlackServer(clock=lambda: now[0]) as slack, aiohttp.ClientSession() as session:
        anna, lab = slack.add_person("anna"), slack.add_channel("lab")
        response_url = f"{slack.url}/response/{slack.workspace.create_response_url(lab, anna.id).token}"
        for expected in [200] * 5 + [404]:
            async with session.post(response_url, json={"text": "x"}) as response:
                assert response.status == expected
        expired_url = f"{slack.url}/response/{slack.workspace.create_response_url(lab, anna.id).token}"
        now[0] = 1801
        async with session.post(expired_url, json={"text": "x"}) as response:
            assert await response.text() == "expired_url"
        assert len(slack.list_ephemeral_messages(anna)) == 5


async def test_an_upload_needs_a_length_its_bytes_and_a_short_description(slack: SlackServer, lab: str) -> None:
    step, last = "files.getUploadURLExternal", "files.completeUploadExternal"
    assert (await _call(slack, step, filename="a.png", length=0))["error"] == "missing_argument"
    described = await _call(slack, step, filename="a.png", length=3, alt_txt="x" * 1001)
    assert described["error"] == "alt_txt_too_large"
    upload = await _call(slack, step, filename="a.png", length=3)
    files = json.dumps([{"id": upload["file_id"]}])
    assert (await _call(slack, last, channel_id=lab, files=files))["error"] == "file_not_found"
    async with aiohttp.ClientSession() as session:
        for content, status in ((b"\x89P", 400), (b"\x89PN", 200)):
            async with session.post(upload["upload_url"], data=content) as response:
                assert response.status == status
    assert (await _call(slack, last, channel_id=lab, files=files))["ok"]
    assert (await _call(slack, last, channel_id=lab, files=files))["error"] == "file_not_found"
    assert slack.list_posted_messages(lab)[0].files[0].content == b"\x89PN"
