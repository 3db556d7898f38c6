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
    TOLD_TO_SUBSCRIBERS,
    Act,
    EventKind,
    ExperimentEvent,
    ExperimentState,
    Recipient,
    Subscription,
)
from clearml_chatops.services.watching.events import first_events
from clearml_chatops.services.watching.telling import with_subscribers
from clearml_chatops.storage.created_experiments import CreatedExperimentStore
from clearml_chatops.storage.own_experiments import OwnExperimentStore
from clearml_chatops.storage.own_places import OwnPlaceStore
from clearml_chatops.storage.states import WatcherStore
from clearml_chatops.storage.subscriptions import SubscriptionStore

_UNDER_WAY = frozenset({Status.PENDING, Status.RUNNING})


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is told of experiments that he has not asked for by their ids; people by their ClearML users."""

    subscriptions: Sequence[Subscription] = ()
    owners: Mapping[str, Sequence[int]] = field(default_factory=dict)

    def owners_of(self, experiment: Experiment) -> Sequence[int]:
        """The people whose experiment it is, where it was enqueued."""
        return self.owners.get(experiment.user_id, ()) if experiment.queue_id else ()

    def is_concerned_by(self, experiment: Experiment) -> bool:
        return bool(self.owners_of(experiment)) or any(item.covers(experiment) for item in self.subscriptions)


async def audience_of(subscriptions: SubscriptionStore, own: OwnExperimentStore) -> Audience:
    return Audience(await subscriptions.all(), await own.owners())


def is_begun(now: ExperimentState, *, since: datetime) -> bool:
    """Whether an experiment never seen before waits or runs, or did so after `since`."""
    return now.status in _UNDER_WAY or bool(first_events(now, since=since))


def moved_on(states: Iterable[ExperimentState], events: Iterable[ExperimentEvent]) -> list[str]:
    """The ids of those that wait or run now, or have begun or ended by one of the events."""
    moved = {event.experiment_id for event in events if event.kind in TOLD_TO_SUBSCRIBERS}
    return [item.experiment_id for item in states if item.status in _UNDER_WAY or item.experiment_id in moved]


@dataclass(frozen=True, slots=True)
class Finder:
    """Finds out who is told of which experiments; within one transaction."""

    watches: WatcherStore
    own: OwnExperimentStore
    places: OwnPlaceStore
    created: CreatedExperimentStore

    async def recipients(
        self,
        experiments: Sequence[Experiment],
        audience: Audience,
        *,
        moved: Collection[str],
        acts: Mapping[tuple[str, EventKind], Act],
    ) -> dict[str, list[Recipient]]:
        """Who is told of each experiment: those who watch it, then its subscribers.

        The owner of one that has `moved` on watches it from now on, unless he does already.
        """
        ids = [item.id for item in experiments]
        watching = await self.watches.recipients(ids)
        missing = await self._missing(
            [item for item in experiments if item.id in moved], audience, watching=watching, acts=acts
        )
        if missing:
            await self.watches.watch_each(missing)
            watching = await self.watches.recipients(ids)
        return {item.id: with_subscribers(item, audience.subscriptions, watching) for item in experiments}

    async def _missing(
        self,
        experiments: Iterable[Experiment],
        audience: Audience,
        *,
        watching: Mapping[str, Sequence[Recipient]],
        acts: Mapping[tuple[str, EventKind], Act],
    ) -> list[tuple[str, Conversation, int]]:
        """Experiment, place and person of each watch that owners are to get.

        Not of what one enqueues by a command just now, which watches it where he says so; not of what the bot
        made for somebody, which he had watched from the beginning; nor of what one does not want.
        """
        wanted = [
            (item.id, person_id)
            for item in experiments
            for person_id in audience.owners_of(item)
            if not any(recipient.person_id == person_id for recipient in watching.get(item.id, ()))
            if not ((act := acts.get((item.id, EventKind.ENQUEUED))) and act.person_id == person_id)
        ]
        if not wanted:
            return []
        ids = list(dict.fromkeys(experiment_id for experiment_id, _ in wanted))
        declined = await self.own.declined(ids)
        made = await self.created.makers(ids)
        places = await self.places.of({person_id for _, person_id in wanted})
        return [
            (experiment_id, places[person_id], person_id)
            for experiment_id, person_id in wanted
            if person_id in places and experiment_id not in made and (experiment_id, person_id) not in declined
        ]


async def owner_names(
    created: CreatedExperimentStore,
    experiments: Iterable[Experiment],
    recipients: Mapping[str, Sequence[Recipient]],
    names: Mapping[str, str],
) -> dict[str, str]:
    """Whose the experiments are of which subscribers are told, by their ids; `names` are those known here."""
    asked = [item for item in experiments if any(to.subscription for to in recipients.get(item.id, ()))]
    makers = await created.makers([item.id for item in asked])
    return {item.id: makers.get(item.id) or names.get(item.user_id) or item.user_name for item in asked}
