"""The state of a workspace: people, channels, messages, files and response URLs."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.slack.block_kit import (
    Block,
    RefusedBlocksError,
    find_broadcasts,
    find_buttons,
    render_visible_text,
    require_valid_blocks,
)

BOT_USER = "UBOT0001"
BOT_ID = "BBOT0001"
TEAM = "T0001"
MAX_TEXT_LENGTH = 40_000
_MAX_RESPONSE_URL_USES = 5
_RESPONSE_URL_LIFETIME = 30 * 60.0


class RefusedError(Exception):
    """Slack refuses a request; `code` is its error code."""

    def __init__(self, code: str, **more: str) -> None:
        super().__init__(code)
        self.code = code
        self.details = more


@dataclass
class Channel:
    id: str
    name: str
    has_bot: bool = True
    is_archived: bool = False
    direct_message_user: str = ""


@dataclass
class File:
    id: str
    name: str
    length: int
    description: str = ""
    content: bytes = b""
    shared: bool = False


@dataclass
class Message:
    """A message in its current state. `visible_to` is the one person who sees an ephemeral message."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Block] = field(default_factory=list)
    thread_ts: str = ""
    visible_to: str = ""
    files: list[File] = field(default_factory=list)
    history: list[str] = field(default_factory=list)
    """The visible text before each update."""
    deleted: bool = False

    @property
    def visible_text(self) -> str:
        """What people see now, as plain text."""
        return render_visible_text(self.text, self.blocks)

    @property
    def button_labels(self) -> list[str]:
        return [button["text"]["text"] for button in find_buttons(self.blocks)]


@dataclass
class ResponseUrl:
    """A URL that answers one command. `source` is the message with the pressed button, if any."""

    token: str
    channel: str
    user: str
    expires_at: float
    source: Message | None = None
    use_count: int = 0


class Workspace:
    """Everything that people see, and the broadcasts that would have pinged everybody."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.users: dict[str, str] = {}
        self.time_zones: dict[str, str] = {}
        self.channels: dict[str, Channel] = {}
        self.messages: list[Message] = []
        self.files: dict[str, File] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.broadcasts: list[str] = []
        self._counter = itertools.count(1)

    def take_number(self) -> int:
        return next(self._counter)

    def add_channel(self, name: str, *, has_bot: bool = True, is_archived: bool = False) -> str:
        channel = Channel(f"C{self.take_number():06}", name, has_bot, is_archived)
        self.channels[channel.id] = channel
        return channel.id

    def open_direct_channel(self, user: str) -> str:
        """Return the direct messages between the bot and a person. Open them on first use."""
        for channel in self.channels.values():
            if channel.direct_message_user == user:
                return channel.id
        channel = Channel(f"D{self.take_number():06}", "", direct_message_user=user)
        self.channels[channel.id] = channel
        return channel.id

    def require_writable_channel(self, channel_id: str) -> Channel:
        """Return a channel that the bot may write to.

        Raises:
            RefusedError: the bot may not write there.
        """
        channel = self.channels.get(channel_id)
        if channel is None:
            raise RefusedError("channel_not_found")
        if channel.is_archived:
            raise RefusedError("is_archived")
        if not channel.has_bot:
            raise RefusedError("not_in_channel")
        return channel

    def post(
        self,
        channel: str,
        text: str,
        blocks: list[Block],
        *,
        user: str = BOT_USER,
        thread_ts: str = "",
        visible_to: str = "",
    ) -> Message:
        self._require_valid_message(text, blocks, is_from_bot=user == BOT_USER)
        number = self.take_number()
        message = Message(
            channel, f"{1_700_000_000 + number}.{number:06}", user, text, blocks, thread_ts, visible_to
        )
        self.messages.append(message)
        return message

    def update(self, message: Message, text: str, blocks: list[Block]) -> None:
        self._require_valid_message(text, blocks, is_from_bot=True)
        message.history.append(message.visible_text)
        message.text, message.blocks = text, blocks

    def find_message(self, channel: str, ts: str) -> Message | None:
        """Return a stored message. Slack doesn't store ephemeral ones, so they can't be found."""
        for message in self.messages:
            if (message.channel, message.ts) == (channel, ts) and not message.visible_to and not message.deleted:
                return message
        return None

    def create_response_url(self, channel: str, user: str, source: Message | None = None) -> ResponseUrl:
        token = f"response{self.take_number()}"
        response_url = ResponseUrl(token, channel, user, self.clock() + _RESPONSE_URL_LIFETIME, source)
        self.response_urls[token] = response_url
        return response_url

    def respond(self, response_url: ResponseUrl, body: dict[str, Any]) -> None:
        """Carry out a post to a response_url.

        Raises:
            RefusedError: the URL has expired or is used up, or the message is invalid.
        """
        if self.clock() > response_url.expires_at:
            raise RefusedError("expired_url")
        if response_url.use_count >= _MAX_RESPONSE_URL_USES:
            raise RefusedError("used_url")
        response_url.use_count += 1
        if body.get("delete_original") and response_url.source:
            response_url.source.deleted = True
            return
        text, blocks = body.get("text") or "", body.get("blocks") or []
        if body.get("replace_original") and response_url.source:
            self.update(response_url.source, text, blocks)
            return
        visible_to = "" if body.get("response_type") == "in_channel" else response_url.user
        message = self.post(
            response_url.channel, text, blocks, visible_to=visible_to, thread_ts=body.get("thread_ts") or ""
        )
        if response_url.source is None:
            # Later answers to the slash command may replace its first one.
            response_url.source = message

    def _require_valid_message(self, text: str, blocks: list[Block], *, is_from_bot: bool) -> None:
        if not text and not blocks:
            raise RefusedError("no_text")
        if len(text) > MAX_TEXT_LENGTH:
            raise RefusedError("msg_too_long")
        try:
            require_valid_blocks(blocks)
        except RefusedBlocksError as error:
            raise RefusedError(error.code, reason=str(error)) from error
        if is_from_bot:
            self.broadcasts += find_broadcasts(text, blocks)
