"""What comes in: one shape for a typed line, a slash command, a mention and a button."""

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """One command line of one person.

    `sender_name` is what the platform calls the person. `about` is the experiment of the card or
    thread that the message replies to, if there is one. What is said `in_public`, and the answer, others
    can read.
    """

    sender: Identity
    sender_name: str
    conversation: Conversation
    text: str
    about: str = ""
    in_public: bool = False
