"""Where a window was asked for, kept in the window itself: the program may be started anew while it is open."""

import json
from dataclasses import fields
from typing import Any

from clearml_chatops.bot.frontends.slack.incoming_requests import (
    Payload,
    SlackRequest,
    read_actor,
    read_button_command,
)

MAX_METADATA_LENGTH = 3000
_FIELDS_BY_KEY = {
    "channel": "channel",
    "thread": "thread",
    "card": "source_message_id",
    "address": "response_url",
    "public": "is_public",
    "ephemeral": "is_ephemeral",
    "pressed": "is_interaction",
    "about": "experiment_id",
    "posted": "answers_in_message",
    "in_home": "is_from_home_tab",
}
"""What of a request is kept, by its key in the metadata. Modals that are open have these keys: they never change."""
_COMMAND_KEY = "command"


def build_metadata(request: SlackRequest, command: str = "") -> str:
    """The place of what was heard, and the command that a form in the window completes."""
    defaults = {field.name: field.default for field in fields(SlackRequest)}
    origin = {
        key: getattr(request, field)
        for key, field in sorted(_FIELDS_BY_KEY.items())
        if getattr(request, field) != defaults[field]
    }
    metadata = {**origin, _COMMAND_KEY: command} if command else origin
    return json.dumps(metadata, ensure_ascii=False, separators=(",", ":"))


def build_modal_request(body: Payload, line: str) -> SlackRequest:
    """A line that comes from a window, as if whoever uses the window had said it where it was asked for."""
    metadata = _read_metadata(body["view"])
    origin = {_FIELDS_BY_KEY[key]: value for key, value in metadata.items() if key in _FIELDS_BY_KEY}
    return SlackRequest(*read_actor(body), **{"channel": "", **origin, "command_line": line})


def parse_modal_button(body: Payload) -> SlackRequest:
    return build_modal_request(body, read_button_command(body))


def read_form_command(view: Payload) -> str:
    """The command that the form in a window completes."""
    return str(_read_metadata(view).get(_COMMAND_KEY, ""))


def _read_metadata(view: Payload) -> dict[str, Any]:
    metadata: dict[str, Any] = json.loads(view.get("private_metadata") or "{}")
    return metadata
