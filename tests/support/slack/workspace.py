"""The state of a workspace: people, channels, messages, files, and the addresses that answer commands."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.slack.block_kit import (
    Block,
    RefusedBlocksError,
    broadcasts_in,
    buttons_of,
    require_valid,
    shown,
)

BOT_USER = "UBOT0001"
BOT_ID = "BBOT0001"
TEAM = "T0001"
LONGEST_TEXT = 40_000
_USES_OF_A_RESPONSE_URL = 5
_LIFE_OF_A_RESPONSE_URL = 30 * 60.0


class RefusedError(Exception):
    """Slack says no; `code` is its own word for it."""

    def __init__(self, code: str, **more: str) -> None:
        super().__init__(code)
        self.code = code
        self.more = more


@dataclass
class Channel:
    id: str
    name: str
    bot_is_in: bool = True
    archived: bool = False
    direct_with: str = ""


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
    """A message as it is now. `only_to` is the one person who sees an ephemeral one."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Block] = field(default_factory=list)
    thread_ts: str = ""
    only_to: str = ""
    files: list[File] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    """What it showed before each change."""
    deleted: bool = False

    @property
    def shown(self) -> str:
        """What people see of it now, as plain text."""
        return shown(self.text, self.blocks)

    @property
    def labels(self) -> list[str]:
        return [button["text"]["text"] for button in buttons_of(self.blocks)]


@dataclass
class ResponseUrl:
    """An address that answers one command; `source` is the message whose button was pressed, if one was."""

    token: str
    channel: str
    user: str
    until: float
    source: Message | None = None
    uses: int = 0


class Workspace:
    """Everything that people see, and what they would have been disturbed by."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.users: dict[str, str] = {}
        self.time_zones: dict[str, str] = {}
        self.channels: dict[str, Channel] = {}
        self.messages: list[Message] = []
        self.files: dict[str, File] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.broadcasts: list[str] = []
        self._numbers = itertools.count(1)

    def number(self) -> int:
        return next(self._numbers)

    def add_channel(self, name: str, *, bot_is_in: bool = True, archived: bool = False) -> str:
        channel = Channel(f"C{self.number():06}", name, bot_is_in, archived)
        self.channels[channel.id] = channel
        return channel.id

    def direct_channel(self, user: str) -> str:
        """The direct messages between the bot and a person, opened when first asked for."""
        for channel in self.channels.values():
            if channel.direct_with == user:
                return channel.id
        channel = Channel(f"D{self.number():06}", "", direct_with=user)
        self.channels[channel.id] = channel
        return channel.id

    def channel_for_the_bot(self, channel_id: str) -> Channel:
        """A channel that the bot may write to.

        Raises:
            RefusedError: it may not, with Slack's reason.
        """
        channel = self.channels.get(channel_id)
        if channel is None:
            raise RefusedError("channel_not_found")
        if channel.archived:
            raise RefusedError("is_archived")
        if not channel.bot_is_in:
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
        only_to: str = "",
    ) -> Message:
        self._look_over(text, blocks, by_the_bot=user == BOT_USER)
        number = self.number()
        message = Message(channel, f"{1_700_000_000 + number}.{number:06}", user, text, blocks, thread_ts, only_to)
        self.messages.append(message)
        return message

    def change(self, message: Message, text: str, blocks: list[Block]) -> None:
        self._look_over(text, blocks, by_the_bot=True)
        message.before.append(message.shown)
        message.text, message.blocks = text, blocks

    def find(self, channel: str, ts: str) -> Message | None:
        """A real message; an ephemeral one is not stored and cannot be found."""
        for message in self.messages:
            if (message.channel, message.ts) == (channel, ts) and not message.only_to and not message.deleted:
                return message
        return None

    def new_response_url(self, channel: str, user: str, source: Message | None = None) -> ResponseUrl:
        token = f"response{self.number()}"
        made = ResponseUrl(token, channel, user, self.clock() + _LIFE_OF_A_RESPONSE_URL, source)
        self.response_urls[token] = made
        return made

    def respond(self, address: ResponseUrl, body: dict[str, Any]) -> None:
        """Does what is asked at a response_url.

        Raises:
            RefusedError: it is too old, used up, or Slack does not take what was sent.
        """
        if self.clock() > address.until:
            raise RefusedError("expired_url")
        if address.uses >= _USES_OF_A_RESPONSE_URL:
            raise RefusedError("used_url")
        address.uses += 1
        if body.get("delete_original") and address.source:
            address.source.deleted = True
            return
        text, blocks = body.get("text") or "", body.get("blocks") or []
        if body.get("replace_original") and address.source:
            self.change(address.source, text, blocks)
            return
        only_to = "" if body.get("response_type") == "in_channel" else address.user
        message = self.post(address.channel, text, blocks, only_to=only_to, thread_ts=body.get("thread_ts") or "")
        if address.source is None:
            # What the first answer to a slash command becomes is up to the next ones.
            address.source = message

    def _look_over(self, text: str, blocks: list[Block], *, by_the_bot: bool) -> None:
        if not text and not blocks:
            raise RefusedError("no_text")
        if len(text) > LONGEST_TEXT:
            raise RefusedError("msg_too_long")
        try:
            require_valid(blocks)
        except RefusedBlocksError as error:
            raise RefusedError(error.code, reason=str(error)) from error
        if by_the_bot:
            self.broadcasts += broadcasts_in(text, blocks)
