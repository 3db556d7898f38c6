"""Unrequested notifications go to the private chat that a person used last."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Identity, Person, Role
from clearml_chatops.services.people.direct_messages import DirectMessages
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.direct_messages import DirectMessageStore
from clearml_chatops.storage.people import PeopleStore
from clearml_chatops.storage.watcher import WatcherStore

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TERMINAL = Identity("terminal", "anna")
SLACK = Identity("slack", "U1", "T1")
TELEGRAM = Identity("telegram", "7")
SLACK_USER_CHAT, SLACK_DIRECT_MESSAGE, TELEGRAM_CHAT = (
    Conversation("slack", "U1"),
    Conversation("slack", "D1"),
    Conversation("telegram", "7"),
)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'chatops.db'}")
    await opened.prepare()
    yield opened
    await opened.aclose()


@pytest.fixture
async def anna(database: Database) -> Person:
    async with database.writing() as session:
        return await PeopleStore(session).add(TERMINAL, name="Anna", role=Role.MEMBER, clearml_user_id="a")


@pytest.fixture
def direct_messages(database: Database) -> DirectMessages:
    return DirectMessages(database=database, clock=lambda: NOON + timedelta(minutes=1))


def build_message(sender: Identity, conversation: Conversation, *, is_private: bool = False) -> IncomingMessage:
    return IncomingMessage(sender, "Anna", conversation, "/find", is_direct_message=is_private)


async def find_conversation(database: Database, person: Person) -> Conversation | None:
    async with database.reading() as session:
        return (await DirectMessageStore(session).find_for_people([person.id])).get(person.id)


async def test_a_terminal_is_the_last_resort(
    database: Database, direct_messages: DirectMessages, anna: Person
) -> None:
    assert await find_conversation(database, anna) == Conversation("terminal", "anna")
    async with database.writing() as session:
        await PeopleStore(session).link(TELEGRAM, anna.id)
    await direct_messages.record(anna, build_message(TERMINAL, Conversation("terminal", "anna")))
    assert await find_conversation(database, anna) == TELEGRAM_CHAT


async def test_latest_private_chat_is_used(
    database: Database, direct_messages: DirectMessages, anna: Person
) -> None:
    async with database.writing() as session:
        for identity in (SLACK, TELEGRAM):
            await PeopleStore(session).link(identity, anna.id)
    assert await find_conversation(database, anna) == SLACK_USER_CHAT
    await direct_messages.record(anna, build_message(TELEGRAM, TELEGRAM_CHAT))
    await direct_messages.record(anna, build_message(SLACK, Conversation("slack", "C1", "17.1")))
    assert await find_conversation(database, anna) == TELEGRAM_CHAT
    await direct_messages.record(anna, build_message(SLACK, Conversation("slack", "D1", "17.1"), is_private=True))
    assert await find_conversation(database, anna) == SLACK_DIRECT_MESSAGE
    async with database.writing() as session:
        await PeopleStore(session).unlink(SLACK)
    assert await find_conversation(database, anna) == TELEGRAM_CHAT, "the Slack account is unlinked"


async def test_watches_move_from_the_user_id_to_the_direct_message(
    database: Database, direct_messages: DirectMessages, anna: Person
) -> None:
    async with database.writing() as session:
        await PeopleStore(session).link(SLACK, anna.id)
        await WatcherStore(session).add_watch("e1", SLACK_USER_CHAT, anna.id)
    await direct_messages.record(anna, build_message(SLACK, SLACK_DIRECT_MESSAGE, is_private=True))
    async with database.reading() as session:
        assert await WatcherStore(session).find_watchers(["e1"]) == {"e1": [SLACK_DIRECT_MESSAGE]}
