"""What a conversation has itself told of."""

from collections.abc import Sequence

from clearml_chatops.models.errors import NotWatchedError
from clearml_chatops.models.experiments import Experiment
from clearml_chatops.models.notifications import ExperimentState
from clearml_chatops.services.experiments.experiment_lookup import ExperimentLookup
from clearml_chatops.services.watching.tracking import Tracking


class WatchService:
    """Watches of one conversation. Whoever may look may watch."""

    def __init__(self, *, lookup: ExperimentLookup, tracking: Tracking) -> None:
        self._lookup = lookup
        self._tracking = tracking

    async def watch(self, reference: str) -> Experiment:
        """Has the conversation told what becomes of an experiment; asking twice changes nothing."""
        experiment = await self._lookup.find(reference)
        await self._tracking.watch(experiment)
        return experiment

    async def unwatch(self, reference: str) -> str:
        """Ends a watch and gives the experiment's name. No request for a full id: it may be deleted in ClearML.

        Raises:
            NotWatchedError: it is not watched here.
        """
        watched = {state.experiment_id: state.name for state, _ in await self._tracking.watched()}
        wanted = (reference.strip() or await self._lookup.current_id()).lower()
        if wanted not in watched:
            experiment = await self._lookup.find(reference)
            wanted, name = experiment.id, experiment.name
        else:
            name = watched[wanted]
        if not await self._tracking.unwatch(wanted):
            raise NotWatchedError(name=name)
        return name

    async def watching(self) -> Sequence[tuple[ExperimentState, bool]]:
        """What is watched here: what can still move on first, the last changed first. No request.

        The second tells whether it is watched only in a thread of this conversation.
        """
        return sorted(await self._tracking.watched(), key=lambda item: item[0].status.is_over)

    async def watch_own(self, *, on: bool) -> None:
        """Whether the person is told of his own experiments that he enqueues elsewhere than here."""
        await self._tracking.watch_own(on=on)

    async def watches_own(self) -> bool:
        return await self._tracking.watches_own()
