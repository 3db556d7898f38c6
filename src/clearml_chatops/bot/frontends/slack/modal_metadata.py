"""The request that opened a modal, kept in the modal's private_metadata: the bot may restart while it is open."""

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
"""The kept fields of a request, by metadata key. The keys never change, because open modals hold them."""
_COMMAND_KEY = "command"


def build_metadata(request: SlackRequest, command: str = "") -> str:
    """Build the private_metadata: where the request came from, and the command that the form completes."""
    defaults = {field.name: field.default for field in fields(SlackRequest)}
    origin = {
        key: getattr(request, field)
        for key, field in sorted(_FIELDS_BY_KEY.items())
        if getattr(request, field) != defaults[field]
    }
    metadata = {**origin, _COMMAND_KEY: command} if command else origin
    return json.dumps(metadata, ensure_ascii=False, separators=(",", ":"))


def build_modal_request(body: Payload, line: str) -> SlackRequest:
    """Build a request from a modal, as if its line had been sent where the modal was opened."""
    metadata = _read_metadata(body["view"])
    origin = {_FIELDS_BY_KEY[key]: value for key, value in metadata.items() if key in _FIELDS_BY_KEY}
    return SlackRequest(*read_actor(body), **{"channel": "", **origin, "command_line": line})


def parse_modal_button(body: Payload) -> SlackRequest:
    return build_modal_request(body, read_button_command(body))


def read_form_command(view: Payload) -> str:
    """Return the command that the form completes."""
    return str(_read_metadata(view).get(_COMMAND_KEY, ""))


def build_order_key(body: Payload, user_id: str | None) -> str:
    """Return the key of requests that run in order: the person, and the channel that a modal was opened from.

    Empty for a payload of nobody.
    """
    view = body.get("view")
    if view and view["type"] == "modal":
        channel = _read_metadata(view).get("channel", "")
    else:
        event = body.get("event") or {}
        channel = body.get("channel_id") or (body.get("channel") or {}).get("id") or event.get("channel") or ""
    return f"{user_id}/{channel}" if user_id else ""


def _read_metadata(view: Payload) -> dict[str, Any]:
    metadata: dict[str, Any] = json.loads(view.get("private_metadata") or "{}")
    return metadata
