"""A chat platform in memory that can edit messages, fail, and be killed with the bot in the midst of a request."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from clearml_chatops.bot.frontends.front_end import DestinationGoneError, OnDelivered
from clearml_chatops.models.cards import EditIntervals
from clearml_chatops.models.messages import Conversation, SentMessage
from clearml_chatops.models.replies import Reply, TextFile
from tests.support.program import to_plain_text


class KilledError(BaseException):
    """The bot was killed. Nothing catches it, as nothing outlives a kill."""


@dataclass
class MemoryPlatform:
    """Messages by id. `checkpoint` is called before and after each change of a message."""

    messages: dict[str, Reply] = field(default_factory=dict)
    intervals: EditIntervals = field(default_factory=lambda: EditIntervals(timedelta(seconds=5)))
    checkpoint: Callable[[], None] = lambda: None
    error: Exception | None = None
    gone_ids: set[str] = field(default_factory=set)
    edits: Counter[str] = field(default_factory=Counter)

    async def send(self, conversation: Conversation, reply: Reply, on_delivered: OnDelivered) -> None:
        self._check(conversation)
        self.checkpoint()
        message_id = str(len(self.messages) + 1)
        self.messages[message_id] = reply
        await on_delivered(SentMessage(conversation, message_id))

    async def edit(self, conversation: Conversation, message_id: str, reply: Reply) -> bool:
        self._check(conversation)
        self.checkpoint()
        if message_id not in self.messages:
            return False
        self.messages[message_id] = reply
        self.edits[message_id] += 1
        self.checkpoint()
        return True

    def get_edit_intervals(self, _conversation: Conversation) -> EditIntervals:
        return self.intervals

    def delete(self, message_id: str) -> None:
        self.messages.pop(message_id)

    @property
    def texts(self) -> list[str]:
        """The messages without the files."""
        return [to_plain_text(reply) for reply in self.messages.values() if not _find_files(reply)]

    @property
    def files(self) -> list[TextFile]:
        return [file for reply in self.messages.values() for file in _find_files(reply)]

    def _check(self, conversation: Conversation) -> None:
        if self.error:
            raise self.error
        if conversation.id in self.gone_ids:
            raise DestinationGoneError("blocked")


def _find_files(reply: Reply) -> list[TextFile]:
    return [block for block in reply.blocks if isinstance(block, TextFile)]
