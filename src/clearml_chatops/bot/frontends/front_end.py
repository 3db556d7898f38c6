"""What every chat front end is to the rest of the bot, and what it needs to have remembered for it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from aiohttp.web import RouteDef

from clearml_chatops.models.actions import Action
from clearml_chatops.models.cards import EditIntervals
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Reply


class DestinationGoneError(Exception):
    """Nothing can be sent there any more: blocked, left, archived or deleted. Trying again is useless."""


class DeliveryFailedError(Exception):
    """It was not sent this time; it may be the next time. `reason` is the platform's word for it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


OnDelivered = Callable[[], Awaitable[None]]
"""Notes that the platform has a message; one that is killed before it has noted it sends it again."""


async def ignore_delivery() -> None:
    """For a message that nobody would send again."""


class FrontEnd(Protocol):
    """A chat platform that the bot is connected to."""

    platform: str

    @property
    def routes(self) -> Sequence[RouteDef]:
        """What the web server answers for this platform; nothing where the bot itself connects to it."""

    async def start(self) -> None:
        """Connects, or goes on trying in the background where the platform cannot be reached now.

        Raises:
            SettingsError: a token or an address is wrong.
        """

    async def stop(self) -> None:
        """Answers what is under way and disconnects, within five seconds."""

    async def deliver(
        self, conversation: Conversation, reply: Reply, on_delivered: OnDelivered = ignore_delivery
    ) -> None:
        """Sends a notification, and has `arrived` done the moment the platform has it, before anything else.

        Raises DestinationGoneError, DeliveryFailedError.
        """

    async def edit(self, conversation: Conversation, message_id: str, reply: Reply) -> None:
        """Has a message that was sent show this reply; a card that was deleted meanwhile is sent anew.

        Raises DestinationGoneError, DeliveryFailedError.
        """

    def get_edit_intervals(self, conversation: Conversation) -> EditIntervals:
        """How often cards there may be edited, to keep within the platform's limits."""


class Actions(Protocol):
    """What buttons do, where a platform's buttons cannot hold a command line."""

    async def create_token(self, action: Action) -> str:
        """A token of at most 32 characters of `A-Za-z0-9_-` that stands for the action."""

    async def find_action(self, token: str) -> Action | None:
        """The action, or None when the token has expired or was never given out."""

    async def record_question(self, conversation: Conversation, message_id: str, token: str) -> None:
        """Notes which message asks the question of an action."""

    async def find_action_by_question(self, conversation: Conversation, message_id: str) -> Action | None:
        """The action whose question a message asks; None where it asks none, or asked it too long ago."""


class Cards(Protocol):
    """Which experiment a message of the bot is about. Messages are found without their thread."""

    async def record_message(
        self, conversation: Conversation, message_id: str, experiment_id: str, *, is_card: bool
    ) -> None:
        """Notes it. A message that is the experiment's card is kept up to date from now on."""

    async def find_experiment_id(self, conversation: Conversation, message_id: str) -> str:
        """The experiment's id, or an empty text for a message that is about none."""


class Conversations(Protocol):
    """Where people are told things."""

    async def move(self, old: Conversation, new: Conversation) -> None:
        """Notes that a conversation has another id now, so that what is kept for it goes there."""
