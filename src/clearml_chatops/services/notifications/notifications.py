"""Turns due notifications of the outbox into messages, and records whether they were delivered."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby

from clearml_chatops.models.messages import Conversation, SentMessage
from clearml_chatops.models.notifications import EventKind, Notification, get_subject
from clearml_chatops.models.quiet import Deferral
from clearml_chatops.services.notifications.bulk_diagnosis import BulkDiagnosis, to_stored
from clearml_chatops.services.notifications.bursts import Bursts, GetEditIntervals
from clearml_chatops.services.notifications.deferral import load_deferral
from clearml_chatops.services.notifications.due_messages import DueMessage, split_into_messages
from clearml_chatops.services.notifications.edit_pace import EditPace
from clearml_chatops.services.notifications.failure_diagnosis import FailureDiagnosisService
from clearml_chatops.services.notifications.unreachable_conversations import UnreachableConversations
from clearml_chatops.storage.bursts import BurstStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.delivery_log import DeliveryLog
from clearml_chatops.storage.outbox import OutboxStore
from clearml_chatops.storage.quiet import QuietStore

_BATCH_SIZE = 50
_MAX_TOGETHER = 10_000
"""Deferred notifications are one summary, and those of a burst are one message, up to this limit."""
_INITIAL_RETRY_DELAY = timedelta(seconds=2)
_MAX_RETRY_DELAY = timedelta(minutes=10)
_MAX_DOUBLINGS = 10
_DELIVERY_TIMEOUT = timedelta(hours=24)
_RETENTION_PERIOD = timedelta(days=30)


class NotificationService:
    """The notifications of all conversations.

    `delivery_log` remembers deliveries until the database does; `diagnosis_service` finds out why runs failed.
    `edit_pace` is shared with whatever else edits messages.
    """

    def __init__(
        self,
        *,
        database: Database,
        delivery_log: DeliveryLog,
        diagnosis_service: FailureDiagnosisService,
        clock: Callable[[], datetime],
        edit_pace: EditPace | None = None,
    ) -> None:
        self._diagnosis_service = diagnosis_service
        self._database = database
        self._delivery_log = delivery_log
        self._clock = clock
        self._bulk_diagnosis = BulkDiagnosis(database=database, diagnosis_service=diagnosis_service)
        self._bursts = Bursts(
            database=database, delivery_log=delivery_log, edit_pace=edit_pace or EditPace(), clock=clock
        )
        self._unreachable_conversations = UnreachableConversations(database=database, clock=clock)

    async def list_due(
        self, platform: str, conversation_id: str, get_edit_intervals: GetEditIntervals | None = None
    ) -> list[DueMessage]:
        """Return the messages to send to a conversation now, in the order of their events, without diagnosis.

        A notification that waits for its next attempt holds back the later ones. While notifications are
        deferred, nothing is due; afterwards the deferred ones are one message. With `get_edit_intervals` the
        platform can edit messages, and many events at once are one message, which comes last.
        """
        now = self._clock()
        limit = _MAX_TOGETHER if get_edit_intervals else _BATCH_SIZE
        async with self._database.reading() as session:
            deferral = await load_deferral(QuietStore(session), platform, conversation_id, now=now)
            if deferral.until is not None and not deferral.allow_failures:
                return []
            due = await OutboxStore(session).list_due(platform, conversation_id, now=now, limit=limit)
            if _is_deferred(deferral, due):
                due = await OutboxStore(session).list_due(platform, conversation_id, now=now, limit=_MAX_TOGETHER)
        if delivered := [item for item in due if item in self._delivery_log]:
            # The program was killed, or the disk was full, before the database recorded these.
            await self._restore(delivered)
            return await self.list_due(platform, conversation_id, get_edit_intervals)
        messages = _build_messages(due, deferral, limit)
        if get_edit_intervals is None:
            return messages
        return await self._bursts.group(messages, platform, conversation_id, get_edit_intervals)

    async def add_diagnosis(self, message: DueMessage) -> DueMessage:
        """Return the message with the diagnosis of its failed run. Takes one request for each failed run."""
        if message.is_overview:
            return await self._bulk_diagnosis.add(message)
        if not message.events:
            return message
        diagnosis = await self._diagnosis_service.diagnose(message.events[-1])
        if message.burst and message.undiagnosed:
            await self._bulk_diagnosis.store({item.id: to_stored(diagnosis) for item in message.undiagnosed})
        return replace(message, diagnosis=diagnosis)

    async def list_waiting_conversations(self, platform: str) -> list[str]:
        """Return the ids of a platform's conversations that have something due."""
        now = self._clock()
        async with self._database.reading() as session:
            waiting_ids = await OutboxStore(session).list_due_conversation_ids(platform, now=now)
            burst_ids = await BurstStore(session).list_due_conversation_ids(platform, now=now)
        return sorted({*waiting_ids, *burst_ids})

    async def mark_delivered(self, message: DueMessage, sent: SentMessage | None = None) -> None:
        """Record a delivered message, first in the delivery log, which does not block, then in the database."""
        if message.burst:
            await self._bursts.mark_sent(message, sent)
            return
        self._delivery_log.add(message.notifications)
        await self._store_delivered(message.notifications)

    async def _restore(self, delivered: Sequence[Notification]) -> None:
        """Store deliveries that only the delivery log has recorded."""
        await self._bursts.restore(delivered)
        if separate := [item for item in delivered if item in self._delivery_log]:
            await self._store_delivered(separate)

    async def _store_delivered(self, notifications: Sequence[Notification]) -> None:
        async with self._database.writing() as session:
            await OutboxStore(session).mark_delivered(*(item.id for item in notifications), at=self._clock())
        self._delivery_log.remove(notifications)

    async def mark_failed(self, message: DueMessage, reason: str) -> None:
        """Postpone a message, with growing delays; after a day, give up and notify the admins."""
        if message.burst and not message.notifications:
            await self._bursts.retry_later(message.burst)
            return
        first, now = message.notifications[0], self._clock()
        if now - first.queued >= _DELIVERY_TIMEOUT:
            await self._unreachable_conversations.notify_admins(message.notifications, message.recipient, reason)
            return
        retry_delay = min(_INITIAL_RETRY_DELAY * 2 ** min(first.attempts, _MAX_DOUBLINGS), _MAX_RETRY_DELAY)
        async with self._database.writing() as session:
            await OutboxStore(session).postpone(first.id, until=now + retry_delay)

    async def reroute(self, message: DueMessage, platforms: Collection[str]) -> Conversation | None:
        """Send a message to the same people in other conversations, on the platforms that the bot is on.

        Returns the first of them; None if there is none, or everyone was notified there already.
        """
        if message.burst:
            await self._bursts.finish(message.burst)
        if message.is_summary or message.burst:
            # It can be meant for several people, each with a private chat of their own.
            conversations = [await self.reroute(part, platforms) for part in message.parts]
            return next((conversation for conversation in conversations if conversation), None)
        return await self._unreachable_conversations.reroute(message.notifications, platforms)

    async def delete_old(self) -> int:
        """Delete notifications that were delivered long ago; return how many.

        They are kept for weeks: a watcher that reads old changes again must find them, or it queues them again.
        """
        await self._clean_delivery_log()
        async with self._database.writing() as session:
            await BurstStore(session).remove_finished(self._clock() - _RETENTION_PERIOD)
            return await OutboxStore(session).remove_delivered(self._clock() - _RETENTION_PERIOD)

    async def _clean_delivery_log(self) -> None:
        """Remove what was stored as delivered just before the program was killed. Else the file only grows."""
        if keys := self._delivery_log.get_keys():
            async with self._database.reading() as session:
                undelivered = await OutboxStore(session).list_undelivered()
                bursts = await BurstStore(session).list_all_open()
            self._delivery_log.retain([*undelivered, *bursts], among=keys)

    async def count_pending(self, experiment_id: str, recipient: Conversation) -> int:
        """Return how many notifications of an experiment the recipient will get soon, without deferred ones."""
        async with self._database.reading() as session:
            deferral = await load_deferral(
                QuietStore(session), recipient.platform, recipient.id, now=self._clock()
            )
            if deferral.until is not None:
                return 0
            return await OutboxStore(session).count_undelivered(experiment_id, recipient)


