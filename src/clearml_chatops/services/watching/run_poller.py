"""Polls runs every few seconds while somebody watches them or has an alert on them.

The watcher reports status changes; this module reports what happens in between.
"""

from collections.abc import Callable, Collection
from datetime import datetime

from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.models.experiments import Status
from clearml_chatops.models.runs import RunActivity
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.watching.alarm_poller import AlarmPoller
from clearml_chatops.services.watching.alert_poller import AlertPoller
from clearml_chatops.storage.cards import CardStore
from clearml_chatops.storage.database import Database


class RunPoller:
    """Polls for alerts, alarms and cards together: one request reads the activity of all runs."""

    def __init__(
        self,
        *,
        clearml: ClearML,
        database: Database,
        alert_poller: AlertPoller,
        alarm_poller: AlarmPoller,
        clock: Callable[[], datetime],
    ) -> None:
        self._clearml = clearml
        self._database = database
        self._alert_poller = alert_poller
        self._alarm_poller = alarm_poller
        self._clock = clock
        self._setting_up_ids: frozenset[str] = frozenset()

    async def poll(self) -> int:
        """Poll once; return how many notices were queued. Takes no request if there is nothing to check.

        Raises:
            ClearMLError: ClearML did not answer, or not for all runs.
        """
        alerts = await self._alert_poller.list_alerts()
        watched_ids = await self._alarm_poller.list_watched_ids()
        experiment_ids = sorted({*watched_ids, *(alert.experiment_id for alert in alerts)})
        try:
            runs = await self._clearml.get_run_activity(experiment_ids) if experiment_ids else {}
            message_count = await self._alarm_poller.poll([runs[id_] for id_ in watched_ids if id_ in runs])
        except ChatOpsError:
            self._alarm_poller.mark_outage()
            raise
        await self._refresh_ready_cards(runs.values())
        return message_count + (await self._alert_poller.poll(alerts, runs) if alerts else 0)

    async def _refresh_ready_cards(self, runs: Collection[RunActivity]) -> None:
        """Schedule an edit of the cards of runs that have started their script since the last poll."""
        if ready_ids := find_ready_ids(self._setting_up_ids, runs):
            async with self._database.writing() as session:
                await CardStore(session).mark_due(ready_ids, now=self._clock())
        self._setting_up_ids = frozenset(run.experiment_id for run in runs if run.is_setting_up)


def find_ready_ids(setting_up_ids: Collection[str], runs: Collection[RunActivity]) -> list[str]:
    """Return the ids of runs that were setting up their environment and now run their script."""
    ready = [run for run in runs if run.status is Status.RUNNING and not run.is_setting_up]
    return [run.experiment_id for run in ready if run.experiment_id in setting_up_ids]
