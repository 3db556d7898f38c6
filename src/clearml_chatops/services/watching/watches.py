"""Watches: a conversation gets notified of single experiments."""

from collections.abc import Sequence

from clearml_chatops.models.errors import NotWatchedError
from clearml_chatops.models.experiments import Experiment
from clearml_chatops.models.notifications import ExperimentState
from clearml_chatops.services.experiments.experiment_lookup import ExperimentLookup
from clearml_chatops.services.watching.tracking import Tracking


class WatchService:
    """Watches of one conversation. Everyone who may view experiments may watch them."""

    def __init__(self, *, lookup: ExperimentLookup, tracking: Tracking) -> None:
        self._lookup = lookup
        self._tracking = tracking

    async def watch(self, reference: str) -> Experiment:
        """Notify the conversation of what happens to an experiment; watching it twice changes nothing."""
        experiment = await self._lookup.find(reference)
        await self._tracking.watch(experiment)
        return experiment

    async def unwatch(self, reference: str) -> str:
        """End a watch and return the experiment's name.

        With a full id this takes no request, as the experiment may be deleted in ClearML.

        Raises:
            NotWatchedError: the experiment is not watched here.
        """
        watched_names = {state.experiment_id: state.name for state, _ in await self._tracking.list_watched()}
        experiment_id = (reference.strip() or await self._lookup.get_current_id()).lower()
        if experiment_id not in watched_names:
            experiment = await self._lookup.find(reference)
            experiment_id, name = experiment.id, experiment.name
        else:
            name = watched_names[experiment_id]
        if not await self._tracking.unwatch(experiment_id):
            raise NotWatchedError(name=name)
        return name

    async def list_watched(self) -> Sequence[tuple[ExperimentState, bool]]:
        """Return the watched experiments: unfinished ones first, then by latest change. Takes no request.

        The second value is whether the experiment is watched only in a thread of this conversation.
        """
        return sorted(await self._tracking.list_watched(), key=lambda item: item[0].status.is_finished)

    async def set_watch_own(self, *, on: bool) -> None:
        """Turn notifications about experiments that the person enqueues outside the bot on or off."""
        await self._tracking.set_watch_own(on=on)

    async def is_watching_own(self) -> bool:
        """Return whether the person gets notified of experiments that they enqueue outside the bot."""
        return await self._tracking.is_watching_own()
