"""Bursts in the database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from clearml_chatops.models.bursts import BURST_WINDOW, MAX_BURST_AGE
from clearml_chatops.models.messages import Conversation, SentMessage
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, Notification, StoredDiagnosis
from clearml_chatops.storage.bursts import BurstStore
from clearml_chatops.storage.conversation_moves import ConversationMover
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.outbox import OutboxStore

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
GROUP = Conversation("telegram", "-7")
SENT = SentMessage(GROUP, "42")


async def _queue(database: Database, *names: str) -> list[Notification]:
    events = [ExperimentEvent(EventKind.FAILED, name, name, NOON) for name in names]
    async with database.writing() as session:
        await OutboxStore(session).add([(event, GROUP) for event in events], now=NOON)
        return await OutboxStore(session).list_due(GROUP.platform, GROUP.id, now=NOON, limit=100)


async def test_a_burst_has_its_message_and_what_it_shows(database: Database) -> None:
    first, second = await _queue(database, "first", "second")
    async with database.writing() as session:
        store, outbox = BurstStore(session), OutboxStore(session)
        burst = await store.add(await store.start(GROUP, now=NOON), first.id, second.id, now=NOON)
        await outbox.mark_delivered(first.id, at=NOON, burst_id=burst.id)
        await outbox.put_diagnoses({first.id: StoredDiagnosis("killed", can_retry=True)})
        await store.record_message(burst.id, SENT, now=NOON)
    async with database.reading() as session:
        [found] = await BurstStore(session).list_open(GROUP.platform, GROUP.id)
        [shown] = await OutboxStore(session).list_delivered_of_burst(burst.id)
        [queued] = await OutboxStore(session).list_due(GROUP.platform, GROUP.id, now=NOON, limit=100)
    assert (found.message, found.shown, found.conversation) == (SENT, NOON, GROUP)
    assert found.is_waiting, "the second one isn't sent yet"
    assert found.end == NOON + MAX_BURST_AGE
    assert shown == replace(first, burst_id=burst.id, diagnosis=StoredDiagnosis("killed", can_retry=True))
    assert queued == replace(second, burst_id=burst.id)


async def test_a_burst_ends_a_window_after_its_last_event_and_is_due_until_it_is_finished(
    database: Database,
) -> None:
    later = NOON + timedelta(seconds=50)
    async with database.writing() as session:
        store = BurstStore(session)
        burst = await store.add(await store.start(GROUP, now=NOON), now=later)
        assert burst.end == later + BURST_WINDOW
        assert replace(burst, last_event=NOON + MAX_BURST_AGE).end == NOON + MAX_BURST_AGE
        await store.set_due(burst.id, later)
        assert await store.list_due_conversation_ids(GROUP.platform, now=NOON) == []
        assert await store.list_due_conversation_ids(GROUP.platform, now=later) == [GROUP.id]
        assert await store.remove_finished(NOON + timedelta(days=1)) == 0
        await store.set_due(burst.id, None)
        assert await store.list_due_conversation_ids(GROUP.platform, now=later) == []
        assert await store.list_open(GROUP.platform, GROUP.id) == []
        assert await store.remove_finished(later) == 0
        assert await store.remove_finished(later + timedelta(seconds=1)) == 1


async def test_a_burst_moves_with_its_conversation_but_its_message_stays_behind(database: Database) -> None:
    supergroup = Conversation("telegram", "-1007")
    async with database.writing() as session:
        burst = await BurstStore(session).start(GROUP, now=NOON)
        await BurstStore(session).record_message(burst.id, SENT, now=NOON)
        await ConversationMover(session).move(GROUP, supergroup, now=NOON)
    async with database.reading() as session:
        [moved] = await BurstStore(session).list_open(supergroup.platform, supergroup.id)
    # An id that isn't a number is of no message, so the next edit finds it missing and it is sent again.
    assert moved.message == SentMessage(supergroup, "old:42")


async def test_only_messages_of_their_own_are_counted(database: Database) -> None:
    rows = await _queue(database, "first", "second", "third")
    async with database.writing() as session:
        burst = await BurstStore(session).start(GROUP, now=NOON)
        outbox = OutboxStore(session)
        await outbox.mark_delivered(rows[0].id, at=NOON)
        await outbox.mark_delivered(rows[1].id, at=NOON, burst_id=burst.id)
        since = NOON - timedelta(seconds=1)
        assert await outbox.count_delivered_by_thread(GROUP.platform, GROUP.id, since=since) == {"": 1}
        assert await outbox.count_delivered_by_thread(GROUP.platform, GROUP.id, since=NOON) == {}
