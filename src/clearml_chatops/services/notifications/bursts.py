"""Bursts: from the fourth event within a minute on, a conversation has one message, which is edited."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from clearml_chatops.models.bursts import BURST_WINDOW, EVENTS_BEFORE_BURST, MAX_LISTED, Burst
from clearml_chatops.models.cards import EditIntervals
from clearml_chatops.models.messages import Conversation, SentMessage
from clearml_chatops.models.notifications import Notification
from clearml_chatops.services.notifications.due_messages import DueMessage
from clearml_chatops.services.notifications.edit_pace import EditPace
from clearml_chatops.storage.bursts import BurstStore
from clearml_chatops.storage.cards import CardStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.delivery_log import DeliveryLog
from clearml_chatops.storage.outbox import OutboxStore

_DIAGNOSIS_PERIOD = timedelta(minutes=5)
"""How long after its last event a burst waits for the causes of its failures."""
_RETRY_DELAY = timedelta(minutes=1)
_RETRY_PERIOD = timedelta(hours=24)

GetEditIntervals = Callable[[Conversation], EditIntervals]


class Bursts:
    """The bursts of all conversations.

    A burst is stored before it is sent: after a restart its events are in the same burst, and an edit can be
    repeated without harm.
    """

    def __init__(
        self,
        *,
        database: Database,
        delivery_log: DeliveryLog,
        edit_pace: EditPace,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._delivery_log = delivery_log
        self._edit_pace = edit_pace
        self._clock = clock

    async def group(
        self,
        messages: Sequence[DueMessage],
        platform: str,
        conversation_id: str,
        get_edit_intervals: GetEditIntervals,
    ) -> list[DueMessage]:
        """Return the due messages of a conversation, with those that belong to a burst as one.

        The message of a burst is left out while it may not be edited yet.
        """
        now = self._clock()
        async with self._database.reading() as session:
            bursts = await BurstStore(session).list_open(platform, conversation_id)
            counts = await OutboxStore(session).count_delivered_by_thread(
                platform, conversation_id, since=now - BURST_WINDOW
            )
        separate, added = _select_for_bursts(messages, bursts, Counter(counts), now)
        bursts = await self._add_to_bursts(added, bursts, now)
        members = _collect_members(messages, added, bursts)
        overviews = [
            await self._build_message(burst, tuple(members[burst.id]), get_edit_intervals(burst.conversation), now)
            for burst in bursts
        ]
        return [*separate, *(message for message in overviews if message)]

    async def mark_sent(self, message: DueMessage, sent: SentMessage | None) -> None:
        """Record that the message or the file of a burst is sent, first in the delivery log."""
        assert message.burst
        if message.is_file:
            self._delivery_log.add([message.burst])
            await self.finish(message.burst)
            return
        assert sent, "a front end that can edit messages tells which one it sent"
        self._delivery_log.add(message.notifications, sent)
        await self._store_sent(message.burst.id, message.notifications, sent, message)

    async def restore(self, notifications: Iterable[Notification]) -> None:
        """Store what the delivery log has recorded of bursts, but the database hasn't."""
        by_burst: dict[int, list[Notification]] = {}
        for item in notifications:
            if item.burst_id is not None:
                by_burst.setdefault(item.burst_id, []).append(item)
        for burst_id, items in by_burst.items():
            if sent := self._delivery_log.find_message(items[0]):
                await self._store_sent(burst_id, items, sent)

    async def retry_later(self, burst: Burst) -> None:
        """Postpone the next attempt at what has no events to send; after a day, give it up."""
        now = self._clock()
        if now >= burst.last_event + _RETRY_PERIOD:
            await self.finish(burst)
        else:
            await self._set_due(burst, now + _RETRY_DELAY)

    async def finish(self, burst: Burst) -> None:
        """Stop editing the message of a burst."""
        await self._set_due(burst, None)
        self._delivery_log.remove([burst])

    async def _add_to_bursts(
        self, added: dict[Conversation, list[Notification]], bursts: list[Burst], now: datetime
    ) -> list[Burst]:
        """Store to which bursts notifications belong, and return the open bursts then."""
        if not added:
            return bursts
        by_id = {burst.id: burst for burst in bursts}
        async with self._database.writing() as session:
            store = BurstStore(session)
            for conversation, items in added.items():
                burst = _find_current(conversation, bursts, now) or await store.start(conversation, now=now)
                by_id[burst.id] = await store.add(burst, *(item.id for item in items), now=now)
                items[:] = [replace(item, burst_id=burst.id) for item in items]
        return list(by_id.values())

    async def _build_message(
        self, burst: Burst, new: tuple[Notification, ...], intervals: EditIntervals, now: datetime
    ) -> DueMessage | None:
        if not new and burst.due > now:
            return None
        async with self._database.reading() as session:
            shown = tuple(await OutboxStore(session).list_delivered_of_burst(burst.id))
        message = DueMessage(new, burst=burst, shown=shown)
        if new or (message.undiagnosed and now < burst.last_event + _DIAGNOSIS_PERIOD):
            return message if await self._claim_edit(message, burst, intervals, now) else None
        if now < burst.end:
            await self._set_due(burst, min(burst.end, now + _RETRY_DELAY))
            return None
        if message.subject_count > MAX_LISTED and burst not in self._delivery_log:
            return replace(message, is_file=True)
        await self.finish(burst)
        return None

    async def _claim_edit(
        self, message: DueMessage, burst: Burst, intervals: EditIntervals, now: datetime
    ) -> bool:
        """Return whether the message may be sent or edited now. If it was edited a moment ago, delay it."""
        if burst.message is None or burst.shown is None:
            return True
        if (next_edit := burst.shown + intervals.card) > now:
            async with self._database.writing() as session:
                await OutboxStore(session).delay(*(item.id for item in message.notifications), until=next_edit)
                await BurstStore(session).set_due(burst.id, next_edit)
            return False
        return self._edit_pace.claim(burst.conversation, intervals.conversation, now)

    async def _store_sent(
        self,
        burst_id: int,
        notifications: Sequence[Notification],
        sent: SentMessage,
        message: DueMessage | None = None,
    ) -> None:
        now = self._clock()
        async with self._database.writing() as session:
            await OutboxStore(session).mark_delivered(
                *(item.id for item in notifications), at=now, burst_id=burst_id
            )
            await BurstStore(session).record_message(burst_id, sent, now=now)
            await BurstStore(session).set_due(burst_id, now)
            if message and message.is_overview:
                # Until now the message was about one experiment, and replies to it referred to that.
                await CardStore(session).remove_reference(sent.conversation, sent.id)
        self._delivery_log.remove(notifications)

    async def _set_due(self, burst: Burst, due: datetime | None) -> None:
        async with self._database.writing() as session:
            await BurstStore(session).set_due(burst.id, due)


