"""The experiments of a conversation: whatever it is told of."""

from collections.abc import Sequence
from datetime import datetime

from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.messages import Conversation
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.states import WatcherStore

_MOST = 1000
_ASKED_AT_ONCE = 500


async def experiments_of(
    conversation: Conversation, since: datetime, *, clearml: ClearML, database: Database
) -> Sequence[Experiment]:
    """Those that have changed since a moment, or wait or run now, as ClearML has them. Two requests at most.

    What is watched in the threads of a channel is the channel's too.
    """
    async with database.reading() as session:
        watched = await WatcherStore(session).watched_by(conversation)
    concerned = [
        state.experiment_id
        for state, _ in watched
        if state.status_changed >= since or state.status in {Status.PENDING, Status.RUNNING}
    ][:_MOST]
    found: list[Experiment] = []
    for start in range(0, len(concerned), _ASKED_AT_ONCE):
        asked = concerned[start : start + _ASKED_AT_ONCE]
        found += (await clearml.experiments(asked, whole=False)).values()
    return found
