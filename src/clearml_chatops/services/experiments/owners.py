"""Owners by name: ClearML's users, and the people that the bot creates experiments for."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from clearml_chatops.models.errors import InvalidValueError
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.experiments.ownership import Ownership
from clearml_chatops.services.similar_names import find_similar_names, format_suggestion
from clearml_chatops.storage.created_experiments import CreatedExperimentStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.people import PeopleStore

Id = TypeVar("Id")
_OWN_NAMES = {"me", "mine", "my"}


@dataclass(frozen=True, slots=True)
class Owned:
    """What belongs to some owners: all experiments of these users, and these ids, which the bot owns for them."""

    user_ids: tuple[str, ...] = ()
    experiment_ids: tuple[str, ...] = ()

    def __or__(self, other: "Owned") -> "Owned":
        return Owned(
            tuple(dict.fromkeys(self.user_ids + other.user_ids)),
            tuple(dict.fromkeys(self.experiment_ids + other.experiment_ids)),
        )


class OwnerDirectory:
    """Finds what belongs to the person who asks, and to others by their name or a part of it."""

    def __init__(self, *, clearml: ClearML, database: Database, ownership: Ownership) -> None:
        self._clearml = clearml
        self._database = database
        self._ownership = ownership

    async def find(self, names: Iterable[str]) -> Owned:
        """Return what belongs to the owners with these names. One request unless all mean the person.

        Raises:
            InvalidValueError: nobody has this in their name.
        """
        owned = Owned()
        for name in names:
            owned |= await (self.find_own() if name.casefold() in _OWN_NAMES else self._find_by_name(name))
        return owned

    async def find_own(self) -> Owned:
        user_id, created_ids = await asyncio.gather(
            self._ownership.get_user_id(), self._ownership.list_created_ids()
        )
        return Owned((user_id,), tuple(created_ids))

    async def _find_by_name(self, name: str) -> Owned:
        users = await self._clearml.get_user_names()
        async with self._database.reading() as session:
            people = {person.id: person for person in await PeopleStore(session).list_people()}
        typed = name.removeprefix("@").casefold()
        user_ids = _select(users, typed)
        person_ids = _select({person.id: person.name for person in people.values()}, typed)
        if not user_ids and not person_ids:
            without_user = (person.name for person in people.values() if person.clearml_user_id not in users)
            known = [*users.values(), *without_user]
            nearest = _find_nearest_names(typed, known)
            raise InvalidValueError(
                name="owner",
                value=name,
                expected="part of anyone's name",
                advice=format_suggestion(nearest).strip() or "Type a name as ClearML shows it.",
                suggestions=nearest,
            )
        person_ids += [person.id for person in people.values() if person.clearml_user_id in user_ids]
        user_ids += [id_ for person in person_ids if (id_ := people[person].clearml_user_id)]
        return Owned(tuple(dict.fromkeys(user_ids)), await self._list_created_ids(person_ids))

    async def _list_created_ids(self, person_ids: Iterable[int]) -> tuple[str, ...]:
        async with self._database.reading() as session:
            store = CreatedExperimentStore(session)
            lists = [await store.list_experiment_ids(person) for person in dict.fromkeys(person_ids)]
        return tuple(id_ for ids in lists for id_ in ids)


def _select(names: Mapping[Id, str], typed: str) -> list[Id]:
    """Return the ids of those with exactly this name, or else with it as a part."""
    exact = [id_ for id_, name in names.items() if name.casefold() == typed]
    return exact or [id_ for id_, name in names.items() if typed in name.casefold()]


def _find_nearest_names(typed: str, names: Iterable[str]) -> list[str]:
    """Return the names that are similar as a whole or in one of their words."""
    by_part = {part: name for name in names for part in (*name.split(), name)}
    return list(dict.fromkeys(by_part[part] for part in find_similar_names(typed, by_part)))
