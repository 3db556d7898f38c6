"""Where a person is told what he has not asked for anywhere: where he was last alone with the bot."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Identity, Person, Role
from clearml_chatops.services.people.own_places import OwnPlaces
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.own_places import OwnPlaceStore
from clearml_chatops.storage.people import PeopleStore
from clearml_chatops.storage.states import WatcherStore

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TERMINAL = Identity("terminal", "anna")
SLACK = Identity("slack", "U1", "T1")
TELEGRAM = Identity("telegram", "7")
BY_ID, DIRECT, CHAT = Conversation("slack", "U1"), Conversation("slack", "D1"), Conversation("telegram", "7")


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
def places(database: Database) -> OwnPlaces:
    return OwnPlaces(database=database, clock=lambda: NOON + timedelta(minutes=1))


def said(sender: Identity, place: Conversation, *, in_private: bool = False) -> IncomingMessage:
    return IncomingMessage(sender, "Anna", place, "/find", in_private=in_private)


async def place_of(database: Database, person: Person) -> Conversation | None:
    async with database.reading() as session:
        return (await OwnPlaceStore(session).of([person.id])).get(person.id)


async def test_a_terminal_is_the_last_resort(database: Database, places: OwnPlaces, anna: Person) -> None:
    assert await place_of(database, anna) == Conversation("terminal", "anna")
    async with database.writing() as session:
        await PeopleStore(session).link(TELEGRAM, anna.id)
    await places.note(anna, said(TERMINAL, Conversation("terminal", "anna")))
    assert await place_of(database, anna) == CHAT


async def test_it_is_where_nobody_else_is_and_she_was_last(
    database: Database, places: OwnPlaces, anna: Person
) -> None:
    async with database.writing() as session:
        for identity in (SLACK, TELEGRAM):
            await PeopleStore(session).link(identity, anna.id)
    assert await place_of(database, anna) == BY_ID
    await places.note(anna, said(TELEGRAM, CHAT))
    await places.note(anna, said(SLACK, Conversation("slack", "C1", "17.1")))
    assert await place_of(database, anna) == CHAT
    await places.note(anna, said(SLACK, Conversation("slack", "D1", "17.1"), in_private=True))
    assert await place_of(database, anna) == DIRECT
    async with database.writing() as session:
        await PeopleStore(session).unlink(SLACK)
    assert await place_of(database, anna) == CHAT, "she is known on Slack no more"


async def test_what_went_to_her_by_her_id_goes_on_where_that_is(
    database: Database, places: OwnPlaces, anna: Person
) -> None:
    async with database.writing() as session:
        await PeopleStore(session).link(SLACK, anna.id)
        await WatcherStore(session).watch("e1", BY_ID, anna.id)
    await places.note(anna, said(SLACK, DIRECT, in_private=True))
    async with database.reading() as session:
        assert await WatcherStore(session).watchers(["e1"]) == {"e1": [DIRECT]}