def _build_messages(due: Sequence[Notification], deferral: Deferral, limit: int) -> list[DueMessage]:
    """Return the due notifications as messages. The limit may have split the last one."""
    if _is_deferred(deferral, due):
        return (
            _build_failure_messages(due) if deferral.until is not None else _build_deferred_messages(due, deferral)
        )
    messages = [
        message
        for _, together in groupby(due, lambda item: (get_subject(item.event), item.conversation))
        for message in split_into_messages(tuple(together))
    ]
    # It is complete next time.
    return messages[:-1] if len(due) == limit and len(messages) > 1 else messages


def _is_deferred(deferral: Deferral, due: Sequence[Notification]) -> bool:
    """Return whether the due notifications are deferred, or were."""
    return bool(due) and (deferral.until is not None or due[0].queued < deferral.deferred_before)


def _build_deferred_messages(due: Sequence[Notification], deferral: Deferral) -> list[DueMessage]:
    """Return the deferred notifications as one summary; those of a single subject as normal messages."""
    deferred = tuple(item for item in due if item.queued < deferral.deferred_before)
    if len({(get_subject(item.event), item.conversation) for item in deferred}) > 1:
        return [DueMessage(deferred, is_summary=True, zone=deferral.zone)]
    return list(split_into_messages(deferred))


def _build_failure_messages(due: Sequence[Notification]) -> list[DueMessage]:
    """Return a message for each failed experiment, with its earlier events; these pass quiet hours."""
    messages = DueMessage(tuple(due)).parts
    return [item for item in messages if any(event.kind is EventKind.FAILED for event in item.events)]
