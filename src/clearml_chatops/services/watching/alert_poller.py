"""Checks alerts and notifies people when one is met: once each, also across restarts of the bot."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from clearml_chatops.models.alerts import Alert, AlertProgress, LogCondition, MetricCondition
from clearml_chatops.models.errors import ClearMLError, ClearMLUnreachableError
from clearml_chatops.models.experiments import LogLine, Metric, Status
from clearml_chatops.models.notifications import Notice
from clearml_chatops.models.replies import Button
from clearml_chatops.models.runs import RunActivity
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.wakeups import Wakeup
from clearml_chatops.services.watching.alert_conditions import find_extreme, find_fulfilling_metric
from clearml_chatops.services.watching.log_patterns import SlowPatternError, find_first_match
from clearml_chatops.storage.alerts import AlertStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.outbox import OutboxStore
from clearml_chatops.storage.watcher import WatcherStore

LOG_PAGE_SIZE = 500
MAX_PAGES = 20
"""Read from one log in one poll; the next poll continues there."""

LOG_OVERLAP = timedelta(seconds=10)
"""How far before the last line seen a poll begins: several programs log for one run, and the server shows
their lines some seconds later."""

END_GRACE = timedelta(seconds=15)
"""How long a run is still polled after its end, for the same reason."""

PATTERN_TIMEOUT = timedelta(seconds=1)
"""For one pattern on one page of a log."""

_MAX_QUOTE_LENGTH = 500


@dataclass(frozen=True, slots=True)
class _PollResult:
    """What a poll found for one alert. A notice ends it; so does `end_reason`, why it can no longer be met."""

    alert: Alert
    progress: AlertProgress
    notice: Notice | None = None
    end_reason: str = ""


class AlertPoller:
    """Checks the alerts of all conversations. Removing a met alert and queuing its notice are one transaction."""

    def __init__(
        self,
        *,
        clearml: ClearML,
        database: Database,
        clock: Callable[[], datetime],
        outbox_wakeup: Wakeup,
        pattern_timeout: timedelta = PATTERN_TIMEOUT,
    ) -> None:
        self._clearml = clearml
        self._database = database
        self._clock = clock
        self._outbox_wakeup = outbox_wakeup
        self._pattern_timeout = pattern_timeout

    async def list_alerts(self) -> list[Alert]:
        async with self._database.reading() as session:
            return await AlertStore(session).list_all()

    async def poll(self, alerts: Sequence[Alert], runs: Mapping[str, RunActivity]) -> int:
        """Check the alerts; return how many notices were queued.

        This takes one request for the metrics of all runs, and at least one per run with a log alert.

        Raises:
            ClearMLError: ClearML did not answer for some of the runs; the others were checked.
        """
        deleted = [alert for alert in alerts if alert.experiment_id not in runs]
        message_count = await self._record(
            [_PollResult(alert, alert.progress, end_reason="was deleted in ClearML") for alert in deleted]
        )
        existing = [alert for alert in alerts if alert.experiment_id in runs]
        message_count += await self._poll_metrics(existing, runs)
        return message_count + await self._poll_logs(existing, runs)

    async def _poll_metrics(self, alerts: Sequence[Alert], runs: Mapping[str, RunActivity]) -> int:
        metric_alerts = [
            (alert, alert.condition, runs[alert.experiment_id])
            for alert in alerts
            if isinstance(alert.condition, MetricCondition)
            and runs[alert.experiment_id].status is not Status.PENDING
        ]
        if not metric_alerts:
            return 0
        metrics = await self._clearml.get_last_metrics(sorted({run.experiment_id for _, _, run in metric_alerts}))
        return await self._record(
            [
                self._check_metric(alert, condition, run, metrics[run.experiment_id])
                for alert, condition, run in metric_alerts
                if run.experiment_id in metrics
            ]
        )

    def _check_metric(
        self, alert: Alert, condition: MetricCondition, run: RunActivity, metrics: Sequence[Metric]
    ) -> _PollResult:
        progress = replace(alert.progress, extreme=find_extreme(condition, metrics))
        match = find_fulfilling_metric(condition, metrics, previous_extreme=alert.progress.extreme)
        if not match:
            return _PollResult(alert, progress, end_reason=self._describe_end(run))
        metric, value = match
        is_current = value == metric.value
        value_text = f"is {value:.6g}" if is_current else f"reached {value:.6g} and is {metric.value:.6g} now"
        text = f"“{run.name}”: {metric.name} {value_text}. Alert: {condition}."
        return _PollResult(alert, progress, _build_notice(alert, run, text))

    async def _poll_logs(self, alerts: Sequence[Alert], runs: Mapping[str, RunActivity]) -> int:
        by_run: dict[str, list[Alert]] = {}
        for alert in alerts:
            is_waiting = runs[alert.experiment_id].status in {Status.DRAFT, Status.PENDING}
            if isinstance(alert.condition, LogCondition) and not is_waiting:
                by_run.setdefault(alert.experiment_id, []).append(alert)
        message_count, failure = 0, None
        for experiment_id, run_alerts in by_run.items():
            try:
                message_count += await self._poll_log(run_alerts, runs[experiment_id])
            except ClearMLUnreachableError:
                raise
            except ClearMLError as error:
                # Read the other logs although this one is unavailable.
                failure = error
        if failure:
            raise failure
        return message_count

    async def _poll_log(self, alerts: Sequence[Alert], run: RunActivity) -> int:
        notices: dict[int, Notice] = {}
        starts = [alert.progress.log_read_until for alert in alerts]
        position = None if None in starts else min(start for start in starts if start)
        for _ in range(MAX_PAGES):
            page = await self._clearml.get_log_page(run.experiment_id, position, count=LOG_PAGE_SIZE)
            for alert in alerts:
                if alert.number not in notices and (notice := await self._match_log(alert, run, page.lines)):
                    notices[alert.number] = notice
            position = page.read_until or position
            if page.is_last or len(notices) == len(alerts):
                break
        return await self._record(
            [
                _PollResult(
                    alert,
                    _advance_progress(alert.progress, position, is_complete=page.is_last),
                    notices.get(alert.number),
                    end_reason=self._describe_end(run) if page.is_last else "",
                )
                for alert in alerts
            ]
        )

    async def _match_log(self, alert: Alert, run: RunActivity, lines: Sequence[LogLine]) -> Notice | None:
        """Return the notice if a line matches, or if the pattern is too slow to check."""
        assert isinstance(alert.condition, LogCondition)
        start = alert.progress.log_since
        new_lines = [line for line in lines if start is None or line.at > start]
        pattern = alert.condition.pattern
        try:
            line = await find_first_match(pattern, new_lines, time_limit=self._pattern_timeout)
        except SlowPatternError:
            text = (
                f"The alert {alert.condition} for “{run.name}” was removed because its pattern is too slow. "
                "Set a simpler one, without nested repeats."
            )
            return _build_notice(alert, run, text, is_warning=True)
        if line is None:
            return None
        text = f"“{run.name}” logged a line that matches “{pattern}”."
        return _build_notice(alert, run, text, quote=line.text.strip()[:_MAX_QUOTE_LENGTH])

    async def _record(self, results: Sequence[_PollResult]) -> int:
        """Queue the notices, remove the alerts that ended, and store the progress of the others."""
        changed = [
            item for item in results if item.notice or item.end_reason or item.progress != item.alert.progress
        ]
        if not changed:
            return 0
        now = self._clock()
        notices = []
        async with self._database.writing() as session:
            store = AlertStore(session)
            existing_numbers = await store.find_existing([item.alert.number for item in changed])
            watchers = await WatcherStore(session).find_watchers([item.alert.experiment_id for item in changed])
            for item in changed:
                if item.alert.number not in existing_numbers:
                    continue
                if not item.notice and not item.end_reason:
                    await store.update_progress(item.alert.number, item.progress)
                    continue
                await store.remove(item.alert.number)
                if item.notice:
                    notices.append((item.notice, item.alert.conversation))
                elif item.alert.conversation not in watchers.get(item.alert.experiment_id, ()):
                    # Conversations that watch the experiment get notified of its end anyway.
                    notices.append((_build_unmet_notice(item.alert, item.end_reason), item.alert.conversation))
            await OutboxStore(session).add(notices, now=now)
        if notices:
            self._outbox_wakeup.wake()
        return len(notices)

    def _describe_end(self, run: RunActivity) -> str:
        """Return how a run ended, or an empty string until `END_GRACE` has passed."""
        is_over = run.status.is_finished and self._clock() - run.status_changed >= END_GRACE
        return f"is {run.status.label}" if is_over else ""


def _advance_progress(progress: AlertProgress, position: datetime | None, *, is_complete: bool) -> AlertProgress:
    """Return the progress with where the next poll begins: just before the end of a completely read log."""
    if position is None:
        return progress
    start = position - LOG_OVERLAP if is_complete else position
    return replace(progress, log_read_until=max(start, progress.log_since) if progress.log_since else start)


def _build_unmet_notice(alert: Alert, end_reason: str) -> Notice:
    return Notice(
        f"alert:{alert.number}",
        f"“{alert.experiment_name}” {end_reason}. Its alert never fired: {alert.condition}.",
        alert.created,
        buttons=(Button("Show", f"/show {alert.experiment_id}"),),
        experiment_id=alert.experiment_id,
        person_id=alert.person_id,
    )


def _build_notice(
    alert: Alert, run: RunActivity, text: str, *, quote: str = "", is_warning: bool = False
) -> Notice:
    buttons = [Button("Show", f"/show {run.experiment_id}"), Button("Show log", f"/log {run.experiment_id}")]
    if run.status is Status.RUNNING:
        buttons.append(Button("Abort", f"/abort {run.experiment_id}"))
    return Notice(
        f"alert:{alert.number}",
        text,
        alert.created,
        is_warning=is_warning,
        buttons=tuple(buttons),
        quote=quote,
        experiment_id=run.experiment_id,
        person_id=alert.person_id,
    )
