"""Watches of a person, including those on experiments that they clone or enqueue."""

from collections.abc import Callable
from datetime import datetime

from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, ExperimentState, OwnAction
from clearml_chatops.models.people import Person
from clearml_chatops.services.wakeups import Wakeup
from clearml_chatops.services.watching.discovery import find_owner_names
from clearml_chatops.services.watching.recipients import OWN_ACTION_WINDOW, address_events, combine_recipients
from clearml_chatops.storage.created_experiments import CreatedExperimentStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.outbox import OutboxStore
from clearml_chatops.storage.own_actions import OwnActionStore
from clearml_chatops.storage.own_experiments import OwnExperimentStore
from clearml_chatops.storage.people import PeopleStore
from clearml_chatops.storage.subscriptions import SubscriptionStore
from clearml_chatops.storage.watcher import WatcherStore


class Tracking:
    """Watches of one person. Notifications go to `conversation`, where replies to the person go.

    `source_conversation` is where they wrote: a mention in a channel starts a thread, but is in the channel.
    """

    def __init__(
        self,
        *,
        database: Database,
        person: Person,
        conversation: Conversation,
        source_conversation: Conversation,
        clock: Callable[[], datetime],
        watcher_wakeup: Wakeup,
        outbox_wakeup: Wakeup,
    ) -> None:
        self._database = database
        self._person = person
        self._conversation = conversation
        self._source_conversation = source_conversation
        self._clock = clock
        self._watcher_wakeup = watcher_wakeup
        self._outbox_wakeup = outbox_wakeup

    def now(self) -> datetime:
        return self._clock()

    async def follow(self, experiment: Experiment) -> None:
        """Watch an experiment from the state in which the person's command left it.

        The others who watch it or have subscribed to it get notified of the command.
        """
        state = to_state(experiment)
        async with self._database.writing() as session:
            store = WatcherStore(session)
            previous = (await store.find_states([experiment.id])).get(experiment.id)
            if state.status is Status.PENDING and (previous is None or previous.status is not Status.PENDING):
                watch_recipients = await store.find_recipients([experiment.id])
                subscriptions = await SubscriptionStore(session).list_all()
                recipients = {experiment.id: combine_recipients(experiment, subscriptions, watch_recipients)}
                names = await PeopleStore(session).get_names_by_clearml_user()
                own_action = OwnAction(self._person.id, self._person.name, self.now())
                addressed_events = address_events(
                    [ExperimentEvent(EventKind.ENQUEUED, state.experiment_id, state.name, state.status_changed)],
                    recipients=recipients,
                    own_actions={(experiment.id, EventKind.ENQUEUED): own_action},
                    names=names,
                    owners=await find_owner_names(
                        CreatedExperimentStore(session), [experiment], recipients, names
                    ),
                )
                await OutboxStore(session).add(addressed_events, now=self._clock())
            await OwnActionStore(session).remove_all([(experiment.id, EventKind.ENQUEUED)])
            await store.put_states([state])
            await store.add_watch(experiment.id, self._conversation, self._person.id)
        self._watcher_wakeup.wake()
        self._outbox_wakeup.wake()

    async def record_own_action(self, experiment_id: str, kind: EventKind) -> None:
        """Record what the person is about to do: they get no notification of it, and others see their name."""
        now = self._clock()
        async with self._database.writing() as session:
            own_actions = OwnActionStore(session)
            await own_actions.remove_old(before=now - OWN_ACTION_WINDOW)
            await own_actions.put(experiment_id, kind, self._person.id, at=now)

    async def watch(self, experiment: Experiment) -> None:
        """Watch an experiment from its stored state, or from its current state if none is stored.

        Others may watch it already and get the latest events only if the stored state stays.
        """
        async with self._database.writing() as session:
            store = WatcherStore(session)
            if not await store.find_states([experiment.id]):
                await store.put_states([to_state(experiment)])
            await store.add_watch(experiment.id, self._conversation, self._person.id)
        self._watcher_wakeup.wake()

    async def unwatch(self, experiment_id: str) -> bool:
        """End the watch of this conversation; return whether there was one.

        The person's own experiment is not watched again automatically.
        """
        async with self._database.writing() as session:
            was_watched = await WatcherStore(session).remove_watch(experiment_id, self._source_conversation)
            if was_watched:
                await OwnExperimentStore(session).opt_out(experiment_id, self._person.id)
        return was_watched

    async def list_watched(self) -> list[tuple[ExperimentState, bool]]:
        """Return the last seen states of the experiments watched in this conversation, latest change first.

        The second value is whether the experiment is watched only in a thread of the conversation.
        """
        async with self._database.reading() as session:
            return await WatcherStore(session).list_watched(self._source_conversation)

    async def set_watch_own(self, *, on: bool) -> None:
        """Turn notifications about experiments that the person enqueues outside the bot on or off."""
        async with self._database.writing() as session:
            await OwnExperimentStore(session).set_enabled(self._person.id, is_enabled=on)
        self._watcher_wakeup.wake()

    async def is_watching_own(self) -> bool:
        """Return whether the person gets notified of experiments that they enqueue outside the bot."""
        async with self._database.reading() as session:
            return await OwnExperimentStore(session).is_enabled(self._person.id)

    async def has_seen(self, experiment: Experiment) -> bool:
        """Return whether the watcher has already stored this status of the experiment."""
        async with self._database.reading() as session:
            state = (await WatcherStore(session).find_states([experiment.id])).get(experiment.id)
        return state is not None and state.status is experiment.status


def to_state(experiment: Experiment) -> ExperimentState:
    """Return what the watcher stores of an experiment."""
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
        stop_requested_by=experiment.changed_by_id if experiment.is_stopping else "",
        changed_by="" if experiment.is_changed_by_agent else experiment.changed_by_id,
        reason=experiment.status_reason,
        queue_id=experiment.queue_id,
    )
