"""Parses Slack's payloads into requests: who sent which command line, and where the answer goes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from clearml_chatops.bot.frontends.slack.block_kit import IN_PLACE_PREFIX
from clearml_chatops.bot.frontends.slack.escaping import to_typed_text, unescape
from clearml_chatops.handlers.command_line import Word, join_words, split_words
from clearml_chatops.handlers.registry import Registry
from clearml_chatops.handlers.unknown_commands import is_for_bot
from clearml_chatops.models.errors import ChatOpsError

PLATFORM = "slack"
ROOT_COMMAND = "/clearml"
PUBLIC_FLAG = "--public"
_COMMAND_SUBTYPES = {None, "file_share", "thread_broadcast"}

Payload = Mapping[str, Any]


class Actor(NamedTuple):
    """The person behind a payload: the first three fields of a `SlackRequest`."""

    user_id: str
    user_name: str
    team_id: str


@dataclass(frozen=True, slots=True)
class SlackRequest:
    """One command line of one person, as Slack sent it.

    - `user_name`: empty if Slack didn't send it.
    - `thread`: the `ts` of the message that starts the thread.
    - `source_message_id`: the `ts` of the message that tells which experiment the line may be about.
    - `response_url`: where an ephemeral reply to this request can be sent.
    - `in_place`: the reply replaces the source message, which has the pressed button.
    - `trigger_id`: opens a modal for this person.
    - `experiment_id`: an experiment that the message itself names.
    - `answers_in_message`: the answer is posted as a message although a modal is open.
    - `is_from_home_tab`: the Home tab is refreshed after the answer.
    """

    user_id: str
    user_name: str
    team_id: str
    channel: str
    command_line: str
    thread: str = ""
    source_message_id: str = ""
    response_url: str = ""
    is_public: bool = False
    is_ephemeral: bool = False
    is_interaction: bool = False
    in_place: bool = False
    trigger_id: str = ""
    experiment_id: str = ""
    answers_in_message: bool = False
    is_from_home_tab: bool = False

    @property
    def starts_thread(self) -> bool:
        """Whether the answer is the first reply to the message, and so starts its thread."""
        return bool(self.thread) and not self.source_message_id


def parse_command(body: Payload, registry: Registry, prefix: str) -> SlackRequest:
    """Parse a slash command. `/clearml clone x` and `/clone x` give the same line."""
    name, text = str(body["command"]), to_typed_text(str(body.get("text", ""))).strip()
    line = text if name == ROOT_COMMAND else f"/{name.removeprefix('/').removeprefix(prefix)} {text}".strip()
    line, public = strip_public_flag(line, registry)
    return SlackRequest(
        user_id=body["user_id"],
        user_name=body.get("user_name", ""),
        team_id=body["team_id"],
        channel=body["channel_id"],
        command_line=line or "/help",
        response_url=body["response_url"],
        is_public=public,
        is_ephemeral=not public,
        trigger_id=body.get("trigger_id", ""),
        answers_in_message=public,
    )


def parse_message(body: Payload, registry: Registry, bot_user_id: str) -> SlackRequest | None:
    """Parse a mention or a direct message.

    Return None for edits, for messages that no person wrote, and for prose that only mentions the bot.
    """
    event = body["event"]
    if event.get("subtype") not in _COMMAND_SUBTYPES or event.get("bot_id") or not event.get("user"):
        return None
    if event["user"] == bot_user_id or "edited" in event:
        return None
    is_direct_message = event["type"] == "message"
    if is_direct_message and event.get("channel_type") != "im":
        return None
    thread = event.get("thread_ts", "")
    text, mention = str(event.get("text", "")).strip(), f"<@{bot_user_id}>"
    line = to_typed_text(text.replace(mention, "", 1)).strip()
    # “Ask @bot about it” is for the others in the channel, “how do I start, @bot?” is for the bot.
    is_addressed = is_direct_message or text.startswith(mention) or text.rstrip("?!. ").endswith(mention)
    if not is_addressed and not is_for_bot(line, registry):
        return None
    line, _ = strip_public_flag(line, registry)
    return SlackRequest(
        user_id=event["user"],
        user_name="",
        team_id=body.get("team_id", ""),
        channel=event["channel"],
        command_line=line or "/help",
        thread=thread or ("" if is_direct_message else event["ts"]),
        source_message_id=thread,
    )


def parse_button(body: Payload) -> SlackRequest:
    """Parse a pressed button into its command, as if the person had typed it there."""
    container = body["container"]
    is_ephemeral = bool(container.get("is_ephemeral"))
    message_id = str(container["message_ts"])
    return SlackRequest(
        *read_actor(body),
        channel=container["channel_id"],
        command_line=read_button_command(body),
        thread="" if is_ephemeral else str(container.get("thread_ts") or message_id),
        source_message_id=message_id,
        response_url=body.get("response_url", ""),
        is_ephemeral=is_ephemeral,
        is_interaction=True,
        in_place=str(body["actions"][0]["action_id"]).startswith(IN_PLACE_PREFIX),
        trigger_id=body.get("trigger_id", ""),
    )


def read_actor(body: Payload) -> Actor:
    """Return the person of an interaction."""
    user = body["user"]
    return Actor(
        user_id=user["id"],
        user_name=user.get("username") or user.get("name", ""),
        team_id=(body.get("team") or {}).get("id") or user.get("team_id", ""),
    )


def read_button_command(body: Payload) -> str:
    """Return the command of the pressed button."""
    return unescape(str(body["actions"][0]["value"]))


def build_deduplication_keys(body: Payload) -> tuple[str, ...]:
    """Return the keys that identify a payload, the same ones each time it is delivered."""
    event = body.get("event") or {}
    message = f"{event['channel']}/{event['ts']}" if "channel" in event and "ts" in event else ""
    keys = (body.get("event_id", ""), body.get("trigger_id", ""), message)
    return tuple(key for key in keys if key)


def strip_public_flag(line: str, registry: Registry) -> tuple[str, bool]:
    """Return the line without `--public`, and whether the flag was there.

    In quotes it is plain text, and a command with a `--public` option of its own keeps it.
    """
    try:
        words = split_words(line)
    except ChatOpsError:
        # The line can't be parsed. Its handler reports the error.
        return line, False
    remaining_words = [word for word in words if word.text != PUBLIC_FLAG or word.quoted]
    if len(remaining_words) == len(words) or _has_own_public_flag(remaining_words, registry):
        return line, False
    return join_words(remaining_words), True


def _has_own_public_flag(words: list[Word], registry: Registry) -> bool:
    try:
        command, _ = registry.find([word.text for word in words], terminal=False)
    except ChatOpsError:
        return False
    return any(f"--{parameter.name}" == PUBLIC_FLAG for parameter in command.parameters)
