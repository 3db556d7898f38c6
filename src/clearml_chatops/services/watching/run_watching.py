"""What runs is looked at every few seconds, while somebody has an alert on it or watches it.

The watcher tells what changes its status; this tells what becomes of it in between.
"""

from collections.abc import Callable, Collection
from datetime import datetime

from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.models.experiments import Status
from clearml_chatops.models.runs import RunSigns
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.watching.alarm_watching import AlarmWatching
from clearml_chatops.services.watching.alert_watching import AlertWatching
from clearml_chatops.storage.cards import CardStore
from clearml_chatops.storage.database import Database


class RunWatching:
    """One look for alerts, alarms and cards together: one request for how all of the runs are."""

    def __init__(
        self,
        *,
        clearml: ClearML,
        database: Database,
        alerts: AlertWatching,
        alarms: AlarmWatching,
        clock: Callable[[], datetime],
    ) -> None:
        self._clearml = clearml
        self._database = database
        self._alerts = alerts
        self._alarms = alarms
        self._clock = clock
        self._setting_up: frozenset[str] = frozenset()

    async def look(self) -> int:
        """One look; how many messages came of it. No request where nobody waits for anything.

        Raises:
            ClearMLError: it did not answer, or not for all.
        """
        alerts = await self._alerts.alerts()
        watched = await self._alarms.watched()
        wanted = sorted({*watched, *(alert.experiment_id for alert in alerts)})
        try:
            runs = await self._clearml.run_signs(wanted) if wanted else {}
            told = await self._alarms.look([runs[id_] for id_ in watched if id_ in runs])
        except ChatOpsError:
            self._alarms.missed()
            raise
        await self._show_readiness(runs.values())
        return told + (await self._alerts.look(alerts, runs) if alerts else 0)

    async def _show_readiness(self, runs: Collection[RunSigns]) -> None:
        """Has the cards edited of those whose own code has begun since the last look."""
        ready = environments_ready(self._setting_up, runs)
        if ready:
            async with self._database.writing() as session:
                await CardStore(session).mark_due(ready, now=self._clock())
        self._setting_up = frozenset(run.experiment_id for run in runs if run.is_setting_up)


def environments_ready(setting_up: Collection[str], runs: Collection[RunSigns]) -> list[str]:
    """Which of those that were setting up their environment now run their own code."""
    return [
        run.experiment_id
        for run in runs
        if run.experiment_id in setting_up and run.status is Status.RUNNING and not run.is_setting_up
    ]
