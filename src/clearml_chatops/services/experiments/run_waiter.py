"""Waiting for a run, for scripts and shell pipelines."""

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

_POLL_INTERVAL_SECONDS = 0.5
_NOTIFICATION_TIMEOUT = timedelta(seconds=10)


class RunWaiter:
    """Waits for a run's status and for the notification about it."""

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

    async def wait_until(
        self,
        reference: str,
        target_status: Status | None,
        *,
        timeout: timedelta,  # noqa: ASYNC109  # measured by our clock
    ) -> Experiment:
        """Wait until the experiment has the status, or without one until it has left Pending.

        Raises:
            WaitTimeoutError: the time ran out first.
            WaitImpossibleError: it ended with another status.
        """
        deadline = self._clock() + timeout
        experiment = await self._lookup.find(reference)
        await self._tracking.watch(experiment)
        while not _has_reached(experiment, target_status):
            if target_status is not None and experiment.status.is_finished:
                raise WaitImpossibleError(
                    name=experiment.name,
                    status=experiment.status.label,
                    expected_status=target_status.label,
                )
            if self._clock() >= deadline:
                raise WaitTimeoutError(
                    name=experiment.name,
                    status=experiment.status.label,
                    timeout=f"{timeout.total_seconds():.0f} s",
                )
            await asyncio.sleep(_POLL_INTERVAL_SECONDS)
            experiment = (await self._clearml.get_experiments([experiment.id])).get(experiment.id, experiment)
        await self._wait_until_notified(experiment)
        return experiment

    async def _wait_until_notified(self, experiment: Experiment) -> None:
        """Wait for watcher and delivery, so that the notification arrives before the reply."""
        deadline = self._clock() + _NOTIFICATION_TIMEOUT
        while self._clock() < deadline:
            has_seen = await self._tracking.has_seen(experiment)
            if has_seen and not await self._notifications.count_pending(experiment.id, self._conversation):
                return
            await asyncio.sleep(_POLL_INTERVAL_SECONDS / 5)


def _has_reached(experiment: Experiment, target_status: Status | None) -> bool:
    if target_status is None:
        return experiment.status not in {Status.DRAFT, Status.PENDING}
    return experiment.status is target_status
