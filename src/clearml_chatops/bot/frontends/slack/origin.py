"""Where a window was asked for, kept in the window itself: the program may be started anew while it is open."""

import json
from dataclasses import fields
from typing import Any

from clearml_chatops.bot.frontends.slack.incoming import Heard, Payload, pressed_line, who_acts

LONGEST_METADATA = 3000
_KEPT = frozenset(
    {
        "channel",
        "thread",
        "card",
        "address",
        "public",
        "ephemeral",
        "pressed",
        "about",
        "posted",
        "in_home",
    }
)
_COMMAND = "command"


def metadata_of(heard: Heard, command: str = "") -> str:
    """The place of what was heard, and the command that a form in the window completes."""
    usual = {field.name: field.default for field in fields(Heard)}
    place = {name: getattr(heard, name) for name in sorted(_KEPT) if getattr(heard, name) != usual[name]}
    kept = {**place, _COMMAND: command} if command else place
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def heard_in_window(body: Payload, line: str) -> Heard:
    """A line that comes from a window, as if whoever uses the window had said it where it was asked for."""
    found = _metadata(body["view"])
    place = {name: value for name, value in found.items() if name in _KEPT}
    return Heard(*who_acts(body), **{"channel": "", **place, "line": line})


def pressed_in_window(body: Payload) -> Heard:
    return heard_in_window(body, pressed_line(body))


def command_of(view: Payload) -> str:
    """The command that the form in a window completes."""
    return str(_metadata(view).get(_COMMAND, ""))


def _metadata(view: Payload) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(view.get("private_metadata") or "{}")
    return found
