"""Edits made through the bot, stored so that they can be undone."""

from collections.abc import Callable
from datetime import datetime

from clearml_chatops.models.edits import DraftEdit
from clearml_chatops.models.people import Person
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.edits import DraftEditStore


class EditHistory:
    def __init__(self, *, database: Database, person: Person, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._person = person
        self._clock = clock

    async def add(self, edit: DraftEdit) -> None:
        async with self._database.writing() as session:
            await DraftEditStore(session).add(edit, person_id=self._person.id, at=self._clock())

    async def get_last(self, experiment_id: str) -> DraftEdit | None:
        async with self._database.reading() as session:
            return await DraftEditStore(session).get_last(experiment_id)

    async def mark_undone(self, edit: DraftEdit) -> None:
        async with self._database.writing() as session:
            await DraftEditStore(session).mark_undone(edit.id)
