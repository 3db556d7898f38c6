"""From the outbox to a conversation: what is due, with what a person wants to read beside it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, Notification
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.triage import LINES_READ, Triage, triaged
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.outbox import OutboxStore

_MOST_AT_ONCE = 50
_FIRST_PAUSE = timedelta(seconds=2)
_LONGEST_PAUSE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class DueMessage:
    """What is to be sent now in one message: all that happened to one experiment, in order.

    `triage` is why a run failed; None where none did or its log cannot be had.
    """

    notifications: tuple[Notification, ...]
    triage: Triage | None = None

    @property
    def recipient(self) -> Conversation:
        return self.notifications[0].recipient

    @property
    def events(self) -> tuple[ExperimentEvent, ...]:
        return tuple(notification.event for notification in self.notifications)


class NotificationService:
    def __init__(self, *, clearml: ClearML, database: Database, clock: Callable[[], datetime]) -> None:
        self._clearml = clearml
        self._database = database
        self._clock = clock

    async def due(self, platform: str, conversation_id: str) -> list[DueMessage]:
        """What is to be sent to a conversation now, in the order in which it happened, logs left out.

        What waits for another attempt holds up all that happened after it.
        """
        async with self._database.reading() as session:
            due = await OutboxStore(session).due(platform, conversation_id, now=self._clock(), limit=_MOST_AT_ONCE)
        messages = [
            DueMessage(tuple(together))
            for _, together in groupby(due, lambda item: (item.event.experiment_id, item.recipient))
        ]
        # What the limit may have cut in two is whole the next time.
        return messages[:-1] if len(due) == _MOST_AT_ONCE and len(messages) > 1 else messages

    async def in_full(self, message: DueMessage) -> DueMessage:
        """The message with why its run failed. One request for a failed run, else none."""
        return replace(message, triage=await self._triage(message.events[-1]))

    async def waiting_conversations(self, platform: str) -> list[str]:
        """The ids of a platform's conversations to which something is due."""
        async with self._database.reading() as session:
            return await OutboxStore(session).waiting_conversations(platform, now=self._clock())

    async def delivered(self, message: DueMessage) -> None:
        ids = [notification.id for notification in message.notifications]
        async with self._database.writing() as session:
            await OutboxStore(session).mark_delivered(*ids, at=self._clock())

    async def failed(self, message: DueMessage) -> None:
        """Tries again later, with growing pauses."""
        first = message.notifications[0]
        pause = min(_FIRST_PAUSE * 2**first.attempts, _LONGEST_PAUSE)
        async with self._database.writing() as session:
            await OutboxStore(session).postpone(first.id, until=self._clock() + pause)

    async def waiting_for(self, experiment_id: str, recipient: Conversation) -> int:
        """How many notifications of an experiment are still on their way to the recipient."""
        async with self._database.reading() as session:
            return await OutboxStore(session).undelivered(experiment_id, recipient)

    async def _triage(self, event: ExperimentEvent) -> Triage | None:
        if event.kind is not EventKind.FAILED:
            return None
        try:
            log = await self._clearml.last_log_lines(event.experiment_id, LINES_READ)
        except ChatOpsError:
            # That it failed is worth more than why; the log can be asked for with /log.
            return None
        return triaged([line.text for line in log], event.reason)
