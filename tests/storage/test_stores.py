"""Stores: values are read back unchanged, and unique ones exist once."""

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
from clearml_chatops.storage.current_experiments import CurrentExperimentStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.edits import DraftEditStore
from clearml_chatops.storage.outbox import OutboxStore
from clearml_chatops.storage.people import PeopleStore
from clearml_chatops.storage.watcher import WatcherStore
from clearml_chatops.storage.workers import StartedWorkerStore

_NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_TERMINAL = Conversation("terminal", "alice")
_CHANNEL = Conversation("slack", "C1")
_THREAD = Conversation("slack", "C1", "17.5")
_EVENT = ExperimentEvent(
    EventKind.STARTED, "4f2a", "baseline", _NOON, "lab:q:gpu0", waiting_time=timedelta(seconds=90.5)
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


async def _list_due(
    database: Database, conversation: Conversation = _TERMINAL, *, now: datetime = _NOON, limit: int = 50
) -> list[Notification]:
    async with database.reading() as session:
        return await OutboxStore(session).list_due(conversation.platform, conversation.id, now=now, limit=limit)


async def _add_to_outbox(database: Database, event: ExperimentEvent, *conversations: Conversation) -> None:
    async with database.writing() as session:
        await OutboxStore(session).add([(event, conversation) for conversation in conversations], now=_NOON)


# ── People ────────────────────────────────────────────────────────────────────────────────────────


async def test_find_returns_the_person_with_exactly_this_identity(database: Database, alice: Person) -> None:
    async with database.reading() as session:
        people = PeopleStore(session)
        assert await people.find(Identity("terminal", "alice")) == alice
        assert alice == Person(alice.id, "Alice", Role.MEMBER, "a1")
        assert await people.find(Identity("slack", "alice")) is None
        assert await people.find(Identity("terminal", "alice", "T1")) is None
        assert await people.find(Identity("terminal", "bob")) is None


async def test_an_identity_belongs_to_one_person(database: Database, alice: Person) -> None:
    with pytest.raises(IntegrityError):
        await _add_person(database, Identity("terminal", "alice"))
    same_id_in_another_workspace = await _add_person(database, Identity("terminal", "alice", "T2"))
    assert same_id_in_another_workspace.id != alice.id


async def _add_person(database: Database, identity: Identity) -> Person:
    async with database.writing() as session:
        return await PeopleStore(session).add(identity, name="Bob", role=Role.ADMIN, clearml_user_id="b2")


async def test_queue_bindings_are_put_renamed_listed_and_removed(database: Database, alice: Person) -> None:
    bob = await _add_person(database, Identity("terminal", "bob"))
    async with database.writing() as session:
        people = PeopleStore(session)
        assert await people.get_queue_binding(alice.id) is None
        await people.bind_queue(alice.id, QueueBinding("q0", "former"))
        await people.bind_queue(alice.id, QueueBinding("q1", "alice_queue"))
        await people.bind_queue(bob.id, QueueBinding("q2", "bob_queue"))
        await people.rename_bound_queue("q1", "renamed_queue")
    async with database.writing() as session:
        people = PeopleStore(session)
        assert await people.get_queue_binding(alice.id) == QueueBinding("q1", "renamed_queue")
        assert await people.get_queue_binding(bob.id) == QueueBinding("q2", "bob_queue")
        assert await people.list_others_with_queue("q1", 0) == [alice]
        assert await people.list_others_with_queue("q1", alice.id) == []
        assert await people.list_others_with_queue("q0", 0) == []
        await people.unbind_queue("q1")
    async with database.reading() as session:
        people = PeopleStore(session)
        assert await people.get_queue_binding(alice.id) is None
        assert await people.get_queue_binding(bob.id) == QueueBinding("q2", "bob_queue")


# ── Conversations ─────────────────────────────────────────────────────────────────────────────────


async def test_the_current_experiment_is_per_person_and_conversation(database: Database, alice: Person) -> None:
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


async def test_edits_are_undone_in_reverse_order_and_only_once(database: Database, alice: Person) -> None:
    first = DraftEdit("4f2a", EditKind.NAME, {"name": "a"}, {"name": "é"})
    second = DraftEdit("4f2a", EditKind.PARAMETERS, {"Args": [["lr", None]]}, {"Args": [["lr", "1"]]})
    async with database.writing() as session:
        edits = DraftEditStore(session)
        assert await edits.get_last("4f2a") is None
        for edit in (first, second, replace(first, experiment_id="81c0")):
            await edits.add(edit, person_id=alice.id, at=_NOON)
    for expected in (second, first):
        async with database.writing() as session:
            found = await DraftEditStore(session).get_last("4f2a")
            assert found is not None
            assert replace(found, id=0) == expected
            await DraftEditStore(session).mark_undone(found.id)
    async with database.reading() as session:
        assert await DraftEditStore(session).get_last("4f2a") is None
        assert await DraftEditStore(session).get_last("81c0") is not None


# ── The watcher ───────────────────────────────────────────────────────────────────────────────────


async def test_a_state_is_stored_completely_and_replaced(database: Database) -> None:
    later = replace(_STATE, status=Status.FAILED, completed=_NOON + _MINUTE, pending_since=None)
    for state in (_STATE, later):
        async with database.writing() as session:
            await WatcherStore(session).put_states([state])
        async with database.reading() as session:
            assert await WatcherStore(session).find_states(["4f2a", "unknown"]) == {"4f2a": state}


async def test_move_cursor_updates_the_position(database: Database) -> None:
    async with database.writing() as session:
        store = WatcherStore(session)
        assert await store.get_cursor() is None
        await store.move_cursor(_NOON)
        await store.move_cursor(_NOON + timedelta(microseconds=1))
    async with database.reading() as session:
        assert await WatcherStore(session).get_cursor() == _NOON + timedelta(microseconds=1)


async def test_the_oldest_status_change_is_the_earliest_of_all_states(database: Database) -> None:
    async with database.writing() as session:
        store = WatcherStore(session)
        assert await store.get_oldest_status_change() is None
        await store.put_states(
            [
                replace(_STATE, experiment_id=str(minute), status_changed=_NOON + minute * _MINUTE)
                for minute in (2, 1, 3)
            ]
        )
        assert await store.get_oldest_status_change() == _NOON + _MINUTE


async def test_adding_a_watch_twice_keeps_one_watch_per_conversation(database: Database, alice: Person) -> None:
    async with database.writing() as session:
        for conversation in (_TERMINAL, _TERMINAL, _CHANNEL, _THREAD, _CHANNEL):
            await WatcherStore(session).add_watch("4f2a", conversation, alice.id)
        await WatcherStore(session).add_watch("81c0", _CHANNEL, alice.id)
    async with database.writing() as session:
        await WatcherStore(session).add_watch("4f2a", _TERMINAL, alice.id)
    async with database.reading() as session:
        assert await WatcherStore(session).find_watchers(["4f2a", "unknown"]) == {"4f2a": [_TERMINAL, _CHANNEL]}


async def test_a_watch_moves_to_the_thread_where_its_person_asked_last(database: Database, alice: Person) -> None:
    bob = await _add_person(database, Identity("slack", "U2"))
    other_thread = replace(_THREAD, thread="18.5")
    async with database.writing() as session:
        store = WatcherStore(session)
        await store.add_watch("4f2a", _THREAD, alice.id)
        await store.add_watch("4f2a", _CHANNEL, bob.id)
        await store.add_watch("4f2a", other_thread, alice.id)
    async with database.reading() as session:
        assert await WatcherStore(session).find_watchers(["4f2a"]) == {"4f2a": [other_thread, _CHANNEL]}


async def test_more_experiments_than_one_query_takes_are_found(database: Database, alice: Person) -> None:
    ids = [f"{number:032x}" for number in range(603)]
    async with database.writing() as session:
        store = WatcherStore(session)
        await store.put_states(replace(_STATE, experiment_id=experiment_id) for experiment_id in ids)
        for experiment_id in (ids[0], ids[499], ids[500], ids[-1]):
            await store.add_watch(experiment_id, _TERMINAL, alice.id)
    async with database.reading() as session:
        store = WatcherStore(session)
        assert (await store.find_states(ids)).keys() == set(ids)
        assert (await store.find_watchers(ids)).keys() == {ids[0], ids[499], ids[500], ids[-1]}


# ── The outbox ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "event",
    [
        _EVENT,
        replace(_EVENT, kind=EventKind.FAILED, waiting_time=None, running_time=timedelta(hours=3), worker_id=""),
        replace(_EVENT, waiting_time=timedelta(0)),
    ],
)
async def test_an_event_is_read_back_from_the_outbox_unchanged(database: Database, event: ExperimentEvent) -> None:
    await _add_to_outbox(database, event, _TERMINAL)
    (found,) = await _list_due(database)
    assert (found.event, found.conversation, found.attempts) == (event, _TERMINAL, 0)


