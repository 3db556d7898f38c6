"""Warns those who watch an experiment when nothing of it moves that should: once, until it moves again."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from clearml_chatops.models.alarms import AlarmKind, AlarmThresholds, Stall
from clearml_chatops.models.notifications import Notice
from clearml_chatops.models.queues import Worker
from clearml_chatops.models.replies import Button
from clearml_chatops.models.runs import RunActivity
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.wakeups import Wakeup
from clearml_chatops.services.watching.stalls import KnownStalls, discount_outage, find_due_alarms, find_stalls
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.outbox import OutboxStore
from clearml_chatops.storage.stalls import StallStore
from clearml_chatops.storage.watcher import WatcherStore


class AlarmPoller:
    def __init__(
        self,
        *,
        clearml: ClearML,
        database: Database,
        thresholds: AlarmThresholds,
        clock: Callable[[], datetime],
        outbox_wakeup: Wakeup,
    ) -> None:
        self._clearml = clearml
        self._database = database
        self._thresholds = thresholds
        self._clock = clock
        self._outbox_wakeup = outbox_wakeup
        self._last_poll: datetime | None = None
        self._is_after_outage = True

    def mark_outage(self) -> None:
        """Notes that a look could not be had: the time until the next one counts for nothing."""
        self._is_after_outage = True

    async def list_watched_ids(self) -> list[str]:
        """The experiments that are watched and wait or run, as far as is known; none where no alarm is wanted."""
        if not any(self._thresholds.get(kind) for kind in AlarmKind):
            return []
        async with self._database.reading() as session:
            return await WatcherStore(session).list_active()

    async def poll(self, runs: Sequence[RunActivity]) -> int:
        """One look at what is watched and waits or runs; how many messages came of it.

        One request for the workers, and one for the names of the queues where an alarm is about one.
        """
        async with self._database.reading() as session:
            known = _index_by_key(await StallStore(session).list_all())
        workers = await self._clearml.list_workers() if runs else ()
        now = self._clock()
        stalls = self._find_stalls(known, runs, workers, now)
        due_alarms = find_due_alarms(stalls, thresholds=self._thresholds, now=now)
        message_count = 0
        if due_alarms or _index_by_key(stalls) != known:
            queue_names = await self._load_queue_names() if _has_unattended(due_alarms) else {}
            message_count = await self._record({run.experiment_id: run for run in runs}, workers, queue_names, now)
        self._last_poll, self._is_after_outage = now, False
        return message_count

    def _find_stalls(
        self, known: KnownStalls, runs: Collection[RunActivity], workers: Sequence[Worker], now: datetime
    ) -> list[Stall]:
        if self._is_after_outage:
            known = discount_outage(known, last_poll=self._last_poll, thresholds=self._thresholds, now=now)
        return find_stalls(known, runs, workers, thresholds=self._thresholds, now=now)

    async def _record(
        self,
        runs: Mapping[str, RunActivity],
        workers: Sequence[Worker],
        queue_names: Mapping[str, str],
        now: datetime,
    ) -> int:
        async with self._database.writing() as session:
            store = StallStore(session)
            # Read again under the write lock: another process may have told of it meanwhile.
            known = _index_by_key(await store.list_all())
            stalls = self._find_stalls(known, runs.values(), workers, now)
            due_alarms = set(find_due_alarms(stalls, thresholds=self._thresholds, now=now))
            recipients = await WatcherStore(session).find_recipients([item.experiment_id for item in due_alarms])
            notices = [
                (
                    self._build_notice(item, runs[item.experiment_id], queue_names, recipient.person_id),
                    recipient.conversation,
                )
                for item in stalls
                if item in due_alarms
                for recipient in recipients.get(item.experiment_id, ())
            ]
            await OutboxStore(session).add(notices, now=now)
            updated_stalls = [replace(item, is_notified=True) if item in due_alarms else item for item in stalls]
            await store.put(item for item in updated_stalls if known.get((item.experiment_id, item.kind)) != item)
            for experiment_id, kind in known.keys() - _index_by_key(stalls).keys():
                await store.remove(experiment_id, kind)
        if notices:
            self._outbox_wakeup.wake()
        return len(notices)

    async def _load_queue_names(self) -> dict[str, str]:
        return {queue.id: queue.name for queue in await self._clearml.list_queues()}

    def _build_notice(
        self, item: Stall, run: RunActivity, queue_names: Mapping[str, str], person_id: int | None
    ) -> Notice:
        text, buttons = _describe_alarm(
            item.kind, run, _format_duration(self._thresholds.get(item.kind)), queue_names.get(run.queue_id, "")
        )
        return Notice(
            f"{item.kind}:{item.experiment_id}",
            text,
            item.since,
            is_warning=True,
            buttons=buttons,
            experiment_id=item.experiment_id,
            person_id=person_id,
        )


def _index_by_key(items: Iterable[Stall]) -> dict[tuple[str, AlarmKind], Stall]:
    return {(item.experiment_id, item.kind): item for item in items}


def _describe_alarm(
    kind: AlarmKind, run: RunActivity, duration: str, queue_name: str
) -> tuple[str, tuple[Button, ...]]:
    """The sentence, and what one may do."""
    show, log = Button("Show", f"/show {run.experiment_id}"), Button("Log", f"/log {run.experiment_id}")
    abort = Button("Abort", f"/abort {run.experiment_id}")
    match kind:
        case AlarmKind.UNATTENDED:
            start = Button("Start my worker", f"/worker start queue={run.queue_id}")
            dequeue = Button("Dequeue", f"/dequeue {run.experiment_id}")
            where = f"its queue {queue_name}" if queue_name else "its queue"
            text = f"“{run.name}” is still Pending: no worker has listened on {where} for {duration}."
            return text, (start, dequeue, show)
        case AlarmKind.SILENT:
            text = (
                f"“{run.name}” is Running, but has given no sign of life for {duration}: "
                "no log, no iteration, no use of a GPU."
            )
            return text, (log, show, abort)
        case AlarmKind.WORKER_LOST:
            worker = f"its worker {run.worker_id}" if run.worker_id else "its worker"
            text = (
                f"“{run.name}” is Running, but {worker} has not reported of it for {duration}: "
                "the agent or its machine may have gone. ClearML itself waits two hours."
            )
            return text, (log, show, abort)


def _has_unattended(due_alarms: Sequence[Stall]) -> bool:
    return any(item.kind is AlarmKind.UNATTENDED for item in due_alarms)


def _format_duration(duration: timedelta) -> str:
    seconds = duration.total_seconds()
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"  # noqa: PLR2004  # a minute
