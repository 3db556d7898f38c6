"""The message shortcut that clones the experiment of a message."""

import re
from collections.abc import Iterator
from typing import Any

from clearml_chatops.bot.frontends.slack.incoming_requests import Payload, SlackRequest, read_actor

CLONE_SHORTCUT = "clone_experiment"
"""The shortcut's callback_id."""
_CLONE_COMMAND = "/clone"
_EXPERIMENT_LINK_PATTERN = re.compile(r"/(?:experiments|tasks)/([0-9a-f]{32})\b")
_EXPERIMENT_ID_PATTERN = re.compile(r"(?<![0-9a-z/])[0-9a-f]{32}(?![0-9a-z])")
_TEXT_KEYS = ("text", "blocks", "attachments")


def parse_shortcut(body: Payload) -> SlackRequest:
    """Parse the shortcut, as if the person had sent /clone in the message's thread."""
    message = body["message"]
    message_id = str(body.get("message_ts") or message["ts"])
    return SlackRequest(
        *read_actor(body),
        channel=body["channel"]["id"],
        command_line=_CLONE_COMMAND,
        thread=str(message.get("thread_ts") or message_id),
        source_message_id=message_id,
        response_url=body.get("response_url", ""),
        is_interaction=True,
        trigger_id=body.get("trigger_id", ""),
        experiment_id=find_experiment_id(message),
        answers_in_message=True,
    )


def find_experiment_id(message: Payload) -> str:
    """Return the first experiment id that a message links to, or the first id in its text, or an empty string."""
    texts = [text for key in _TEXT_KEYS for text in _find_texts(message.get(key))]
    matches = [
        match
        for pattern in (_EXPERIMENT_LINK_PATTERN, _EXPERIMENT_ID_PATTERN)
        for text in texts
        if (match := pattern.search(text))
    ]
    return matches[0][matches[0].lastindex or 0] if matches else ""


def _find_texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for inner in value.values():
                yield from _find_texts(inner)
        case list():
            for inner in value:
                yield from _find_texts(inner)