async def test_an_event_added_twice_is_queued_once_per_conversation(database: Database) -> None:
    await _add_to_outbox(database, _EVENT, _TERMINAL, _TERMINAL, _CHANNEL)
    await _add_to_outbox(database, replace(_EVENT, experiment_name="renamed"), _THREAD, _CHANNEL, _TERMINAL)
    assert [item.event for item in await _list_due(database)] == [_EVENT]
    assert [item.conversation for item in await _list_due(database, _CHANNEL)] == [_CHANNEL, _THREAD]


async def test_events_differ_by_time_kind_and_experiment(database: Database) -> None:
    await _add_to_outbox(database, _EVENT, _TERMINAL)
    await _add_to_outbox(database, replace(_EVENT, at=_NOON + timedelta(microseconds=1)), _TERMINAL)
    await _add_to_outbox(database, replace(_EVENT, kind=EventKind.FAILED), _TERMINAL)
    await _add_to_outbox(database, replace(_EVENT, experiment_id="81c0"), _TERMINAL)
    assert len(await _list_due(database)) == 4


async def test_the_unique_constraint_rejects_a_duplicate_notification(database: Database) -> None:
    await _add_to_outbox(database, _EVENT, _TERMINAL)
    with pytest.raises(IntegrityError, match="UNIQUE"):
        await _duplicate_outbox_row(database)


