"""Who is who: from an identity on a platform to a person and his ClearML user."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from clearml_chatops.models.errors import SettingsError
from clearml_chatops.models.messages import IncomingMessage
from clearml_chatops.models.people import KnownPerson, Person, QueueBinding, Role
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.people import PeopleStore

_CLEARML_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Account:
    """What /whoami shows.

    `clearml_name` is his own ClearML user, `acts_as` the one whom the server sees when he commands: another
    one where the bot's credentials are not an admin's, so that it cannot act for him.
    """

    person: Person
    clearml_name: str
    acts_as: str
    clearml_host: str
    queue: QueueBinding | None


class AccountService:
    """`trusted_platforms` are those whose users are the operator himself: the terminal of this machine."""

    def __init__(self, *, clearml: ClearML, database: Database, trusted_platforms: frozenset[str]) -> None:
        self._clearml = clearml
        self._database = database
        self._trusted_platforms = trusted_platforms

    async def seed(self, people: Iterable[KnownPerson]) -> None:
        """Lets in the people whom the settings name, and locks out those whom they name no more.

        Raises:
            SettingsError: ClearML has no user of a name that they hold.
            ClearMLError: ClearML cannot be asked for the users' names.
        """
        known = [(person, await self._clearml_user_id(person)) for person in people]
        async with self._database.writing() as session:
            store = PeopleStore(session)
            named = [await store.put(person, clearml_user_id=user_id) for person, user_id in known]
            await store.lock_out(all_but=named)

    async def _clearml_user_id(self, person: KnownPerson) -> str:
        """The id of a person's ClearML user, which the settings may give by its name."""
        wanted = person.clearml_user
        if not wanted or _CLEARML_ID.fullmatch(wanted):
            return wanted
        users = await self._clearml.users()
        found = [id_ for id_, name in users.items() if name.casefold() == wanted.casefold()]
        if wanted in users:
            return wanted
        if len(found) == 1:
            return found[0]
        trouble = f"ClearML has {len(found) or 'no'} users called “{wanted}”"
        names = ", ".join(sorted(f"{name} ({id_})" for id_, name in users.items()))
        raise SettingsError(name="CHATOPS_PEOPLE", reason=f"{trouble}; give one of {names}.")

    async def admins(self, platform: str) -> list[str]:
        """The user ids by which admins are known on a platform."""
        async with self._database.reading() as session:
            return await PeopleStore(session).user_ids(platform, Role.ADMIN)

    async def recognise(self, message: IncomingMessage) -> Person | None:
        """The person who sent the message; None for a stranger.

        Whoever sits at the bot's own terminal holds its credentials, hence he is an admin and at home at once.
        """
        async with self._database.reading() as session:
            person = await PeopleStore(session).find(message.sender)
        if person is not None or message.sender.platform not in self._trusted_platforms:
            return person
        async with self._database.writing() as session:
            people = PeopleStore(session)
            # again under the write lock: two first messages may come at once
            return await people.find(message.sender) or await people.add(
                message.sender, name=message.sender_name, role=Role.ADMIN, clearml_user_id=""
            )

    async def account(self, person: Person) -> Account:
        """The person with his ClearML user and queue; a person at the terminal is the bot's own user."""
        own = await self._clearml.identity()
        name = own.user_name
        if person.clearml_user_id and person.clearml_user_id != own.user_id:
            name = (await self._clearml.users()).get(person.clearml_user_id, person.clearml_user_id)
        async with self._database.reading() as session:
            queue = await PeopleStore(session).queue_of(person.id)
        return Account(
            person=person,
            clearml_name=name,
            acts_as=name if own.is_admin else own.user_name,
            clearml_host=await self._clearml.host(),
            queue=queue,
        )
