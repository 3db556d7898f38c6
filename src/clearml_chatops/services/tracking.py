"""Has a person told, without asking, what becomes of the experiments he clones and enqueues."""

from collections.abc import Callable
from datetime import datetime

from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import ExperimentState
from clearml_chatops.models.people import Person
from clearml_chatops.services.bells import Bell
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.states import WatcherStore


class Tracking:
    def __init__(
        self,
        *,
        database: Database,
        person: Person,
        conversation: Conversation,
        clock: Callable[[], datetime],
        watched: Bell,
    ) -> None:
        self._database = database
        self._person = person
        self._conversation = conversation
        self._clock = clock
        self._watched = watched

    def now(self) -> datetime:
        return self._clock()

    async def follow(self, experiment: Experiment) -> None:
        """Watches an experiment from the state in which it now is, which is told to nobody."""
        async with self._database.writing() as session:
            store = WatcherStore(session)
            await store.remember([state_of(experiment)])
            await store.watch(experiment.id, self._conversation, self._person.id)
        self._watched.ring()

    async def watch(self, experiment: Experiment) -> None:
        """Watches an experiment from the state that is remembered of it, else from the one in which it now is.

        Others may watch it already: what has just happened to it is told to them, by the remembered state.
        """
        async with self._database.writing() as session:
            store = WatcherStore(session)
            if not await store.states([experiment.id]):
                await store.remember([state_of(experiment)])
            await store.watch(experiment.id, self._conversation, self._person.id)
        self._watched.ring()

    async def unwatch(self, experiment_id: str) -> bool:
        """Ends the watch of this conversation; whether there was one."""
        async with self._database.writing() as session:
            return await WatcherStore(session).unwatch(experiment_id, self._conversation)

    async def watched(self) -> list[ExperimentState]:
        """What this conversation watches, as it was seen last, the last changed first."""
        async with self._database.reading() as session:
            return await WatcherStore(session).watched_by(self._conversation)

    async def has_seen(self, experiment: Experiment) -> bool:
        """Whether the watcher has come as far as this reading of the experiment."""
        async with self._database.reading() as session:
            state = (await WatcherStore(session).states([experiment.id])).get(experiment.id)
        return state is not None and state.status is experiment.status


def state_of(experiment: Experiment) -> ExperimentState:
    """What the watcher remembers of an experiment."""
    return ExperimentState(
        experiment_id=experiment.id,
        name=experiment.name,
        status=experiment.status,
        status_changed=experiment.status_changed,
        parent_id=experiment.parent_id,
        started=experiment.started,
        completed=experiment.completed,
        worker_id=experiment.worker_id,
        pending_since=experiment.status_changed if experiment.status is Status.PENDING else None,
    )
