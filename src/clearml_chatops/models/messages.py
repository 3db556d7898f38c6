"""Incoming messages: one shape for a typed line, a slash command, a mention and a button press."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from clearml_chatops.models.people import Identity

TERMINAL = "terminal"
"""The platform of messages typed on the bot's own machine."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """Where messages can be sent: a terminal, a direct message, a channel, a thread, a topic."""

    platform: str
    id: str
    thread: str = ""

    def __str__(self) -> str:
        return ":".join(part for part in (self.platform, self.id, self.thread) if part)


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that a platform has: the conversation there, and the message's id in it."""

    conversation: Conversation
    id: str


async def _return_no_time_zone() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """One command line of one person.

    `sender_name` is the person's name on the platform. `context_experiment_id` is the experiment of the card or
    thread that the message replies to, if any. If `is_visible_to_others`, others can read the message and the
    reply. If `is_direct_message`, or if the conversation has the sender's own id, only the sender and the bot
    are in it. If `starts_thread`, the message was sent in the channel and the reply goes to a thread below it.
    `fetch_sender_time_zone` asks the platform for the sender's time zone; empty if unknown.
    """

    sender: Identity
    sender_name: str
    conversation: Conversation
    text: str
    context_experiment_id: str = ""
    is_visible_to_others: bool = False
    is_direct_message: bool = False
    starts_thread: bool = False
    fetch_sender_time_zone: Callable[[], Awaitable[str]] = field(
        default=_return_no_time_zone, repr=False, compare=False
    )

    @property
    def is_private(self) -> bool:
        """Whether only the sender and the bot are in the conversation."""
        return self.is_direct_message or self.conversation.id == self.sender.user_id

    @property
    def source_conversation(self) -> Conversation:
        """The conversation in which it was sent, wherever the reply goes."""
        return replace(self.conversation, thread="") if self.starts_thread else self.conversation
