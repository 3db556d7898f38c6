"""Whose an experiment is. ClearML lets any user change any other's; the bot does not."""

from clearml_chatops.models.errors import ExperimentNotYoursError
from clearml_chatops.models.experiments import Experiment
from clearml_chatops.models.people import Person, Role
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.storage.created_experiments import CreatedExperimentStore
from clearml_chatops.storage.database import Database


class Ownership:
    """What belongs to one person.

    Where the bot cannot act for its people, all that it makes for them is its own on the server. For whom
    it was is then known from our own note of it.
    """

    def __init__(self, *, clearml: ClearML, database: Database, person: Person) -> None:
        self._clearml = clearml
        self._database = database
        self._person = person

    async def require_own(self, experiment: Experiment) -> None:
        """Raises NotYoursError where the experiment is another person's and this one is no admin."""
        if not await self.is_own(experiment):
            raise ExperimentNotYoursError(name=experiment.name, owner=await self.get_owner_name(experiment))

    async def is_own(self, experiment: Experiment) -> bool:
        """Whether the person may change it: it is his, nobody's, or he is an admin.

        What the bot owns without a note was made before there were notes, or in the web UI with its
        credentials. It is everybody's, or nobody could change his own clone.
        """
        if self._person.role >= Role.ADMIN or not experiment.user_id:
            return True
        async with self._database.reading() as session:
            creator_id = await CreatedExperimentStore(session).get_creator_id(experiment.id)
        if creator_id is not None:
            return creator_id == self._person.id
        if experiment.user_id == self._person.clearml_user_id:
            return True
        bot = await self._clearml.get_identity()
        return not bot.is_admin and experiment.user_id == bot.user_id

    async def record_created(self, experiment_id: str) -> None:
        """Notes that the bot made an experiment for the person, where the server says that it is the bot's."""
        if not await self._can_impersonate():
            async with self._database.writing() as session:
                await CreatedExperimentStore(session).add(experiment_id, self._person.id)

    async def list_created_ids(self) -> list[str]:
        """The experiments of the person that the server says are the bot's."""
        if await self.get_user_id() == (await self._clearml.get_identity()).user_id:
            return []  # what is the bot's is found as his
        async with self._database.reading() as session:
            return await CreatedExperimentStore(session).list_experiment_ids(self._person.id)

    async def get_creator(self) -> tuple[str, str]:
        """Id and name of the user whom the server will say to own what is made for the person."""
        bot = await self._clearml.get_identity()
        if await self._can_impersonate():
            return self._person.clearml_user_id, self._person.name
        return bot.user_id, bot.user_name

    async def get_user_id(self) -> str:
        """The ClearML user whose experiments are the person's own."""
        return self._person.clearml_user_id or (await self._clearml.get_identity()).user_id

    async def _can_impersonate(self) -> bool:
        return bool(self._person.clearml_user_id) and (await self._clearml.get_identity()).is_admin

    async def get_owner_name(self, experiment: Experiment) -> str:
        """Whose it is, also where the server says that it is the bot's."""
        async with self._database.reading() as session:
            creator_name = await CreatedExperimentStore(session).get_creator_name(experiment.id)
        return creator_name or experiment.user_name or "another person"
