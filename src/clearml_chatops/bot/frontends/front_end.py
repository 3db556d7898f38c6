"""The interface of chat front ends, and the interfaces of the stores that they need."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from aiohttp.web import RouteDef

from clearml_chatops.models.actions import Action
from clearml_chatops.models.cards import EditIntervals
from clearml_chatops.models.messages import Conversation, IncomingMessage, SentMessage
from clearml_chatops.models.replies import Button, Buttons, Outcome, Reply, Text, Tone
from clearml_chatops.models.requests import RequestState

MessageHandler = Callable[[IncomingMessage], Awaitable[Reply]]
"""Answers a message; the dispatcher's `handle`."""

STOPPED_TEXT = (
    "The bot stopped before this finished. It may still happen: check with /show before you send it again."
)
"""The answer to a command that did not end before the program did."""

INTERRUPTED_REPLY = Reply(
    (
        Text(
            "The bot was stopped while it did this, so it may or may not be done. Check before you send it again.",
            Tone.WARNING,
        ),
        Buttons((Button("Show", "/show"),)),
    ),
    Outcome.BROKEN,
)
"""The answer to a request that is delivered again after the bot was killed in the midst of it."""


class DestinationGoneError(Exception):
    """The conversation can no longer be reached: blocked, left, archived or deleted. Retries are useless."""


class DeliveryFailedError(Exception):
    """A message was not sent; a retry may succeed. `reason` is the platform's own text."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class OnDelivered(Protocol):
    """Marks a message as delivered. A process that is killed before this call sends the message again."""

    async def __call__(self, sent: SentMessage | None = None) -> None:
        """Mark it. `sent` is the message, if it can be edited later."""


async def ignore_delivery(sent: SentMessage | None = None) -> None:
    """Do nothing: for a message that is never sent again."""


class MessageEditor(Protocol):
    """Edits messages that were sent."""

    async def edit(self, conversation: Conversation, message_id: str, reply: Reply) -> bool:
        """Replace a sent message with this reply. A card that was deleted is sent again.

        Returns False if the message doesn't exist any more. Raises DestinationGoneError, DeliveryFailedError.
        """
        ...

    def get_edit_intervals(self, conversation: Conversation) -> EditIntervals:
        """Return how often messages in a conversation may be edited, within the platform's limits."""
        ...


class FrontEnd(MessageEditor, Protocol):
    """A chat platform that the bot is connected to."""

    platform: str

    @property
    def routes(self) -> Sequence[RouteDef]:
        """The routes that the web server serves for this platform; none if the bot connects to it."""

    async def start(self) -> None:
        """Connect. If the platform can't be reached, keep trying in the background.

        Raises:
            SettingsError: A token or an address is wrong.
        """

    async def stop(self) -> None:
        """Answer running commands and disconnect, within five seconds."""

    async def deliver(
        self, conversation: Conversation, reply: Reply, on_delivered: OnDelivered = ignore_delivery
    ) -> None:
        """Send a notification. Call `on_delivered` as soon as the platform has it, before anything else.

        Raises DestinationGoneError, DeliveryFailedError.
        """


class Requests(Protocol):
    """The requests that were handled, across restarts: a platform delivers some of them again."""

    async def begin(self, platform: str, keys: Sequence[str]) -> RequestState:
        """Record a request before it is carried out, and return what became of it before. Raises ChatOpsError."""

    async def finish(self, platform: str, keys: Sequence[str]) -> None:
        """Record that a request was answered."""


class Actions(Protocol):
    """The actions behind buttons, for a platform that can't store a command line in a button."""

    async def create_token(self, action: Action) -> str:
        """Return a token for the action: at most 32 characters of `A-Za-z0-9_-`."""

    async def find_action(self, token: str) -> Action | None:
        """Return the action, or None if the token has expired or is unknown."""

    async def record_question(self, conversation: Conversation, message_id: str, token: str) -> None:
        """Save which message asks the question of an action."""

    async def find_action_by_question(self, conversation: Conversation, message_id: str) -> Action | None:
        """Return the action that a message asks about; None if it asks nothing or has expired."""


class Cards(Protocol):
    """The experiments that the bot's messages are about. Lookups ignore the thread."""

    async def record_message(
        self, conversation: Conversation, message_id: str, experiment_id: str, *, is_card: bool
    ) -> None:
        """Save which experiment a message is about. A card is kept up to date from now on."""

    async def find_experiment_id(self, conversation: Conversation, message_id: str) -> str:
        """Return the id of the experiment that a message is about; an empty string if there is none."""


class Conversations(Protocol):
    """The conversations that the bot writes to."""

    async def move(self, old: Conversation, new: Conversation) -> None:
        """Move all that is stored for a conversation to its new id."""
