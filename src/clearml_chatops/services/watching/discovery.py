"""Experiments that nobody has asked for by their id: those of subscribed queues and projects, and people's own.

What a person enqueues in the web UI, by a script or by a pipeline is found by his ClearML user and told him
where he is alone with the bot. What was never in a queue he has started by hand, and sits before it.
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
    """Who is told of experiments that he has not asked for by their ids; people by their ClearML users."""

    subscriptions: Sequence[Subscription] = ()
    owners: Mapping[str, Sequence[int]] = field(default_factory=dict)

    def list_owners(self, experiment: Experiment) -> Sequence[int]:
        """The people whose experiment it is, where it was enqueued."""
        return self.owners.get(experiment.user_id, ()) if experiment.queue_id else ()

    def includes(self, experiment: Experiment) -> bool:
        return bool(self.list_owners(experiment)) or any(item.covers(experiment) for item in self.subscriptions)


async def load_audience(subscriptions: SubscriptionStore, own_experiments: OwnExperimentStore) -> Audience:
    return Audience(await subscriptions.list_all(), await own_experiments.find_subscribed_owners())


def has_started(state: ExperimentState, *, since: datetime) -> bool:
    """Whether an experiment never seen before waits or runs, or did so after `since`."""
    return state.status in _ACTIVE_STATUSES or bool(derive_first_events(state, since=since))


def find_active_ids(states: Iterable[ExperimentState], events: Iterable[ExperimentEvent]) -> list[str]:
    """The ids of those that wait or run now, or have begun or ended by one of the events."""
    changed_ids = {event.experiment_id for event in events if event.kind in DEFAULT_SUBSCRIPTION_EVENTS}
    return [
        item.experiment_id
        for item in states
        if item.status in _ACTIVE_STATUSES or item.experiment_id in changed_ids
    ]


@dataclass(frozen=True, slots=True)
class Discovery:
    """Finds out who is told of which experiments; within one transaction."""

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
        """Who is told of each experiment: those who watch it, then its subscribers.

        The owner of one that has `moved` on watches it from now on, unless he does already.
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
        """Experiment, place and person of each watch that owners are to get.

        Not of what one enqueues by a command just now, which watches it where he says so; not of what the bot
        made for somebody, which he had watched from the beginning; nor of what one does not want.
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
    """Whose the experiments are of which subscribers are told, by their ids; `names` are those known here."""
    subscribed = [item for item in experiments if any(to.subscription for to in recipients.get(item.id, ()))]
    creator_names = await created_experiments.find_creator_names([item.id for item in subscribed])
    return {
        item.id: creator_names.get(item.id) or names.get(item.user_id) or item.user_name for item in subscribed
    }
