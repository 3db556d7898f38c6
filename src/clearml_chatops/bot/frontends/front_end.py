"""What every chat front end is to the rest of the bot, and what it needs to have remembered for it."""

from typing import Protocol

from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Reply


class DestinationGoneError(Exception):
    """Nothing can be sent there any more: blocked, left, archived or deleted. Trying again is useless."""


class DeliveryFailedError(Exception):
    """It was not sent this time; it may be the next time. `reason` is the platform's word for it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class FrontEnd(Protocol):
    """A chat platform that the bot is connected to."""

    platform: str

    async def start(self) -> None:
        """Connects, or goes on trying in the background where the platform cannot be reached now.

        Raises:
            SettingsError: a token or an address is wrong.
        """

    async def stop(self) -> None:
        """Answers what is under way and disconnects, within five seconds."""

    async def deliver(self, conversation: Conversation, reply: Reply) -> None:
        """Sends a notification. Raises DestinationGoneError, DeliveryFailedError."""


class Actions(Protocol):
    """What buttons do, where a platform's buttons cannot hold a command line."""

    async def remember(self, command: str) -> str:
        """A token of at most 32 characters of `A-Za-z0-9_-` that stands for the command line."""

    async def recall(self, token: str) -> str | None:
        """The command line, or None when the token has expired or was never given out."""


class Cards(Protocol):
    """Which experiment a message of the bot is about. Conversations count without their thread."""

    async def remember(self, conversation: Conversation, message_id: str, experiment_id: str) -> None: ...

    async def experiment_of(self, conversation: Conversation, message_id: str) -> str:
        """The experiment's id, or an empty text for a message that is about none."""
