"""Has a person told, without asking, what becomes of the experiments he clones and enqueues."""

from collections.abc import Callable
from datetime import datetime

from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, ExperimentState
from clearml_chatops.models.people import Person
from clearml_chatops.services.bells import Bell
from clearml_chatops.services.telling import ACT_COUNTS_FOR
from clearml_chatops.storage.acts import ActStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.outbox import OutboxStore
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
        news: Bell,
    ) -> None:
        self._database = database
        self._person = person
        self._conversation = conversation
        self._clock = clock
        self._watched = watched
        self._news = news

    def now(self) -> datetime:
        return self._clock()

    async def follow(self, experiment: Experiment) -> None:
        """Watches an experiment from the state in which the person has just put it.

        That he did so is told to the others who watch it, and not to him.
        """
        now = state_of(experiment)
        async with self._database.writing() as session:
            store = WatcherStore(session)
            before = (await store.states([experiment.id])).get(experiment.id)
            if before and before.status is not Status.PENDING and now.status is Status.PENDING:
                recipients = (await store.recipients([experiment.id])).get(experiment.id, [])
                others = [item.conversation for item in recipients if item.person_id != self._person.id]
                enqueued = ExperimentEvent(
                    EventKind.ENQUEUED, now.experiment_id, now.name, now.status_changed, by_name=self._person.name
                )
                await OutboxStore(session).add([(enqueued, other) for other in others], now=self._clock())
            await ActStore(session).forget_done([(experiment.id, EventKind.ENQUEUED)])
            await store.remember([now])
            await store.watch(experiment.id, self._conversation, self._person.id)
        self._watched.ring()
        self._news.ring()

    async def note_act(self, experiment_id: str, kind: EventKind) -> None:
        """Notes what the person is about to do, so that he is not told of it and the others are told by whom."""
        now = self._clock()
        async with self._database.writing() as session:
            acts = ActStore(session)
            await acts.forget(before=now - ACT_COUNTS_FOR)
            await acts.note(experiment_id, kind, self._person.id, at=now)

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
        stopping_by=experiment.changed_by_id if experiment.is_stopping else "",
        changed_by="" if experiment.is_changed_by_agent else experiment.changed_by_id,
        reason=experiment.status_reason,
    )
