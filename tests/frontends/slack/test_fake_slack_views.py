"""The fake workspace refuses the views that Slack refuses, and keeps typed values like Slack."""

from typing import Any

import aiohttp
import pytest

from tests.support.slack import SlackServer
from tests.support.slack.server import BOT_TOKEN


def _build_text(length: int, kind: str = "plain_text") -> dict[str, Any]:
    return {"type": kind, "text": "x" * length}


def _build_input(block_id: str = "b", label: int = 1, **element: Any) -> dict[str, Any]:
    built_element = {"type": "plain_text_input", "action_id": "a", **element}
    return {"type": "input", "block_id": block_id, "label": _build_text(label), "element": built_element}


def _build_modal(*blocks: dict[str, Any], **overrides: Any) -> dict[str, Any]:
    body_blocks = list(blocks) or [{"type": "section", "text": _build_text(1)}]
    return {"type": "modal", "title": _build_text(1), "submit": _build_text(1), "blocks": body_blocks, **overrides}


async def _call(slack: SlackServer, method: str, **arguments: Any) -> dict[str, Any]:
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {BOT_TOKEN}"}) as session,
        session.post(f"{slack.api_url}{method}", json=arguments) as response,
    ):
        answer: dict[str, Any] = await response.json()
        return answer


async def _open_view(slack: SlackServer, user: str, view: dict[str, Any]) -> dict[str, Any]:
    return await _call(slack, "views.open", trigger_id=slack.views.create_trigger(user), view=view)


_SELECT: dict[str, Any] = {"type": "external_select"}


@pytest.mark.parametrize(
    "view",
    [
        _build_modal(title=_build_text(25)),
        _build_modal(submit=_build_text(25)),
        _build_modal(close=_build_text(25)),
        _build_modal(title=_build_text(3, "mrkdwn")),
        _build_modal(private_metadata="x" * 3001),
        _build_modal(callback_id="x" * 256),
        _build_modal(*[{"type": "divider"}] * 101),
        _build_modal(blocks=[]),
        _build_modal(_build_input("b" * 256)),
        _build_modal(_build_input("")),
        _build_modal(_build_input(), _build_input()),
        _build_modal(_build_input(label=2001)),
        _build_modal({**_build_input(), "hint": _build_text(2001)}),
        _build_modal(_build_input(action_id="a" * 256)),
        _build_modal(_build_input(initial_value="x" * 3001)),
        _build_modal(_build_input(initial_value="")),
        _build_modal(_build_input(initial_value="a\nb")),
        _build_modal(_build_input(**_SELECT, initial_option={"text": _build_text(76), "value": "x"})),
        _build_modal(_build_input(**_SELECT, initial_option={"text": _build_text(1), "value": "x" * 151})),
        _build_modal(_build_input(type="rich_text_input")),
        {key: value for key, value in _build_modal(_build_input()).items() if key != "submit"},
        {key: value for key, value in _build_modal().items() if key != "title"},
        {**_build_modal(), "type": "home"},
    ],
)
async def test_a_view_over_a_limit_is_refused(slack: SlackServer, view: dict[str, Any]) -> None:
    anna = slack.add_person("anna")
    assert (await _open_view(slack, anna.id, view))["error"] == "invalid_arguments"


async def test_view_at_limits_is_accepted(slack: SlackServer) -> None:
    option = {"text": _build_text(75), "value": "x" * 150}
    blocks = [
        _build_input("b" * 255, label=2000, initial_value="x" * 3000),
        _build_input("c", **_SELECT, initial_option=option),
        *[{"type": "divider"}] * 98,
    ]
    texts = {key: _build_text(24) for key in ("title", "submit", "close")}
    view = _build_modal(*blocks, **texts, private_metadata="x" * 3000, callback_id="x" * 255)
    assert (await _open_view(slack, slack.add_person("anna").id, view))["ok"]


async def test_a_view_that_is_too_large_is_refused(slack: SlackServer) -> None:
    blocks = [_build_input(f"b{number}", initial_value="é" * 3000) for number in range(20)]
    assert (await _open_view(slack, slack.add_person("anna").id, _build_modal(*blocks)))[
        "error"
    ] == "view_too_large"


async def test_trigger_opens_one_view_within_three_seconds() -> None:
    now = [0.0]
    async with SlackServer(clock=lambda: now[0]) as slack:
        anna = slack.add_person("anna")
        first, late = slack.views.create_trigger(anna.id), slack.views.create_trigger(anna.id)
        assert (await _call(slack, "views.open", trigger_id=first, view=_build_modal()))["ok"]
        again = await _call(slack, "views.open", trigger_id=first, view=_build_modal())
        assert again["error"] == "exchanged_trigger_id"
        now[0] = 3.1
        too_late = await _call(slack, "views.open", trigger_id=late, view=_build_modal())
        assert too_late["error"] == "expired_trigger_id"
        unknown = await _call(slack, "views.open", trigger_id="1.2.x", view=_build_modal())
        assert unknown["error"] == "invalid_trigger_id"


async def test_at_most_three_modals_are_open(slack: SlackServer) -> None:
    anna = slack.add_person("anna")
    for _ in range(3):
        assert (await _open_view(slack, anna.id, _build_modal()))["ok"]
    assert (await _open_view(slack, anna.id, _build_modal()))["error"] == "push_limit_reached"
    assert anna.modal
    anna.modal.close()
    assert (await _open_view(slack, anna.id, _build_modal()))["ok"]


async def test_only_open_view_with_matching_hash_is_updated(slack: SlackServer) -> None:
    anna = slack.add_person("anna")
    view = (await _open_view(slack, anna.id, _build_modal()))["view"]
    arguments = {"view_id": view["id"], "view": _build_modal()}
    assert (await _call(slack, "views.update", **arguments, hash=view["hash"]))["ok"]
    assert (await _call(slack, "views.update", **arguments, hash=view["hash"]))["error"] == "hash_conflict"
    assert (await _call(slack, "views.update", view_id="V0", view=_build_modal()))["error"] == "not_found"
    assert anna.modal
    anna.modal.close()
    assert (await _call(slack, "views.update", **arguments))["error"] == "not_found"


async def test_typed_values_stay_in_blocks_with_same_id(slack: SlackServer) -> None:
    anna = slack.add_person("anna")
    view = (await _open_view(slack, anna.id, _build_modal(_build_input("b", initial_value="1"))))["view"]
    modal = anna.modal
    assert modal
    modal.type("x", "2")
    changed = _build_modal(_build_input("b", initial_value="3"))
    await _call(slack, "views.update", view_id=view["id"], view=changed)
    assert modal.values == {"x": "2"}
    changed = _build_modal(_build_input("c", initial_value="3"))
    await _call(slack, "views.update", view_id=view["id"], view=changed)
    assert modal.values == {"x": "3"}


async def test_home_tab_has_no_title_and_at_most_a_hundred_blocks(slack: SlackServer) -> None:
    anna = slack.add_person("anna")
    home = {"type": "home", "blocks": [{"type": "divider"}] * 100}
    assert (await _call(slack, "views.publish", user_id=anna.id, view=home))["ok"]
    home["blocks"] = [{"type": "divider"}] * 101
    assert (await _call(slack, "views.publish", user_id=anna.id, view=home))["error"] == "invalid_arguments"
    assert (await _call(slack, "views.publish", user_id="U0", view=home))["error"] == "user_not_found"
