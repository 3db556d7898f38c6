"""Has a person told, without asking, what becomes of the experiments he clones and enqueues."""

from collections.abc import Callable
from datetime import datetime

from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import Act, EventKind, ExperimentEvent, ExperimentState
from clearml_chatops.models.people import Person
from clearml_chatops.services.bells import Bell
from clearml_chatops.services.watching.finding import owner_names
from clearml_chatops.services.watching.telling import ACT_COUNTS_FOR, addressed, with_subscribers
from clearml_chatops.storage.acts import ActStore
from clearml_chatops.storage.created_experiments import CreatedExperimentStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.outbox import OutboxStore
from clearml_chatops.storage.own_experiments import OwnExperimentStore
from clearml_chatops.storage.people import PeopleStore
from clearml_chatops.storage.states import WatcherStore
from clearml_chatops.storage.subscriptions import SubscriptionStore


class Tracking:
    """For one person. What he has watched is told in the conversation where his answer goes.

    `said_in` is the one in which he asked: a mention in a channel begins a thread, but was said in the channel.
    """

    def __init__(
        self,
        *,
        database: Database,
        person: Person,
        conversation: Conversation,
        said_in: Conversation,
        clock: Callable[[], datetime],
        watched: Bell,
        news: Bell,
    ) -> None:
        self._database = database
        self._person = person
        self._conversation = conversation
        self._said_in = said_in
        self._clock = clock
        self._watched = watched
        self._news = news

    def now(self) -> datetime:
        return self._clock()

    async def follow(self, experiment: Experiment) -> None:
        """Watches an experiment from the state in which the person has just put it.

        That he did so is told to the others who watch it or have subscribed to it, and not to him.
        """
        now = state_of(experiment)
        async with self._database.writing() as session:
            store = WatcherStore(session)
            before = (await store.states([experiment.id])).get(experiment.id)
            if now.status is Status.PENDING and (before is None or before.status is not Status.PENDING):
                watching = await store.recipients([experiment.id])
                subscriptions = await SubscriptionStore(session).all()
                recipients = {experiment.id: with_subscribers(experiment, subscriptions, watching)}
                names = await PeopleStore(session).names_by_clearml_user()
                act = Act(self._person.id, self._person.name, self.now())
                enqueued = addressed(
                    [ExperimentEvent(EventKind.ENQUEUED, now.experiment_id, now.name, now.status_changed)],
                    recipients=recipients,
                    acts={(experiment.id, EventKind.ENQUEUED): act},
                    names=names,
                    owners=await owner_names(CreatedExperimentStore(session), [experiment], recipients, names),
                )
                await OutboxStore(session).add(enqueued, now=self._clock())
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
        """Ends the watch of this conversation; whether there was one.

        It does not come back by itself where the experiment is the person's own.
        """
        async with self._database.writing() as session:
            is_ended = await WatcherStore(session).unwatch(experiment_id, self._said_in)
            if is_ended:
                await OwnExperimentStore(session).decline(experiment_id, self._person.id)
        return is_ended

    async def watched(self) -> list[tuple[ExperimentState, bool]]:
        """What is watched in this conversation, as it was seen last, the last changed first.

        The second tells whether it is watched only in a thread of the conversation.
        """
        async with self._database.reading() as session:
            return await WatcherStore(session).watched_by(self._said_in)

    async def watch_own(self, *, on: bool) -> None:
        """Whether the person is told of what he enqueues elsewhere than here."""
        async with self._database.writing() as session:
            await OwnExperimentStore(session).switch(self._person.id, on=on)
        self._watched.ring()

    async def watches_own(self) -> bool:
        async with self._database.reading() as session:
            return await OwnExperimentStore(session).is_on(self._person.id)

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
        queue_id=experiment.queue_id,
    )
