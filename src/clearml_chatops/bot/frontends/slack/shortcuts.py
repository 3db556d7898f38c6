"""The shortcut in a message's menu: clone the experiment that the message is about."""

import re
from collections.abc import Iterator
from typing import Any

from clearml_chatops.bot.frontends.slack.incoming import Heard, Payload, who_acts

CLONE_SHORTCUT = "clone_experiment"
"""The shortcut's callback_id."""
_CLONE_LINE = "/clone"
_LINKED = re.compile(r"/(?:experiments|tasks)/([0-9a-f]{32})\b")
_ID = re.compile(r"(?<![0-9a-z/])[0-9a-f]{32}(?![0-9a-z])")
_WHERE_TEXT_IS = ("text", "blocks", "attachments")


def heard_shortcut(body: Payload) -> Heard:
    """The shortcut, as if the person had asked for a clone in the message's thread."""
    message = body["message"]
    message_id = str(body.get("message_ts") or message["ts"])
    return Heard(
        *who_acts(body),
        channel=body["channel"]["id"],
        line=_CLONE_LINE,
        thread=str(message.get("thread_ts") or message_id),
        card=message_id,
        address=body.get("response_url", ""),
        pressed=True,
        trigger=body.get("trigger_id", ""),
        about=experiment_named_in(message),
        posted=True,
    )


def experiment_named_in(message: Payload) -> str:
    """The first experiment that a message links to, or the first id in it; empty where there is none."""
    texts = [text for key in _WHERE_TEXT_IS for text in _texts(message.get(key))]
    found = [match for pattern in (_LINKED, _ID) for text in texts if (match := pattern.search(text))]
    return found[0][found[0].lastindex or 0] if found else ""


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for inner in value.values():
                yield from _texts(inner)
        case list():
            for inner in value:
                yield from _texts(inner)
