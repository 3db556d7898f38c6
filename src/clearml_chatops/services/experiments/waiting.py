"""Waiting for a run, for scripts and shell pipelines that follow one."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from clearml_chatops.models.errors import WaitImpossibleError, WaitTimeoutError
from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.messages import Conversation
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.experiments.experiment_lookup import ExperimentLookup
from clearml_chatops.services.notifications.notifications import NotificationService
from clearml_chatops.services.watching.tracking import Tracking

_PAUSE_SECONDS = 0.5
_TIME_FOR_THE_NEWS = timedelta(seconds=10)


class WaitService:
    """Waits for what a person sees: the status, and the notification of it."""

    def __init__(
        self,
        *,
        clearml: ClearML,
        lookup: ExperimentLookup,
        tracking: Tracking,
        notifications: NotificationService,
        conversation: Conversation,
        clock: Callable[[], datetime],
    ) -> None:
        self._clearml = clearml
        self._lookup = lookup
        self._tracking = tracking
        self._notifications = notifications
        self._conversation = conversation
        self._clock = clock

    async def until(self, reference: str, wanted: Status | None, *, within: timedelta) -> Experiment:
        """Waits until the experiment has the status, or has left Pending where none is given.

        Raises:
            WaitTimeoutError: the time ran out first.
            WaitImpossibleError: it ended otherwise, so the status will not come by itself.
        """
        deadline = self._clock() + within
        experiment = await self._lookup.find(reference)
        await self._tracking.watch(experiment)
        while not _reached(experiment, wanted):
            if wanted is not None and experiment.status.is_over:
                raise WaitImpossibleError(name=experiment.name, status=experiment.status.word, wanted=wanted.word)
            if self._clock() >= deadline:
                raise WaitTimeoutError(
                    name=experiment.name,
                    status=experiment.status.word,
                    timeout=f"{within.total_seconds():.0f} s",
                )
            await asyncio.sleep(_PAUSE_SECONDS)
            experiment = (await self._clearml.experiments([experiment.id])).get(experiment.id, experiment)
        await self._until_told(experiment)
        return experiment

    async def _until_told(self, experiment: Experiment) -> None:
        """Lets the watcher and the delivery come as far as we are, so that the news stands above our answer."""
        deadline = self._clock() + _TIME_FOR_THE_NEWS
        while self._clock() < deadline:
            seen = await self._tracking.has_seen(experiment)
            if seen and not await self._notifications.waiting_for(experiment.id, self._conversation):
                return
            await asyncio.sleep(_PAUSE_SECONDS / 5)


def _reached(experiment: Experiment, wanted: Status | None) -> bool:
    if wanted is None:
        return experiment.status not in {Status.DRAFT, Status.PENDING}
    return experiment.status is wanted
