"""Tells people what they have set alerts for, once each, however often the bot is restarted meanwhile."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from clearml_chatops.models.alerts import Alert, AlertProgress, LogCondition, MetricCondition
from clearml_chatops.models.errors import ClearMLError, ClearMLUnreachableError
from clearml_chatops.models.experiments import LogLine, Metric, Status
from clearml_chatops.models.notifications import Notice
from clearml_chatops.models.replies import Button
from clearml_chatops.models.runs import RunSigns
from clearml_chatops.services.bells import Bell
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.watching.alert_conditions import extreme, fulfilled
from clearml_chatops.services.watching.log_patterns import SlowPatternError, first_match
from clearml_chatops.storage.alerts import AlertStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.outbox import OutboxStore
from clearml_chatops.storage.states import WatcherStore

LOG_PAGE = 500
MOST_PAGES = 20
"""Of one log in one look; the next look goes on from there."""

LOG_OVERLAP = timedelta(seconds=10)
"""How far before the last line seen a look begins: the lines of one run come from several programs, and the
server shows them some seconds later."""

GRACE = timedelta(seconds=15)
"""How long after its end a run is still looked at, for the same reason."""

PATTERN_LIMIT = timedelta(seconds=1)
"""For one pattern and one page of a log."""

_LONGEST_QUOTE = 500


@dataclass(frozen=True, slots=True)
class _Finding:
    """What a look has brought for one alert. With a notice it is done; `end` tells why nothing more can come."""

    alert: Alert
    progress: AlertProgress
    notice: Notice | None = None
    end: str = ""


class AlertWatching:
    """Looks at runs for alerts. That one has come true, its end and the message are one transaction."""

    def __init__(
        self,
        *,
        clearml: ClearML,
        database: Database,
        clock: Callable[[], datetime],
        news: Bell,
        pattern_limit: timedelta = PATTERN_LIMIT,
    ) -> None:
        self._clearml = clearml
        self._database = database
        self._clock = clock
        self._news = news
        self._pattern_limit = pattern_limit

    async def alerts(self) -> list[Alert]:
        async with self._database.reading() as session:
            return await AlertStore(session).everywhere()

    async def look(self, alerts: Sequence[Alert], runs: Mapping[str, RunSigns]) -> int:
        """One look at all of them; how many messages came of it.

        One request for the scalars of all runs together, and one for the log of each whose lines count.

        Raises:
            ClearMLError: it did not answer for some of them; the others were looked at.
        """
        deleted = [alert for alert in alerts if alert.experiment_id not in runs]
        told = await self._record(
            [_Finding(alert, alert.progress, end="was deleted in ClearML") for alert in deleted]
        )
        there = [alert for alert in alerts if alert.experiment_id in runs]
        told += await self._look_at_metrics(there, runs)
        return told + await self._look_at_logs(there, runs)

    async def _look_at_metrics(self, alerts: Sequence[Alert], runs: Mapping[str, RunSigns]) -> int:
        wanted = [
            (alert, alert.condition, runs[alert.experiment_id])
            for alert in alerts
            if isinstance(alert.condition, MetricCondition)
            and runs[alert.experiment_id].status is not Status.PENDING
        ]
        if not wanted:
            return 0
        metrics = await self._clearml.last_metrics(sorted({run.experiment_id for _, _, run in wanted}))
        return await self._record(
            [
                self._finding_of_metric(alert, condition, run, metrics[run.experiment_id])
                for alert, condition, run in wanted
                if run.experiment_id in metrics
            ]
        )

    def _finding_of_metric(
        self, alert: Alert, condition: MetricCondition, run: RunSigns, metrics: Sequence[Metric]
    ) -> _Finding:
        progress = replace(alert.progress, extreme=extreme(condition, metrics))
        reached = fulfilled(condition, metrics, before=alert.progress.extreme)
        if not reached:
            return _Finding(alert, progress, end=self._end_of(run))
        metric, value = reached
        now = "" if value == metric.value else f", and is {metric.value:.6g} now"
        has = "is" if value == metric.value else "has been"
        text = f"“{run.name}”: {metric.name} {has} {value:.6g}{now}. You wanted to be told of {condition}."
        return _Finding(alert, progress, _notice(alert, run, text))

    async def _look_at_logs(self, alerts: Sequence[Alert], runs: Mapping[str, RunSigns]) -> int:
        by_run: dict[str, list[Alert]] = {}
        for alert in alerts:
            waits = runs[alert.experiment_id].status in {Status.DRAFT, Status.PENDING}
            if isinstance(alert.condition, LogCondition) and not waits:
                by_run.setdefault(alert.experiment_id, []).append(alert)
        told, failure = 0, None
        for experiment_id, concerned in by_run.items():
            try:
                told += await self._look_at_log(concerned, runs[experiment_id])
            except ClearMLUnreachableError:
                raise
            except ClearMLError as error:
                # One log that cannot be had is no reason not to read the others.
                failure = error
        if failure:
            raise failure
        return told

    async def _look_at_log(self, alerts: Sequence[Alert], run: RunSigns) -> int:
        found: dict[int, Notice] = {}
        starts = [alert.progress.log_next for alert in alerts]
        position = None if None in starts else min(start for start in starts if start)
        for _ in range(MOST_PAGES):
            page = await self._clearml.log_after(run.experiment_id, position, count=LOG_PAGE)
            for alert in alerts:
                if alert.number not in found and (notice := await self._found(alert, run, page.lines)):
                    found[alert.number] = notice
            position = page.reached or position
            if page.is_last or len(found) == len(alerts):
                break
        return await self._record(
            [
                _Finding(
                    alert,
                    _read_to(alert.progress, position, is_all=page.is_last),
                    found.get(alert.number),
                    end=self._end_of(run) if page.is_last else "",
                )
                for alert in alerts
            ]
        )

    async def _found(self, alert: Alert, run: RunSigns, lines: Sequence[LogLine]) -> Notice | None:
        """The message where a line fits, or where the pattern takes too long to tell."""
        assert isinstance(alert.condition, LogCondition)
        behind = alert.progress.log_from
        new = [line for line in lines if behind is None or line.at > behind]
        pattern = alert.condition.pattern
        try:
            line = await first_match(pattern, new, within=self._pattern_limit)
        except SlowPatternError:
            text = (
                f"The alert {alert.condition} for “{run.name}” was removed: the pattern takes too long to try. "
                "Set a simpler one, without repeats inside repeats."
            )
            return _notice(alert, run, text, is_trouble=True)
        if line is None:
            return None
        text = f"“{run.name}” has logged what you wanted to be told of: {alert.condition}."
        return _notice(alert, run, text, quote=line.text.strip()[:_LONGEST_QUOTE])

    async def _record(self, findings: Sequence[_Finding]) -> int:
        """Puts the messages into the outbox, ends what is done and notes how far the rest has come."""
        changed = [item for item in findings if item.notice or item.end or item.progress != item.alert.progress]
        if not changed:
            return 0
        now = self._clock()
        told = []
        async with self._database.writing() as session:
            store = AlertStore(session)
            there = await store.still_there([item.alert.number for item in changed])
            watchers = await WatcherStore(session).watchers([item.alert.experiment_id for item in changed])
            for item in changed:
                if item.alert.number not in there:
                    continue
                if not item.notice and not item.end:
                    await store.note(item.alert.number, item.progress)
                    continue
                await store.remove(item.alert.number)
                if item.notice:
                    told.append((item.notice, item.alert.conversation))
                elif item.alert.conversation not in watchers.get(item.alert.experiment_id, ()):
                    # Who watches it is told of its end; a second message would be noise.
                    told.append((_in_vain(item.alert, item.end), item.alert.conversation))
            await OutboxStore(session).add(told, now=now)
        if told:
            self._news.ring()
        return len(told)

    def _end_of(self, run: RunSigns) -> str:
        """How a run has ended, where that is long enough ago; else nothing."""
        is_over = run.status.is_over and self._clock() - run.status_changed >= GRACE
        return f"is {run.status.word}" if is_over else ""


def _read_to(progress: AlertProgress, position: datetime | None, *, is_all: bool) -> AlertProgress:
    """Where the next look begins: a little before the end of a log that was read to its end."""
    if position is None:
        return progress
    start = position - LOG_OVERLAP if is_all else position
    return replace(progress, log_next=max(start, progress.log_from) if progress.log_from else start)


def _in_vain(alert: Alert, end: str) -> Notice:
    return Notice(
        f"alert:{alert.number}",
        f"“{alert.experiment_name}” {end}, and what you wanted to be told of did not happen: {alert.condition}.",
        alert.since,
        offers=(Button("Show", f"/show {alert.experiment_id}"),),
        experiment_id=alert.experiment_id,
        person_id=alert.person_id,
    )


def _notice(alert: Alert, run: RunSigns, text: str, *, quote: str = "", is_trouble: bool = False) -> Notice:
    buttons = [Button("Show", f"/show {run.experiment_id}"), Button("Log", f"/log {run.experiment_id}")]
    if run.status is Status.RUNNING:
        buttons.append(Button("Abort", f"/abort {run.experiment_id}"))
    return Notice(
        f"alert:{alert.number}",
        text,
        alert.since,
        is_trouble=is_trouble,
        offers=tuple(buttons),
        quote=quote,
        experiment_id=run.experiment_id,
        person_id=alert.person_id,
    )
