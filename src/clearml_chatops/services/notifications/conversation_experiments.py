"""The experiments of a conversation: whatever it is told of."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import ExperimentState, Subscription
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.clearml_gateway.experiment_calls import ExperimentFilter
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.states import WatcherStore
from clearml_chatops.storage.subscriptions import SubscriptionStore

_MOST_WATCHED = 1000
_MOST_MOVING = 500
_MOST_CHANGES = 5000
_PAGE_SIZE = 500
_UNDER_WAY = (Status.PENDING, Status.RUNNING)


async def experiments_of(
    conversation: Conversation, since: datetime, *, clearml: ClearML, database: Database
) -> Sequence[Experiment]:
    """Those that have changed since a moment, or wait or run now, as ClearML has them.

    What is watched or subscribed to in the threads of a channel is the channel's too. Two requests at most
    for what it watches, and eleven for what is in the queues and projects that it has subscribed to.
    """
    async with database.reading() as session:
        watched = await WatcherStore(session).watched_by(conversation)
        subscriptions = await SubscriptionStore(session).of(conversation)
    found = await _watched(clearml, (state for state, _ in watched), since)
    if subscriptions:
        found |= await _subscribed(clearml, subscriptions, since)
    return list(found.values())


async def _watched(clearml: ClearML, states: Iterable[ExperimentState], since: datetime) -> dict[str, Experiment]:
    concerned = [
        state.experiment_id for state in states if state.status_changed >= since or state.status in _UNDER_WAY
    ][:_MOST_WATCHED]
    return await clearml.experiments(concerned, whole=False)


async def _subscribed(
    clearml: ClearML, subscriptions: Sequence[Subscription], since: datetime
) -> dict[str, Experiment]:
    """What waits or runs now, whenever that began, is a request of its own."""
    seen, number = {}, 0
    async for changed in clearml.pages_of_changes(since, page_size=_PAGE_SIZE):
        seen.update({item.id: item for item in changed})
        number += len(changed)
        if number >= _MOST_CHANGES:
            break
    moving = await clearml.find_experiments(ExperimentFilter(statuses=_UNDER_WAY), limit=_MOST_MOVING)
    seen.update({item.id: item for item in moving})
    return {
        item.id: item for item in seen.values() if any(subscription.covers(item) for subscription in subscriptions)
    }