def _select_for_bursts(
    messages: Iterable[DueMessage], bursts: Sequence[Burst], counts: Counter[str], now: datetime
) -> tuple[list[DueMessage], dict[Conversation, list[Notification]]]:
    """Return the messages that stay separate, and the notifications to add to the burst of each conversation.

    `counts` has how many events each thread got within the last minute.
    """
    open_ids = {burst.id for burst in bursts}
    separate: list[DueMessage] = []
    added: dict[Conversation, list[Notification]] = {}
    for message in messages:
        if message.is_summary:
            separate.append(message)
            continue
        free = tuple(item for item in message.notifications if item.burst_id not in open_ids)
        if not free:
            continue
        conversation = message.recipient
        has_burst = conversation in added or _find_current(conversation, bursts, now) is not None
        if _stays_separate(message) or (not has_burst and counts[conversation.thread] < EVENTS_BEFORE_BURST):
            separate.append(replace(message, notifications=free))
            counts[conversation.thread] += len(free)
        else:
            added.setdefault(conversation, []).extend(free)
    return separate, added


def _stays_separate(message: DueMessage) -> bool:
    """Return whether a message never joins a burst: a notice that isn't about an experiment.

    Such notices are few, and many ask somebody to answer.
    """
    return any(not item.experiment_id for item in message.notices)


def _find_current(conversation: Conversation, bursts: Iterable[Burst], now: datetime) -> Burst | None:
    """Return the burst that events of a conversation belong to now."""
    return next((burst for burst in bursts if burst.conversation == conversation and now < burst.end), None)


def _collect_members(
    messages: Iterable[DueMessage], added: dict[Conversation, list[Notification]], bursts: Sequence[Burst]
) -> dict[int, list[Notification]]:
    """Return the due notifications of each burst."""
    members: dict[int, list[Notification]] = {burst.id: [] for burst in bursts}
    joined = [item for items in added.values() for item in items]
    joined_ids = {item.id for item in joined}
    due = [item for message in messages if not message.is_summary for item in message.notifications]
    for item in sorted((*joined, *(item for item in due if item.id not in joined_ids)), key=lambda item: item.id):
        if item.burst_id is not None and item.burst_id in members:
            members[item.burst_id].append(item)
    return members
