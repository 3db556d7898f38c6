"""What comes in: one shape for a typed line, a slash command, a mention and a button."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from clearml_chatops.models.people import Identity

TERMINAL = "terminal"
"""The platform of messages typed at the bot's own machine."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A place where messages can be sent: a terminal, a direct message, a channel, a thread, a topic."""

    platform: str
    id: str
    thread: str = ""

    def __str__(self) -> str:
        return ":".join(part for part in (self.platform, self.id, self.thread) if part)


async def _get_no_time_zone() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """One command line of one person.

    `sender_name` is what the platform calls the person. `about` is the experiment of the card or
    thread that the message replies to, if there is one. What is said `in_public`, and the answer, others
    can read. A conversation that has the sender's own id is his alone; one `in_private` is too. A thread that
    the message itself `begins` is where the answer goes; said it was in the channel. `time_zone_of_sender`
    asks the platform for his time zone; it gives nothing where that does not tell.
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
        default=_get_no_time_zone, repr=False, compare=False
    )

    @property
    def is_private(self) -> bool:
        """Whether nobody but the sender and the bot is in the conversation."""
        return self.is_direct_message or self.conversation.id == self.sender.user_id

    @property
    def source_conversation(self) -> Conversation:
        """The conversation in which it was said, wherever its answer goes."""
        return replace(self.conversation, thread="") if self.starts_thread else self.conversation
