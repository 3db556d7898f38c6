"""The people in the settings: their access is saved as soon as the database and ClearML can be used."""

import re
from collections.abc import Iterable, Sequence

from clearml_chatops.models.errors import SettingsError
from clearml_chatops.models.people import ConfiguredPerson, Identity
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.people import PeopleStore

_CLEARML_ID = re.compile(r"[0-9a-f]{32}")


class ConfiguredPeople:
    """Gives access to the people in the settings, and revokes it from those no longer in them.

    Somebody with the name of a ClearML user has to wait until ClearML says the id. Their commands wait with
    them, so that nothing is done in the bot's name instead of theirs.
    """

    def __init__(self, *, clearml: ClearML, database: Database) -> None:
        self._clearml = clearml
        self._database = database
        self._unsaved: list[ConfiguredPerson] = []
        self._are_removed_people_revoked = True

    def configure(self, people: Iterable[ConfiguredPerson]) -> None:
        """Set who is in the settings. Nobody is saved yet."""
        self._unsaved = list(people)
        self._are_removed_people_revoked = False

    async def save_known(self) -> None:
        """Save the people who need no answer of ClearML, and revoke the access of removed people.

        Raises DatabaseBusyError, DatabaseUnusableError.
        """
        if self._are_removed_people_revoked:
            return
        known_people = [person for person in self._unsaved if not _needs_user_names(person)]
        unknown_identities = {
            identity for person in self._unsaved if person not in known_people for identity in person.identities
        }
        async with self._database.writing() as session:
            store = PeopleStore(session)
            saved_ids = [await store.put(person, clearml_user_id=person.clearml_user) for person in known_people]
            found_people = [await store.find(identity) for identity in unknown_identities]
            await store.revoke_removed_people(
                keep_ids=saved_ids + [person.id for person in found_people if person]
            )
        self._are_removed_people_revoked = True
        self._forget(known_people)

    async def save_all(self) -> None:
        """Save everybody who isn't saved yet.

        Raises:
            SettingsError: ClearML has no user of a name in the settings, or several.
            ClearMLError: the users' names cannot be loaded; people without such a name are saved.
            DatabaseBusyError, DatabaseUnusableError: nobody was saved.
        """
        await self.save_known()
        await self._save(self._unsaved)

    async def save(self, identity: Identity) -> None:
        """Save the person with this identity if they are in the settings. Raises the same as `save_all`."""
        await self.save_known()
        await self._save([person for person in self._unsaved if identity in person.identities])

    async def _save(self, people: Sequence[ConfiguredPerson]) -> None:
        if not people:
            return
        user_ids = [await self._find_clearml_user_id(person) for person in people]
        async with self._database.writing() as session:
            store = PeopleStore(session)
            for person, user_id in zip(people, user_ids, strict=True):
                await store.put(person, clearml_user_id=user_id)
        self._forget(people)

    def _forget(self, people: Sequence[ConfiguredPerson]) -> None:
        self._unsaved = [person for person in self._unsaved if person not in people]

    async def _find_clearml_user_id(self, person: ConfiguredPerson) -> str:
        """Return the id of a person's ClearML user; the settings may contain its name instead."""
        id_or_name = person.clearml_user
        if not _needs_user_names(person):
            return id_or_name
        users = await self._clearml.get_user_names()
        found = [id_ for id_, name in users.items() if name.casefold() == id_or_name.casefold()]
        if id_or_name in users:
            return id_or_name
        if len(found) == 1:
            return found[0]
        problem = f"ClearML has {len(found) or 'no'} users named “{id_or_name}”"
        names = ", ".join(sorted(f"{name} ({id_})" for id_, name in users.items()))
        raise SettingsError(name="CHATOPS_PEOPLE", reason=f"{problem}. Use one of {names}.")


def _needs_user_names(person: ConfiguredPerson) -> bool:
    """Return whether only ClearML knows the id of the person's ClearML user."""
    return bool(person.clearml_user) and not _CLEARML_ID.fullmatch(person.clearml_user)
