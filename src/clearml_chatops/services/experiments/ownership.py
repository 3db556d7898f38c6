"""Owners of experiments. ClearML lets every user change all experiments; the bot does not."""

from collections.abc import Sequence
from dataclasses import replace

from clearml_chatops.models.errors import ExperimentNotYoursError
from clearml_chatops.models.experiments import Experiment
from clearml_chatops.models.people import Person, Role
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.storage.created_experiments import CreatedExperimentStore
from clearml_chatops.storage.database import Database


class Ownership:
    """The experiments of one person.

    If the bot's credentials do not allow impersonation, it owns on the server everything that it creates for
    people. The database then records the person that each experiment was created for.
    """

    def __init__(self, *, clearml: ClearML, database: Database, person: Person) -> None:
        self._clearml = clearml
        self._database = database
        self._person = person

    async def require_own(self, experiment: Experiment) -> None:
        """Raise ExperimentNotYoursError if it belongs to another person and this one is not an admin."""
        if not await self.is_own(experiment):
            raise ExperimentNotYoursError(name=experiment.name, owner=await self.get_owner_name(experiment))

    async def is_own(self, experiment: Experiment) -> bool:
        """Return whether the person may change it: it is theirs or nobody's, or they are an admin.

        An experiment of the bot without a recorded creator was created before creators were recorded, or in
        the web UI with the bot's credentials. Everybody may change it; otherwise only admins could.
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
        """Record that an experiment was created for the person, if the bot owns it on the server."""
        if not await self._can_impersonate():
            async with self._database.writing() as session:
                await CreatedExperimentStore(session).add(experiment_id, self._person.id)

    async def list_created_ids(self) -> list[str]:
        """Return the person's experiments that the bot owns on the server."""
        if await self.get_user_id() == (await self._clearml.get_identity()).user_id:
            return []  # the person is the bot's own user and owns them all
        async with self._database.reading() as session:
            return await CreatedExperimentStore(session).list_experiment_ids(self._person.id)

    async def get_creator(self) -> tuple[str, str]:
        """Return id and name of the user who will own, on the server, what is created for the person."""
        bot = await self._clearml.get_identity()
        if await self._can_impersonate():
            return self._person.clearml_user_id, self._person.name
        return bot.user_id, bot.user_name

    async def get_user_id(self) -> str:
        """Return the ClearML user that owns the person's experiments."""
        return self._person.clearml_user_id or (await self._clearml.get_identity()).user_id

    async def _can_impersonate(self) -> bool:
        return bool(self._person.clearml_user_id) and (await self._clearml.get_identity()).is_admin

    async def get_owner_name(self, experiment: Experiment) -> str:
        """Return the owner's name; for an experiment of the bot the person that it was created for."""
        async with self._database.reading() as session:
            creator_name = await CreatedExperimentStore(session).get_creator_name(experiment.id)
        return creator_name or experiment.user_name or "another person"

    async def name_owners(self, experiments: Sequence[Experiment]) -> tuple[Experiment, ...]:
        """Return the experiments; the owner of what the bot owns on the server is who it was created for."""
        async with self._database.reading() as session:
            names = await CreatedExperimentStore(session).find_creator_names([item.id for item in experiments])
        return tuple(replace(item, user_name=names.get(item.id, item.user_name)) for item in experiments)