async def _duplicate_outbox_row(database: Database) -> None:
    columns = (
        "subject_id, kind, at, platform, conversation_id, thread, details, "
        "attempts, queued, next_attempt, delivered"
    )
    async with database.writing() as session:
        await session.execute(text(f"INSERT INTO outbox ({columns}) SELECT {columns} FROM outbox"))


async def test_due_notifications_are_in_order_and_limited(database: Database) -> None:
    for minute in (1, 2, 3):
        await _add_to_outbox(database, replace(_EVENT, at=_NOON + minute * _MINUTE), _TERMINAL)
    due = await _list_due(database, limit=2)
    assert [item.event.at for item in due] == [_NOON + _MINUTE, _NOON + 2 * _MINUTE]


async def test_a_postponed_notification_is_due_at_its_next_attempt(database: Database) -> None:
    await _add_to_outbox(database, _EVENT, _TERMINAL)
    (waiting,) = await _list_due(database)
    for attempt in (1, 2):
        async with database.writing() as session:
            await OutboxStore(session).postpone(waiting.id, until=_NOON + attempt * _MINUTE)
    assert await _list_due(database, now=_NOON + 2 * _MINUTE - timedelta(seconds=1)) == []
    assert await _list_due(database, now=_NOON + 2 * _MINUTE) == [replace(waiting, attempts=2)]


