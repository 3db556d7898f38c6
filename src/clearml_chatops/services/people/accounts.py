"""Accounts: the person behind an identity on a platform, and their ClearML user."""

from dataclasses import dataclass

from clearml_chatops.models.messages import IncomingMessage
from clearml_chatops.models.people import Person, QueueBinding, Role
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.people.configured_people import ConfiguredPeople
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.people import PeopleStore


@dataclass(frozen=True, slots=True)
class Account:
    """What /whoami shows.

    `clearml_name` is the person's own ClearML user. `acts_as` is the user that the server sees in their
    commands: the bot's own, unless its credentials are an admin's and it can impersonate the person.
    """

    person: Person
    clearml_name: str
    acts_as: str
    clearml_host: str
    queue: QueueBinding | None


class AccountService:
    """Finds people. Users of `trusted_platforms`, like this machine's terminal, are operators."""

    def __init__(
        self,
        *,
        clearml: ClearML,
        database: Database,
        configured_people: ConfiguredPeople,
        trusted_platforms: frozenset[str],
    ) -> None:
        self._clearml = clearml
        self._database = database
        self._configured_people = configured_people
        self._trusted_platforms = trusted_platforms

    async def list_admin_user_ids(self, platform: str) -> list[str]:
        """Return the user ids of admins on a platform."""
        async with self._database.reading() as session:
            return await PeopleStore(session).list_user_ids(platform, Role.ADMIN)

    async def identify(self, message: IncomingMessage) -> Person | None:
        """Return the person who sent the message; None for an unknown user.

        A new user on a trusted platform is added as an admin: they have the bot's credentials anyway.

        Raises ClearMLError if the settings name the person's ClearML user, and ClearML can't be asked for its id.
        """
        await self._configured_people.save(message.sender)
        async with self._database.reading() as session:
            person = await PeopleStore(session).find(message.sender)
        if person is not None or message.sender.platform not in self._trusted_platforms:
            return person
        async with self._database.writing() as session:
            people = PeopleStore(session)
            # Check again under the write lock: two first messages may arrive at once.
            return await people.find(message.sender) or await people.add(
                message.sender, name=message.sender_name, role=Role.ADMIN, clearml_user_id=""
            )

    async def load_account(self, person: Person) -> Account:
        """Return a person's ClearML user and queue. Without a user of their own they act as the bot's."""
        bot_identity = await self._clearml.get_identity()
        name = bot_identity.user_name
        if person.clearml_user_id and person.clearml_user_id != bot_identity.user_id:
            name = (await self._clearml.get_user_names()).get(person.clearml_user_id, person.clearml_user_id)
        async with self._database.reading() as session:
            queue = await PeopleStore(session).get_queue_binding(person.id)
        return Account(
            person=person,
            clearml_name=name,
            acts_as=name if bot_identity.is_admin else bot_identity.user_name,
            clearml_host=await self._clearml.get_api_host(),
            queue=queue,
        )
