"""A conversation that gets a new id: everything stored for the old id moves to the new one, once."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from clearml_chatops.models.actions import Action
from clearml_chatops.models.alerts import Alert, LogCondition
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import (
    DEFAULT_SUBSCRIPTION_EVENTS,
    EventKind,
    ExperimentEvent,
    Subscription,
    SubscriptionKind,
)
from clearml_chatops.models.people import Identity, Person, Role
from clearml_chatops.models.quiet import DailyDigest, Mute
from clearml_chatops.services.people.conversations import ConversationService
from clearml_chatops.storage.actions import ActionStore
from clearml_chatops.storage.alerts import AlertStore
from clearml_chatops.storage.cards import CardStore
from clearml_chatops.storage.current_experiments import CurrentExperimentStore
from clearml_chatops.storage.daily_digests import DailyDigestStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.outbox import OutboxStore
from clearml_chatops.storage.people import PeopleStore
from clearml_chatops.storage.quiet import QuietStore
from clearml_chatops.storage.subscriptions import SubscriptionStore
from clearml_chatops.storage.watcher import WatcherStore

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
OLD = Conversation("telegram", "-100")
NEW = Conversation("telegram", "-1009")
OTHERS = (Conversation("telegram", "-1001"), Conversation("slack", "-100"), Conversation("telegram", "100"))
EVENT = ExperimentEvent(EventKind.COMPLETED, "e1", "baseline", NOON)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'chatops.db'}")
    await opened.prepare()
    yield opened
    await opened.aclose()


@pytest.fixture
async def anna(database: Database) -> Person:
    async with database.writing() as session:
        return await PeopleStore(session).add(
            Identity("telegram", "7"), name="Anna", role=Role.MEMBER, clearml_user_id=""
        )


@pytest.fixture
def service(database: Database) -> ConversationService:
    return ConversationService(database=database, clock=lambda: NOON)


async def list_waiting_ids(database: Database, conversation: Conversation) -> list[str]:
    async with database.reading() as session:
        due = await OutboxStore(session).list_due(conversation.platform, conversation.id, now=NOON, limit=10)
    return [item.event.experiment_id for item in due if isinstance(item.event, ExperimentEvent)]


async def get_current_id(database: Database, conversation: Conversation, person: Person) -> str:
    async with database.reading() as session:
        return await CurrentExperimentStore(session).get(conversation, person.id)


async def test_watches_move_once(database: Database, service: ConversationService, anna: Person) -> None:
    async with database.writing() as session:
        store = WatcherStore(session)
        for experiment, recipients in {"e1": (OLD,), "e2": (OLD, NEW), "e3": OTHERS}.items():
            for recipient in recipients:
                await store.add_watch(experiment, recipient, anna.id)

    await service.move(OLD, NEW)
    await service.move(OLD, NEW)

    async with database.reading() as session:
        watchers = await WatcherStore(session).find_watchers(["e1", "e2", "e3"])
    assert watchers == {"e1": [NEW], "e2": [NEW], "e3": list(OTHERS)}


async def test_subscriptions_move_once(database: Database, service: ConversationService, anna: Person) -> None:
    async with database.writing() as session:
        for target, conversations in {"q1": (OLD,), "q2": (OLD, NEW), "q3": OTHERS}.items():
            for conversation in conversations:
                await SubscriptionStore(session).put(
                    Subscription(
                        SubscriptionKind.QUEUE,
                        target,
                        target,
                        conversation,
                        anna.id,
                        DEFAULT_SUBSCRIPTION_EVENTS,
                        NOON,
                    )
                )

    await service.move(OLD, NEW)

    async with database.reading() as session:
        found = [(item.target_id, item.conversation) for item in await SubscriptionStore(session).list_all()]
    assert sorted(found, key=str) == sorted(
        [("q1", NEW), ("q2", NEW), *(("q3", conversation) for conversation in OTHERS)], key=str
    )


async def test_outbox_moves_once(database: Database, service: ConversationService) -> None:
    other = ExperimentEvent(EventKind.COMPLETED, "e2", "other", NOON)
    async with database.writing() as session:
        outbox = OutboxStore(session)
        await outbox.add([(EVENT, conversation) for conversation in (OLD, NEW, *OTHERS)], now=NOON)
        await outbox.add([(other, OLD)], now=NOON)
    async with database.reading() as session:
        (being_sent, _) = await OutboxStore(session).list_due("telegram", OLD.id, now=NOON, limit=10)

    await service.move(OLD, NEW)
    await service.move(OLD, NEW)

    assert await list_waiting_ids(database, OLD) == []
    assert await list_waiting_ids(database, NEW) == ["e1", "e2"]
    assert [await list_waiting_ids(database, conversation) for conversation in OTHERS] == [["e1"]] * 3
    # A message that was being sent during the move can still be marked as delivered.
    async with database.writing() as session:
        await OutboxStore(session).mark_delivered(being_sent.id, at=NOON)


async def test_current_experiments_move_including_threads(
    database: Database, service: ConversationService, anna: Person
) -> None:
    thread, new_thread = Conversation("telegram", "-100", "5"), Conversation("telegram", "-1009", "5")
    async with database.writing() as session:
        store = CurrentExperimentStore(session)
        await store.set(OLD, anna.id, "e1")
        await store.set(thread, anna.id, "e2")
        await store.set(new_thread, anna.id, "e3")
        for conversation in OTHERS:
            await store.set(conversation, anna.id, "e4")

    await service.move(OLD, NEW)

    assert await get_current_id(database, OLD, anna) == await get_current_id(database, thread, anna) == ""
    assert await get_current_id(database, NEW, anna) == "e1"
    assert await get_current_id(database, new_thread, anna) == "e3", "a newer choice stays"
    assert [await get_current_id(database, conversation, anna) for conversation in OTHERS] == ["e4"] * 3


async def test_alerts_move(database: Database, service: ConversationService, anna: Person) -> None:
    thread = Conversation("telegram", "-100", "5")
    async with database.writing() as session:
        for conversation in (OLD, thread, *OTHERS):
            await AlertStore(session).add(
                Alert(0, "e1", "baseline", LogCondition("nan"), conversation, anna.id, NOON)
            )

    await service.move(OLD, NEW)

    async with database.reading() as session:
        conversations = [item.conversation for item in await AlertStore(session).list_all()]
    assert conversations == [NEW, Conversation("telegram", "-1009", "5"), *OTHERS]


async def test_cards_move_without_their_message_ids(database: Database, service: ConversationService) -> None:
    async with database.writing() as session:
        cards = CardStore(session)
        await cards.put(OLD, "5", "e1", is_card=True)
        await cards.put(OLD, "4", "e1", is_card=True)
        await cards.supersede(OLD, "5", "e1", now=NOON)
        await cards.put(OLD, "6", "e2", is_card=False)
        await cards.put(NEW, "5", "e3", is_card=False)
        await cards.put(OTHERS[0], "5", "e1", is_card=True)

    await service.move(OLD, NEW)
    await service.move(OLD, NEW)

    async with database.writing() as session:
        cards = CardStore(session)
        assert await cards.list_due("telegram", now=NOON) == [], "old cards are not all resent at once"
        await cards.mark_due(["e1"], now=NOON)
        due = {(card.conversation, card.message_id) for card in await cards.list_due("telegram", now=NOON)}
        assert due == {(NEW, "old:5"), (OTHERS[0], "5")}
        assert await cards.get_experiment_id(NEW, "5") == "e3"
        assert await cards.get_experiment_id(NEW, "6") == await cards.get_experiment_id(OLD, "6") == ""


async def test_questions_do_not_move(database: Database, service: ConversationService) -> None:
    async with database.writing() as session:
        store = ActionStore(session)
        await store.add("t", Action("/set lr=", "lr?"), expires=NOON + timedelta(days=1))
        for conversation in (OLD, OTHERS[0]):
            await store.put_question(conversation, "5", "t")

    await service.move(OLD, NEW)

    async with database.reading() as session:
        store = ActionStore(session)
        assert await store.find_by_question(NEW, "5", now=NOON) is None
        assert await store.find_by_question(OLD, "5", now=NOON) is None
        assert await store.find_by_question(OTHERS[0], "5", now=NOON) is not None


async def test_mutes_and_digests_move(service: ConversationService, database: Database, anna: Person) -> None:
    threads = (OLD, Conversation(OLD.platform, OLD.id, "7"))
    async with database.writing() as session:
        await QuietStore(session).put_mute(OLD, NOON, anna.id)
        for conversation in threads:
            await DailyDigestStore(session).put(DailyDigest(conversation, time(9), "UTC", False, NOON))
    for _ in range(2):
        await service.move(OLD, NEW)
    async with database.reading() as session:
        found = await DailyDigestStore(session).list_all()
        mutes = [await QuietStore(session).get_mute(item.platform, item.id) for item in (OLD, NEW)]
    assert [item.conversation for item in found] == [NEW, Conversation(NEW.platform, NEW.id, "7")]
    assert mutes == [None, Mute(NOON, "Anna")]
