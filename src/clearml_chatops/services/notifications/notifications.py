"""From the outbox to a conversation: what is due, with what a person wants to read beside it."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, Notice, Notification, get_subject
from clearml_chatops.models.quiet import Deferral
from clearml_chatops.services.notifications.deferral import load_deferral
from clearml_chatops.services.notifications.diagnosis import Diagnosis
from clearml_chatops.services.notifications.failure_diagnosis import FailureDiagnosisService
from clearml_chatops.services.notifications.unreachable_conversations import UnreachableConversations
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.delivery_log import DeliveryLog
from clearml_chatops.storage.outbox import OutboxStore
from clearml_chatops.storage.quiet import QuietStore

_BATCH_SIZE = 50
_MAX_PER_MESSAGE = 8
"""So that a platform takes it as one: where it took the first half, and then no more, that would come twice."""
_MAX_DEFERRED = 10_000
"""What is held back is one message however much it is; beyond all reason it is two."""
_INITIAL_RETRY_DELAY = timedelta(seconds=2)
_MAX_RETRY_DELAY = timedelta(minutes=10)
_MAX_DOUBLINGS = 10
_DELIVERY_TIMEOUT = timedelta(hours=24)
_RETENTION_PERIOD = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class DueMessage:
    """What is to be sent now in one message: all that happened to one experiment, or to one worker, in order.

    `triage` is why a run failed; None where none did or its log cannot be had. A digest is of several
    experiments: what was held back from a conversation, with the time zone of who is told where it is known.
    """

    notifications: tuple[Notification, ...]
    diagnosis: Diagnosis | None = None
    is_summary: bool = False
    zone: str = ""

    @property
    def recipient(self) -> Conversation:
        """Where it is sent: what is of several threads goes to the conversation itself."""
        conversations = {item.conversation for item in self.notifications}
        return (
            self.notifications[0].conversation
            if len(conversations) == 1
            else replace(conversations.pop(), thread="")
        )

    @property
    def parts(self) -> "tuple[DueMessage, ...]":
        """The messages of one experiment each that a digest stands for."""
        by_subject: dict[tuple[object, Conversation], list[Notification]] = {}
        for item in self.notifications:
            by_subject.setdefault((get_subject(item.event), item.conversation), []).append(item)
        return tuple(DueMessage(tuple(items)) for items in by_subject.values())

    @property
    def events(self) -> tuple[ExperimentEvent, ...]:
        return tuple(item.event for item in self.notifications if isinstance(item.event, ExperimentEvent))

    @property
    def notices(self) -> tuple[Notice, ...]:
        return tuple(item.event for item in self.notifications if isinstance(item.event, Notice))


class NotificationService:
    """`told` remembers what was told in the moments until the database does, `triage` tells why runs failed."""

    def __init__(
        self,
        *,
        database: Database,
        delivery_log: DeliveryLog,
        diagnosis_service: FailureDiagnosisService,
        clock: Callable[[], datetime],
    ) -> None:
        self._diagnosis_service = diagnosis_service
        self._database = database
        self._delivery_log = delivery_log
        self._clock = clock
        self._unreachable_conversations = UnreachableConversations(database=database, clock=clock)

    async def list_due(self, platform: str, conversation_id: str) -> list[DueMessage]:
        """What is to be sent to a conversation now, in the order in which it happened, logs left out.

        What waits for another attempt holds up all that happened after it. While a conversation is to be told
        nothing nothing is due; what was held back so is one message then.
        """
        now = self._clock()
        async with self._database.reading() as session:
            deferral = await load_deferral(QuietStore(session), platform, conversation_id, now=now)
            if deferral.until is not None and not deferral.allow_failures:
                return []
            due = await OutboxStore(session).list_due(platform, conversation_id, now=now, limit=_BATCH_SIZE)
            if _is_deferred(deferral, due):
                due = await OutboxStore(session).list_due(platform, conversation_id, now=now, limit=_MAX_DEFERRED)
        if delivered := [item for item in due if item in self._delivery_log]:
            # The program was killed, or the disk was full, before it was noted.
            await self._store_delivered(delivered)
            return await self.list_due(platform, conversation_id)
        if _is_deferred(deferral, due):
            return (
                _build_failure_messages(due)
                if deferral.until is not None
                else _build_deferred_messages(due, deferral)
            )
        messages = [
            DueMessage(part)
            for _, together in groupby(due, lambda item: (get_subject(item.event), item.conversation))
            for part in _split_into_batches(tuple(together))
        ]
        # What the limit may have cut in two is whole the next time.
        return messages[:-1] if len(due) == _BATCH_SIZE and len(messages) > 1 else messages

    async def add_diagnosis(self, message: DueMessage) -> DueMessage:
        """The message with why its run failed. One request for a failed run, else none."""
        if message.is_summary or not message.events:
            return message
        return replace(message, diagnosis=await self._diagnosis_service.diagnose(message.events[-1]))

    async def list_waiting_conversations(self, platform: str) -> list[str]:
        """The ids of a platform's conversations to which something is due."""
        async with self._database.reading() as session:
            return await OutboxStore(session).list_due_conversation_ids(platform, now=self._clock())

    async def mark_delivered(self, message: DueMessage) -> None:
        """Notes that a message was told: at once where that waits for nothing, and then in the database."""
        self._delivery_log.add(message.notifications)
        await self._store_delivered(message.notifications)

    async def _store_delivered(self, notifications: Sequence[Notification]) -> None:
        async with self._database.writing() as session:
            await OutboxStore(session).mark_delivered(*(item.id for item in notifications), at=self._clock())
        self._delivery_log.remove(notifications)

    async def mark_failed(self, message: DueMessage, reason: str) -> None:
        """Tries again later, with growing pauses; after a day the admins are told instead."""
        first, now = message.notifications[0], self._clock()
        if now - first.queued >= _DELIVERY_TIMEOUT:
            await self._unreachable_conversations.notify_admins(message.notifications, message.recipient, reason)
            return
        retry_delay = min(_INITIAL_RETRY_DELAY * 2 ** min(first.attempts, _MAX_DOUBLINGS), _MAX_RETRY_DELAY)
        async with self._database.writing() as session:
            await OutboxStore(session).postpone(first.id, until=now + retry_delay)

    async def reroute(self, message: DueMessage, platforms: Collection[str]) -> Conversation | None:
        """Sends it to the same people at other places, on the platforms that the bot is on.

        Gives the first of them; None where there is none, or they were told there already.
        """
        if message.is_summary:
            # They may be of several people, who are elsewhere each for himself.
            conversations = [await self.reroute(part, platforms) for part in message.parts]
            return next((conversation for conversation in conversations if conversation), None)
        return await self._unreachable_conversations.reroute(message.notifications, platforms)

    async def delete_old(self) -> int:
        """Deletes what was delivered long ago; gives how many it was.

        It is kept until nothing can be read once more that would make it again: for long after the watcher has
        moved on, and also where the bot was away for weeks.
        """
        async with self._database.writing() as session:
            return await OutboxStore(session).remove_delivered(self._clock() - _RETENTION_PERIOD)

    async def count_pending(self, experiment_id: str, recipient: Conversation) -> int:
        """How many notifications of an experiment are still on their way to the recipient; held back is none."""
        async with self._database.reading() as session:
            deferral = await load_deferral(
                QuietStore(session), recipient.platform, recipient.id, now=self._clock()
            )
            if deferral.until is not None:
                return 0
            return await OutboxStore(session).count_undelivered(experiment_id, recipient)


def _is_deferred(deferral: Deferral, due: Sequence[Notification]) -> bool:
    """Whether what is due is held back, or was."""
    return bool(due) and (deferral.until is not None or due[0].queued < deferral.deferred_before)


def _build_deferred_messages(due: Sequence[Notification], deferral: Deferral) -> list[DueMessage]:
    """What a hold has kept, as one message. Of one experiment it is the usual one."""
    deferred = tuple(item for item in due if item.queued < deferral.deferred_before)
    if len({(get_subject(item.event), item.conversation) for item in deferred}) > 1:
        return [DueMessage(deferred, is_summary=True, zone=deferral.zone)]
    return [DueMessage(part) for part in _split_into_batches(deferred)]


def _build_failure_messages(due: Sequence[Notification]) -> list[DueMessage]:
    """What is told also while it is quiet: each experiment that has failed, with what happened to it before."""
    return [
        message
        for message in DueMessage(tuple(due)).parts
        if any(event.kind is EventKind.FAILED for event in message.events)
    ]


def _split_into_batches(notifications: tuple[Notification, ...]) -> Iterator[tuple[Notification, ...]]:
    for start in range(0, len(notifications), _MAX_PER_MESSAGE):
        yield notifications[start : start + _MAX_PER_MESSAGE]
