"""Messages and modals of the version before the plain names: their buttons and forms still work."""

import json
from pathlib import Path
from typing import Any

import pytest

from clearml_chatops.bot.frontends.slack.form_fields import list_changes, read_submitted_values
from clearml_chatops.bot.frontends.slack.incoming_requests import SlackRequest, parse_button
from clearml_chatops.bot.frontends.slack.modal_metadata import build_modal_request, read_form_command
from clearml_chatops.handlers.forms import append_answers
from tests.support.slack.block_kit import find_buttons

_MESSAGES: dict[str, Any] = json.loads(
    (Path(__file__).parent / "messages_of_revision_0011.json").read_text(encoding="utf-8")
)
_ID = "ec48c90d00000000000000000000001d"
_ACTOR = {key: _MESSAGES["button payload"][key] for key in ("user", "team")}


def _submit(form: str, **values: str) -> SlackRequest:
    """Submit an earlier form; each value is for the field with this label."""
    view = _MESSAGES[form]
    states: dict[str, dict[str, dict[str, Any]]] = {}
    for block in (block for block in view["blocks"] if block["type"] == "input"):
        element = block["element"]
        value = values.get(block["label"]["text"].replace(" ", "_"), element.get("initial_value", ""))
        state = {"selected_option": {"value": value}} if element["type"] == "external_select" else {"value": value}
        states[block["block_id"]] = {element["action_id"]: state}
    submitted = {**view, "id": "V1", "state": {"values": states}}
    line = append_answers(read_form_command(submitted), list_changes(read_submitted_values(submitted)))
    return build_modal_request({**_ACTOR, "view": submitted}, line)


def test_button_of_a_card_runs_its_command_in_its_thread() -> None:
    request = parse_button(_MESSAGES["button payload"])

    assert request.command_line == f"/set {_ID}"
    assert (request.channel, request.thread) == ("C0LAB", "1795176000.000100")
    assert request.is_interaction
    assert not request.in_place


def test_page_button_of_a_list_replaces_its_message() -> None:
    button = find_buttons(_MESSAGES["list with in-place page button"]["blocks"])[-1]
    payload = {**_MESSAGES["button payload"], "actions": [{**button, "action_ts": "1"}]}

    request = parse_button(payload)

    assert (request.command_line, request.in_place) == ("/find page=2", True)


@pytest.mark.parametrize(
    ("form", "values", "line"),
    [
        ("modal parameters", {"backbone": "resnet50"}, f"/set {_ID} Args/backbone='resnet50'"),
        ("modal container", {"arguments": "-v /data:/data"}, f"/container {_ID} args='-v /data:/data'"),
        ("modal clone", {"experiment": _ID, "name": "second try"}, f"/clone '{_ID}' 'second try'"),
    ],
)
def test_open_form_makes_its_command(form: str, values: dict[str, str], line: str) -> None:
    assert _submit(form, **values).command_line == line


def test_open_form_is_answered_where_it_was_opened() -> None:
    request = _submit("modal parameters", backbone="resnet50")
    assert (request.channel, request.thread) == ("C0LAB", "1795176000.000100")
    assert request.source_message_id == "1795176000.000201"
    request = _submit("modal clone", experiment=_ID)
    assert (request.answers_in_message, request.is_interaction) == (True, True)
