"""The experiments of a conversation: those it watches or has subscribed to."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import ExperimentState, Subscription
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.clearml_gateway.experiment_filters import ExperimentFilter
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.subscriptions import SubscriptionStore
from clearml_chatops.storage.watcher import WatcherStore

_MAX_WATCHED = 1000
_MAX_ACTIVE = 500
_MAX_CHANGES = 5000
_PAGE_SIZE = 500
_ACTIVE_STATUSES = (Status.PENDING, Status.RUNNING)


async def load_conversation_experiments(
    conversation: Conversation, since: datetime, *, clearml: ClearML, database: Database
) -> Sequence[Experiment]:
    """Return the experiments that changed after `since` or are Pending or Running now.

    Watches and subscriptions in the threads of a channel count for the channel. This takes at most two
    requests for the watched experiments, and eleven for those of subscribed queues and projects.
    """
    async with database.reading() as session:
        watched = await WatcherStore(session).list_watched(conversation)
        subscriptions = await SubscriptionStore(session).list_for_conversation(conversation)
    found = await _load_watched(clearml, (state for state, _ in watched), since)
    if subscriptions:
        found |= await _load_subscribed(clearml, subscriptions, since)
    return list(found.values())


async def _load_watched(
    clearml: ClearML, states: Iterable[ExperimentState], since: datetime
) -> dict[str, Experiment]:
    experiment_ids = [
        state.experiment_id
        for state in states
        if state.status_changed >= since or state.status in _ACTIVE_STATUSES
    ][:_MAX_WATCHED]
    return await clearml.get_experiments(experiment_ids, with_details=False)


async def _load_subscribed(
    clearml: ClearML, subscriptions: Sequence[Subscription], since: datetime
) -> dict[str, Experiment]:
    """Return changed and active experiments; active ones need a request of their own, as they may be older."""
    seen, change_count = {}, 0
    async for changed in clearml.iterate_changed_experiments(since, page_size=_PAGE_SIZE):
        seen.update({item.id: item for item in changed})
        change_count += len(changed)
        if change_count >= _MAX_CHANGES:
            break
    active = await clearml.find_experiments(ExperimentFilter(statuses=_ACTIVE_STATUSES), limit=_MAX_ACTIVE)
    seen.update({item.id: item for item in active})
    return {
        item.id: item for item in seen.values() if any(subscription.covers(item) for subscription in subscriptions)
    }
