"""The workspace on this machine refuses the views that Slack refuses, and keeps what is typed as Slack does."""

from typing import Any

import aiohttp
import pytest

from tests.support.slack import SlackServer
from tests.support.slack.server import BOT_TOKEN


def _text(length: int, kind: str = "plain_text") -> dict[str, Any]:
    return {"type": kind, "text": "x" * length}


def _input(block_id: str = "b", label: int = 1, **element: Any) -> dict[str, Any]:
    made = {"type": "plain_text_input", "action_id": "a", **element}
    return {"type": "input", "block_id": block_id, "label": _text(label), "element": made}


def _modal(*blocks: dict[str, Any], **changed: Any) -> dict[str, Any]:
    shown = list(blocks) or [{"type": "section", "text": _text(1)}]
    return {"type": "modal", "title": _text(1), "submit": _text(1), "blocks": shown, **changed}


async def _call(slack: SlackServer, method: str, **arguments: Any) -> dict[str, Any]:
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {BOT_TOKEN}"}) as session,
        session.post(f"{slack.api_url}{method}", json=arguments) as response,
    ):
        answer: dict[str, Any] = await response.json()
        return answer


async def _open(slack: SlackServer, user: str, view: dict[str, Any]) -> dict[str, Any]:
    return await _call(slack, "views.open", trigger_id=slack.views.new_trigger(user), view=view)


_SELECT: dict[str, Any] = {"type": "external_select"}


@pytest.mark.parametrize(
    "view",
    [
        _modal(title=_text(25)),
        _modal(submit=_text(25)),
        _modal(close=_text(25)),
        _modal(title=_text(3, "mrkdwn")),
        _modal(private_metadata="x" * 3001),
        _modal(callback_id="x" * 256),
        _modal(*[{"type": "divider"}] * 101),
        _modal(blocks=[]),
        _modal(_input("b" * 256)),
        _modal(_input("")),
        _modal(_input(), _input()),
        _modal(_input(label=2001)),
        _modal({**_input(), "hint": _text(2001)}),
        _modal(_input(action_id="a" * 256)),
        _modal(_input(initial_value="x" * 3001)),
        _modal(_input(initial_value="")),
        _modal(_input(initial_value="a\nb")),
        _modal(_input(**_SELECT, initial_option={"text": _text(76), "value": "x"})),
        _modal(_input(**_SELECT, initial_option={"text": _text(1), "value": "x" * 151})),
        _modal(_input(type="rich_text_input")),
        {key: value for key, value in _modal(_input()).items() if key != "submit"},
        {key: value for key, value in _modal().items() if key != "title"},
        {**_modal(), "type": "home"},
    ],
)
async def test_a_view_over_a_limit_is_refused(slack: SlackServer, view: dict[str, Any]) -> None:
    anna = slack.person("anna")
    assert (await _open(slack, anna.id, view))["error"] == "invalid_arguments"


async def test_a_view_at_the_limits_is_taken(slack: SlackServer) -> None:
    option = {"text": _text(75), "value": "x" * 150}
    blocks = [
        _input("b" * 255, label=2000, initial_value="x" * 3000),
        _input("c", **_SELECT, initial_option=option),
        *[{"type": "divider"}] * 98,
    ]
    texts = {key: _text(24) for key in ("title", "submit", "close")}
    view = _modal(*blocks, **texts, private_metadata="x" * 3000, callback_id="x" * 255)
    assert (await _open(slack, slack.person("anna").id, view))["ok"]


async def test_a_view_that_is_too_large_is_refused(slack: SlackServer) -> None:
    blocks = [_input(f"b{number}", initial_value="é" * 3000) for number in range(20)]
    assert (await _open(slack, slack.person("anna").id, _modal(*blocks)))["error"] == "view_too_large"


async def test_a_trigger_is_good_for_one_view_within_three_seconds() -> None:
    now = [0.0]
    async with SlackServer(clock=lambda: now[0]) as slack:
        anna = slack.person("anna")
        first, late = slack.views.new_trigger(anna.id), slack.views.new_trigger(anna.id)
        assert (await _call(slack, "views.open", trigger_id=first, view=_modal()))["ok"]
        again = await _call(slack, "views.open", trigger_id=first, view=_modal())
        assert again["error"] == "exchanged_trigger_id"
        now[0] = 3.1
        too_late = await _call(slack, "views.open", trigger_id=late, view=_modal())
        assert too_late["error"] == "expired_trigger_id"
        unknown = await _call(slack, "views.open", trigger_id="1.2.x", view=_modal())
        assert unknown["error"] == "invalid_trigger_id"


async def test_windows_are_three_deep(slack: SlackServer) -> None:
    anna = slack.person("anna")
    for _ in range(3):
        assert (await _open(slack, anna.id, _modal()))["ok"]
    assert (await _open(slack, anna.id, _modal()))["error"] == "push_limit_reached"
    assert anna.window
    anna.window.close()
    assert (await _open(slack, anna.id, _modal()))["ok"]


async def test_a_view_is_changed_only_while_it_is_open_and_has_the_hash_that_was_given(slack: SlackServer) -> None:
    anna = slack.person("anna")
    view = (await _open(slack, anna.id, _modal()))["view"]
    arguments = {"view_id": view["id"], "view": _modal()}
    assert (await _call(slack, "views.update", **arguments, hash=view["hash"]))["ok"]
    assert (await _call(slack, "views.update", **arguments, hash=view["hash"]))["error"] == "hash_conflict"
    assert (await _call(slack, "views.update", view_id="V0", view=_modal()))["error"] == "not_found"
    assert anna.window
    anna.window.close()
    assert (await _call(slack, "views.update", **arguments))["error"] == "not_found"


async def test_what_is_typed_stays_in_blocks_of_the_same_id(slack: SlackServer) -> None:
    anna = slack.person("anna")
    view = (await _open(slack, anna.id, _modal(_input("b", initial_value="1"))))["view"]
    window = anna.window
    assert window
    window.type("x", "2")
    changed = _modal(_input("b", initial_value="3"))
    await _call(slack, "views.update", view_id=view["id"], view=changed)
    assert window.values == {"x": "2"}
    changed = _modal(_input("c", initial_value="3"))
    await _call(slack, "views.update", view_id=view["id"], view=changed)
    assert window.values == {"x": "3"}


async def test_a_home_has_no_title_and_at_most_a_hundred_blocks(slack: SlackServer) -> None:
    anna = slack.person("anna")
    home = {"type": "home", "blocks": [{"type": "divider"}] * 100}
    assert (await _call(slack, "views.publish", user_id=anna.id, view=home))["ok"]
    home["blocks"] = [{"type": "divider"}] * 101
    assert (await _call(slack, "views.publish", user_id=anna.id, view=home))["error"] == "invalid_arguments"
    assert (await _call(slack, "views.publish", user_id="U0", view=home))["error"] == "user_not_found"
