"""Each store: what is put in comes out, and what must exist once does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from clearml_chatops.models.audit import AuditEntry
from clearml_chatops.models.edits import DraftEdit, EditKind
from clearml_chatops.models.experiments import Status
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, ExperimentState, Notification
from clearml_chatops.models.people import Identity, Person, QueueBinding, Role
from clearml_chatops.models.replies import Outcome
from clearml_chatops.models.workers import StartedWorker
from clearml_chatops.storage.audit import AuditStore
from clearml_chatops.storage.conversations import CurrentExperimentStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.edits import DraftEditStore
from clearml_chatops.storage.outbox import OutboxStore
from clearml_chatops.storage.people import PeopleStore
from clearml_chatops.storage.states import WatcherStore
from clearml_chatops.storage.workers import StartedWorkerStore

_NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_TERMINAL = Conversation("terminal", "alice")
_CHANNEL = Conversation("slack", "C1")
_THREAD = Conversation("slack", "C1", "17.5")
_EVENT = ExperimentEvent(
    EventKind.LEFT_PENDING, "4f2a", "baseline", _NOON, "lab:q:gpu0", waited=timedelta(seconds=90.5)
)
_STATE = ExperimentState(
    experiment_id="4f2a",
    name="baseline",
    status=Status.RUNNING,
    status_changed=_NOON,
    parent_id="81c0",
    started=_NOON - _MINUTE,
    completed=None,
    worker_id="lab:q:gpu0",
    pending_since=_NOON - 2 * _MINUTE,
)
_WORKER = StartedWorker(
    id="lab:q:gpu0,1",
    host="lab",
    process_id=4711,
    process_started=_NOON,
    started=_NOON + _MINUTE,
)


async def _due(
    database: Database, recipient: Conversation = _TERMINAL, *, now: datetime = _NOON, limit: int = 50
) -> list[Notification]:
    async with database.reading() as session:
        return await OutboxStore(session).due(recipient.platform, recipient.id, now=now, limit=limit)


async def _put(database: Database, event: ExperimentEvent, *recipients: Conversation) -> None:
    async with database.writing() as session:
        await OutboxStore(session).add([(event, recipient) for recipient in recipients], now=_NOON)


# ── People ────────────────────────────────────────────────────────────────────────────────────────


async def test_a_person_is_found_by_his_identity_and_nobody_by_another(database: Database, alice: Person) -> None:
    async with database.reading() as session:
        people = PeopleStore(session)
        assert await people.find(Identity("terminal", "alice")) == alice
        assert alice == Person(alice.id, "Alice", Role.MEMBER, "a1")
        assert await people.find(Identity("slack", "alice")) is None
        assert await people.find(Identity("terminal", "alice", "T1")) is None
        assert await people.find(Identity("terminal", "bob")) is None


async def test_one_identity_is_one_person(database: Database, alice: Person) -> None:
    with pytest.raises(IntegrityError):
        await _add_person(database, Identity("terminal", "alice"))
    same_id_in_another_workspace = await _add_person(database, Identity("terminal", "alice", "T2"))
    assert same_id_in_another_workspace.id != alice.id


async def _add_person(database: Database, identity: Identity) -> Person:
    async with database.writing() as session:
        return await PeopleStore(session).add(identity, name="Bob", role=Role.ADMIN, clearml_user_id="b2")


async def test_a_queue_is_bound_renamed_owned_and_unbound(database: Database, alice: Person) -> None:
    bob = await _add_person(database, Identity("terminal", "bob"))
    async with database.writing() as session:
        people = PeopleStore(session)
        assert await people.queue_of(alice.id) is None
        await people.bind_queue(alice.id, QueueBinding("q0", "former"))
        await people.bind_queue(alice.id, QueueBinding("q1", "alice_queue"))
        await people.bind_queue(bob.id, QueueBinding("q2", "bob_queue"))
        await people.rename_bound_queue("q1", "cards_queue")
    async with database.writing() as session:
        people = PeopleStore(session)
        assert await people.queue_of(alice.id) == QueueBinding("q1", "cards_queue")
        assert await people.queue_of(bob.id) == QueueBinding("q2", "bob_queue")
        assert await people.others_with_queue("q1", 0) == [alice]
        assert await people.others_with_queue("q1", alice.id) == []
        assert await people.others_with_queue("q0", 0) == []
        await people.unbind_queue("q1")
    async with database.reading() as session:
        people = PeopleStore(session)
        assert await people.queue_of(alice.id) is None
        assert await people.queue_of(bob.id) == QueueBinding("q2", "bob_queue")


# ── Conversations ─────────────────────────────────────────────────────────────────────────────────


async def test_each_person_has_his_own_current_experiment_in_each_conversation(
    database: Database, alice: Person
) -> None:
    bob = await _add_person(database, Identity("terminal", "bob"))
    async with database.writing() as session:
        current = CurrentExperimentStore(session)
        assert await current.get(_CHANNEL, alice.id) == ""
        await current.set(_CHANNEL, alice.id, "former")
        await current.set(_CHANNEL, alice.id, "4f2a")
        await current.set(_THREAD, alice.id, "81c0")
        await current.set(_CHANNEL, bob.id, "77ff")
    async with database.reading() as session:
        current = CurrentExperimentStore(session)
        assert await current.get(_CHANNEL, alice.id) == "4f2a"
        assert await current.get(_THREAD, alice.id) == "81c0"
        assert await current.get(_CHANNEL, bob.id) == "77ff"
        assert await current.get(_TERMINAL, alice.id) == ""


# ── Edits ─────────────────────────────────────────────────────────────────────────────────────────


async def test_edits_are_undone_last_first_and_each_once(database: Database, alice: Person) -> None:
    first = DraftEdit("4f2a", EditKind.NAME, {"name": "a"}, {"name": "é"})
    second = DraftEdit("4f2a", EditKind.PARAMETERS, {"Args": [["lr", None]]}, {"Args": [["lr", "1"]]})
    async with database.writing() as session:
        edits = DraftEditStore(session)
        assert await edits.last("4f2a") is None
        for edit in (first, second, replace(first, experiment_id="81c0")):
            await edits.add(edit, person_id=alice.id, at=_NOON)
    for expected in (second, first):
        async with database.writing() as session:
            found = await DraftEditStore(session).last("4f2a")
            assert found is not None
            assert replace(found, id=0) == expected
            await DraftEditStore(session).mark_undone(found.id)
    async with database.reading() as session:
        assert await DraftEditStore(session).last("4f2a") is None
        assert await DraftEditStore(session).last("81c0") is not None


# ── The watcher's memory ──────────────────────────────────────────────────────────────────────────


async def test_a_state_is_remembered_whole_and_then_anew(database: Database) -> None:
    later = replace(_STATE, status=Status.FAILED, completed=_NOON + _MINUTE, pending_since=None)
    for state in (_STATE, later):
        async with database.writing() as session:
            await WatcherStore(session).remember([state])
        async with database.reading() as session:
            assert await WatcherStore(session).states(["4f2a", "unknown"]) == {"4f2a": state}


async def test_the_cursor_is_where_it_was_moved_last(database: Database) -> None:
    async with database.writing() as session:
        store = WatcherStore(session)
        assert await store.cursor() is None
        await store.move_cursor(_NOON)
        await store.move_cursor(_NOON + timedelta(microseconds=1))
    async with database.reading() as session:
        assert await WatcherStore(session).cursor() == _NOON + timedelta(microseconds=1)


async def test_the_oldest_change_is_that_of_the_state_that_changed_first(database: Database) -> None:
    async with database.writing() as session:
        store = WatcherStore(session)
        assert await store.oldest_change() is None
        await store.remember(
            [
                replace(_STATE, experiment_id=str(minute), status_changed=_NOON + minute * _MINUTE)
                for minute in (2, 1, 3)
            ]
        )
        assert await store.oldest_change() == _NOON + _MINUTE


async def test_watching_twice_is_watching_once_and_each_conversation_watches_for_itself(
    database: Database, alice: Person
) -> None:
    async with database.writing() as session:
        for recipient in (_TERMINAL, _TERMINAL, _CHANNEL, _THREAD, _CHANNEL):
            await WatcherStore(session).watch("4f2a", recipient, alice.id)
        await WatcherStore(session).watch("81c0", _CHANNEL, alice.id)
    async with database.writing() as session:
        await WatcherStore(session).watch("4f2a", _TERMINAL, alice.id)
    async with database.reading() as session:
        assert await WatcherStore(session).watchers(["4f2a", "unknown"]) == {"4f2a": [_TERMINAL, _CHANNEL]}


async def test_a_person_is_told_in_the_thread_where_he_asked_last_and_others_in_theirs(
    database: Database, alice: Person
) -> None:
    bob = await _add_person(database, Identity("slack", "U2"))
    other_thread = replace(_THREAD, thread="18.5")
    async with database.writing() as session:
        store = WatcherStore(session)
        await store.watch("4f2a", _THREAD, alice.id)
        await store.watch("4f2a", _CHANNEL, bob.id)
        await store.watch("4f2a", other_thread, alice.id)
    async with database.reading() as session:
        assert await WatcherStore(session).watchers(["4f2a"]) == {"4f2a": [other_thread, _CHANNEL]}


async def test_more_experiments_than_one_query_takes_are_all_found(database: Database, alice: Person) -> None:
    ids = [f"{number:032x}" for number in range(603)]
    async with database.writing() as session:
        store = WatcherStore(session)
        await store.remember(replace(_STATE, experiment_id=experiment_id) for experiment_id in ids)
        for experiment_id in (ids[0], ids[499], ids[500], ids[-1]):
            await store.watch(experiment_id, _TERMINAL, alice.id)
    async with database.reading() as session:
        store = WatcherStore(session)
        assert (await store.states(ids)).keys() == set(ids)
        assert (await store.watchers(ids)).keys() == {ids[0], ids[499], ids[500], ids[-1]}


# ── The outbox ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "event",
    [
        _EVENT,
        replace(_EVENT, kind=EventKind.FAILED, waited=None, ran=timedelta(hours=3), worker_id=""),
        replace(_EVENT, waited=timedelta(0)),
    ],
)
async def test_an_event_comes_out_of_the_outbox_as_it_went_in(database: Database, event: ExperimentEvent) -> None:
    await _put(database, event, _TERMINAL)
    (found,) = await _due(database)
    assert (found.event, found.recipient, found.attempts) == (event, _TERMINAL, 0)


async def test_an_event_seen_twice_is_told_once_to_each_recipient(database: Database) -> None:
    await _put(database, _EVENT, _TERMINAL, _TERMINAL, _CHANNEL)
    await _put(database, replace(_EVENT, experiment_name="renamed meanwhile"), _THREAD, _CHANNEL, _TERMINAL)
    assert [item.event for item in await _due(database)] == [_EVENT]
    assert [item.recipient for item in await _due(database, _CHANNEL)] == [_CHANNEL, _THREAD]


async def test_the_same_kind_of_event_at_another_time_is_another_event(database: Database) -> None:
    await _put(database, _EVENT, _TERMINAL)
    await _put(database, replace(_EVENT, at=_NOON + timedelta(microseconds=1)), _TERMINAL)
    await _put(database, replace(_EVENT, kind=EventKind.FAILED), _TERMINAL)
    await _put(database, replace(_EVENT, experiment_id="81c0"), _TERMINAL)
    assert len(await _due(database)) == 4


async def test_the_table_itself_keeps_a_notification_from_existing_twice(database: Database) -> None:
    await _put(database, _EVENT, _TERMINAL)
    with pytest.raises(IntegrityError, match="UNIQUE"):
        await _copy_the_row(database)


async def _copy_the_row(database: Database) -> None:
    columns = (
        "experiment_id, kind, at, platform, conversation_id, thread, details, "
        "attempts, noted, next_attempt, delivered"
    )
    async with database.writing() as session:
        await session.execute(text(f"INSERT INTO outbox ({columns}) SELECT {columns} FROM outbox"))


async def test_notifications_are_due_in_the_order_of_what_happened_up_to_a_limit(database: Database) -> None:
    for minute in (1, 2, 3):
        await _put(database, replace(_EVENT, at=_NOON + minute * _MINUTE), _TERMINAL)
    due = await _due(database, limit=2)
    assert [item.event.at for item in due] == [_NOON + _MINUTE, _NOON + 2 * _MINUTE]


async def test_a_postponed_notification_is_due_again_at_its_time_with_its_attempts_counted(
    database: Database,
) -> None:
    await _put(database, _EVENT, _TERMINAL)
    (waiting,) = await _due(database)
    for attempt in (1, 2):
        async with database.writing() as session:
            await OutboxStore(session).postpone(waiting.id, until=_NOON + attempt * _MINUTE)
    assert await _due(database, now=_NOON + 2 * _MINUTE - timedelta(seconds=1)) == []
    assert await _due(database, now=_NOON + 2 * _MINUTE) == [replace(waiting, attempts=2)]


async def test_a_delivered_notification_is_due_no_more_and_not_made_again(database: Database) -> None:
    await _put(database, _EVENT, _TERMINAL, _CHANNEL)
    (waiting,) = await _due(database)
    async with database.writing() as session:
        await OutboxStore(session).mark_delivered(waiting.id, at=_NOON)
    await _put(database, _EVENT, _TERMINAL)
    assert await _due(database) == []
    assert len(await _due(database, _CHANNEL)) == 1


async def test_what_is_undelivered_counts_postponed_ones_too(database: Database) -> None:
    await _put(database, _EVENT, _TERMINAL, _CHANNEL)
    await _put(database, replace(_EVENT, kind=EventKind.FAILED), _TERMINAL)
    await _put(database, replace(_EVENT, experiment_id="81c0"), _TERMINAL)
    first, second, _ = await _due(database)
    async with database.writing() as session:
        store = OutboxStore(session)
        assert await store.undelivered("4f2a", _TERMINAL) == 2
        await store.postpone(first.id, until=_NOON + _MINUTE)
        await store.mark_delivered(second.id, at=_NOON)
    async with database.reading() as session:
        assert await OutboxStore(session).undelivered("4f2a", _TERMINAL) == 1


async def test_a_watch_ends_for_the_one_who_ended_it_alone(database: Database, alice: Person) -> None:
    elsewhere = _THREAD
    async with database.writing() as session:
        store = WatcherStore(session)
        await store.remember([_STATE])
        for recipient in (_TERMINAL, elsewhere):
            await store.watch(_STATE.experiment_id, recipient, alice.id)
    async with database.writing() as session:
        store = WatcherStore(session)
        assert await store.watched_by(_TERMINAL) == [(_STATE, False)]
        assert await store.unwatch(_STATE.experiment_id, _TERMINAL)
        assert not await store.unwatch(_STATE.experiment_id, _TERMINAL)
    async with database.reading() as session:
        store = WatcherStore(session)
        assert await store.watched_by(_TERMINAL) == []
        assert await store.watchers([_STATE.experiment_id]) == {_STATE.experiment_id: [elsewhere]}


# ── Workers and audit ─────────────────────────────────────────────────────────────────────────────


async def test_started_workers_are_listed_by_host_replaced_and_removed(database: Database) -> None:
    ours = _WORKER
    restarted = replace(ours, process_id=4712)
    elsewhere = replace(ours, id="farm:q:gpu0", host="farm")
    async with database.writing() as session:
        store = StartedWorkerStore(session)
        for worker in (ours, elsewhere, restarted):
            await store.put(worker)
    async with database.writing() as session:
        store = StartedWorkerStore(session)
        assert await store.list(host="lab") == [restarted]
        await store.remove(ours.id)
        await store.remove("never there")
    async with database.reading() as session:
        store = StartedWorkerStore(session)
        assert await store.list(host="lab") == []
        assert await store.list(host="farm") == [elsewhere]


async def test_the_audit_trail_gives_its_newest_entries_first(database: Database, alice: Person) -> None:
    stranger = AuditEntry(_NOON, "slack:T1:U9", None, "slack:C1", "/find", Outcome.REFUSED, error_code="stranger")
    known = AuditEntry(
        _NOON + _MINUTE,
        "terminal:alice",
        alice.id,
        "terminal:alice",
        "/set args.note " + "é" * 1000,
        Outcome.BROKEN,
        experiment_id="4f2a",
        error_code="unexpected",
        incident="00ff00ff",
    )
    async with database.writing() as session:
        for entry in (stranger, known):
            await AuditStore(session).add(entry)
    async with database.reading() as session:
        assert await AuditStore(session).last(5) == [known, stranger]
        assert await AuditStore(session).last(1) == [known]