async def test_a_delivered_notification_is_not_due_or_queued_again(database: Database) -> None:
    await _add_to_outbox(database, _EVENT, _TERMINAL, _CHANNEL)
    (waiting,) = await _list_due(database)
    async with database.writing() as session:
        await OutboxStore(session).mark_delivered(waiting.id, at=_NOON)
    await _add_to_outbox(database, _EVENT, _TERMINAL)
    assert await _list_due(database) == []
    assert len(await _list_due(database, _CHANNEL)) == 1


async def test_count_undelivered_includes_postponed_notifications(database: Database) -> None:
    await _add_to_outbox(database, _EVENT, _TERMINAL, _CHANNEL)
    await _add_to_outbox(database, replace(_EVENT, kind=EventKind.FAILED), _TERMINAL)
    await _add_to_outbox(database, replace(_EVENT, experiment_id="81c0"), _TERMINAL)
    first, second, _ = await _list_due(database)
    async with database.writing() as session:
        store = OutboxStore(session)
        assert await store.count_undelivered("4f2a", _TERMINAL) == 2
        await store.postpone(first.id, until=_NOON + _MINUTE)
        await store.mark_delivered(second.id, at=_NOON)
    async with database.reading() as session:
        assert await OutboxStore(session).count_undelivered("4f2a", _TERMINAL) == 1


async def test_removing_a_watch_affects_one_conversation_only(database: Database, alice: Person) -> None:
    other_conversation = _THREAD
    async with database.writing() as session:
        store = WatcherStore(session)
        await store.put_states([_STATE])
        for conversation in (_TERMINAL, other_conversation):
            await store.add_watch(_STATE.experiment_id, conversation, alice.id)
    async with database.writing() as session:
        store = WatcherStore(session)
        assert await store.list_watched(_TERMINAL) == [(_STATE, False)]
        assert await store.remove_watch(_STATE.experiment_id, _TERMINAL)
        assert not await store.remove_watch(_STATE.experiment_id, _TERMINAL)
    async with database.reading() as session:
        store = WatcherStore(session)
        assert await store.list_watched(_TERMINAL) == []
        assert await store.find_watchers([_STATE.experiment_id]) == {_STATE.experiment_id: [other_conversation]}


# ── Workers and audit ─────────────────────────────────────────────────────────────────────────────


async def test_started_workers_are_listed_by_host_replaced_and_removed(database: Database) -> None:
    original = _WORKER
    restarted = replace(original, process_id=4712)
    on_other_host = replace(original, id="farm:q:gpu0", host="farm")
    async with database.writing() as session:
        store = StartedWorkerStore(session)
        for worker in (original, on_other_host, restarted):
            await store.put(worker)
    async with database.writing() as session:
        store = StartedWorkerStore(session)
        assert await store.list(host="lab") == [restarted]
        await store.remove(original.id)
        await store.remove("unknown")
    async with database.reading() as session:
        store = StartedWorkerStore(session)
        assert await store.list(host="lab") == []
        assert await store.list(host="farm") == [on_other_host]


async def test_audit_entries_are_listed_newest_first(database: Database, alice: Person) -> None:
    unknown_user_entry = AuditEntry(
        _NOON, "slack:T1:U9", None, "slack:C1", "/find", Outcome.REFUSED, error_code="unknown_user"
    )
    known_person_entry = AuditEntry(
        _NOON + _MINUTE,
        "terminal:alice",
        alice.id,
        "terminal:alice",
        "/set args.note " + "é" * 1000,
        Outcome.BROKEN,
        experiment_id="4f2a",
        error_code="unexpected",
        incident_id="00ff00ff",
    )
    async with database.writing() as session:
        for entry in (unknown_user_entry, known_person_entry):
            await AuditStore(session).add(entry)
    async with database.reading() as session:
        assert await AuditStore(session).list_newest(5) == [known_person_entry, unknown_user_entry]
        assert await AuditStore(session).list_newest(1) == [known_person_entry]
