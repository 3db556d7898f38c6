"""Discovers experiments that nobody watches by id: those of subscribed queues and projects, and people's own.

What a person enqueues in the web UI, by a script or in a pipeline is found by their ClearML user, and they get
notified in their private chat. Runs that were never in a queue are left out: people start those by hand.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import (
    DEFAULT_SUBSCRIPTION_EVENTS,
    EventKind,
    ExperimentEvent,
    ExperimentState,
    OwnAction,
    Recipient,
    Subscription,
)
from clearml_chatops.services.watching.events import derive_first_events
from clearml_chatops.services.watching.recipients import combine_recipients
from clearml_chatops.storage.created_experiments import CreatedExperimentStore
from clearml_chatops.storage.direct_messages import DirectMessageStore
from clearml_chatops.storage.own_experiments import OwnExperimentStore
from clearml_chatops.storage.subscriptions import SubscriptionStore
from clearml_chatops.storage.watcher import WatcherStore

_ACTIVE_STATUSES = frozenset({Status.PENDING, Status.RUNNING})


@dataclass(frozen=True, slots=True)
class Audience:
    """Who gets notified without watching an experiment by id: subscriptions, and people by their ClearML user."""

    subscriptions: Sequence[Subscription] = ()
    owners: Mapping[str, Sequence[int]] = field(default_factory=dict)

    def list_owners(self, experiment: Experiment) -> Sequence[int]:
        """Return the ids of the people who own an experiment that was enqueued."""
        return self.owners.get(experiment.user_id, ()) if experiment.queue_id else ()

    def includes(self, experiment: Experiment) -> bool:
        """Return whether anyone gets notified of an experiment."""
        return bool(self.list_owners(experiment)) or any(item.covers(experiment) for item in self.subscriptions)


async def load_audience(subscriptions: SubscriptionStore, own_experiments: OwnExperimentStore) -> Audience:
    return Audience(await subscriptions.list_all(), await own_experiments.find_subscribed_owners())


def has_started(state: ExperimentState, *, since: datetime) -> bool:
    """Return whether a newly seen experiment is Pending or Running, or started or ended after `since`."""
    return state.status in _ACTIVE_STATUSES or bool(derive_first_events(state, since=since))


def find_active_ids(states: Iterable[ExperimentState], events: Iterable[ExperimentEvent]) -> list[str]:
    """Return the ids of experiments that are Pending or Running, or started or ended by one of the events."""
    changed_ids = {event.experiment_id for event in events if event.kind in DEFAULT_SUBSCRIPTION_EVENTS}
    active = [item for item in states if item.status in _ACTIVE_STATUSES or item.experiment_id in changed_ids]
    return [item.experiment_id for item in active]


@dataclass(frozen=True, slots=True)
class Discovery:
    """Finds the recipients of experiments, within one transaction."""

    watches: WatcherStore
    own_experiments: OwnExperimentStore
    direct_messages: DirectMessageStore
    created_experiments: CreatedExperimentStore

    async def find_recipients(
        self,
        experiments: Sequence[Experiment],
        audience: Audience,
        *,
        active_ids: Collection[str],
        own_actions: Mapping[tuple[str, EventKind], OwnAction],
    ) -> dict[str, list[Recipient]]:
        """Return the recipients of each experiment by its id: those who watch it, then its subscribers.

        The owners of the experiments in `active_ids` watch them from now on.
        """
        ids = [item.id for item in experiments]
        watch_recipients = await self.watches.find_recipients(ids)
        missing_watches = await self._find_missing_watches(
            [item for item in experiments if item.id in active_ids],
            audience,
            watch_recipients=watch_recipients,
            own_actions=own_actions,
        )
        if missing_watches:
            await self.watches.add_watches(missing_watches)
            watch_recipients = await self.watches.find_recipients(ids)
        return {
            item.id: combine_recipients(item, audience.subscriptions, watch_recipients) for item in experiments
        }

    async def _find_missing_watches(
        self,
        experiments: Iterable[Experiment],
        audience: Audience,
        *,
        watch_recipients: Mapping[str, Sequence[Recipient]],
        own_actions: Mapping[tuple[str, EventKind], OwnAction],
    ) -> list[tuple[str, Conversation, int]]:
        """Return experiment id, conversation and person id of each watch to add for owners.

        Left out are experiments that the owner watches, enqueued by a command (which adds a watch itself) or
        opted out of, and those that the bot created, which are watched from the start.
        """
        candidates = [
            (item.id, person_id)
            for item in experiments
            for person_id in audience.list_owners(item)
            if not any(recipient.person_id == person_id for recipient in watch_recipients.get(item.id, ()))
            if not (
                (own_action := own_actions.get((item.id, EventKind.ENQUEUED)))
                and own_action.person_id == person_id
            )
        ]
        if not candidates:
            return []
        ids = list(dict.fromkeys(experiment_id for experiment_id, _ in candidates))
        declined = await self.own_experiments.find_opt_outs(ids)
        creator_names = await self.created_experiments.find_creator_names(ids)
        conversations = await self.direct_messages.find_for_people({person_id for _, person_id in candidates})
        return [
            (experiment_id, conversations[person_id], person_id)
            for experiment_id, person_id in candidates
            if person_id in conversations
            and experiment_id not in creator_names
            and (experiment_id, person_id) not in declined
        ]


async def find_owner_names(
    created_experiments: CreatedExperimentStore,
    experiments: Iterable[Experiment],
    recipients: Mapping[str, Sequence[Recipient]],
    names: Mapping[str, str],
) -> dict[str, str]:
    """Return the owners' names of experiments with subscribers, by experiment id.

    `names` maps ClearML users to the names of people that the bot knows.
    """
    subscribed = [item for item in experiments if any(to.subscription for to in recipients.get(item.id, ()))]
    creator_names = await created_experiments.find_creator_names([item.id for item in subscribed])
    return {
        item.id: creator_names.get(item.id) or names.get(item.user_id) or item.user_name for item in subscribed
    }
