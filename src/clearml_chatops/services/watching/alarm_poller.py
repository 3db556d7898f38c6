"""Warns the people who watch an experiment when it stalls: once, until it shows activity again."""

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
    """Finds stalls of watched experiments and queues a notice for each."""

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
        """Record that a poll failed: the time until the next one does not count towards a stall."""
        self._is_after_outage = True

    async def list_watched_ids(self) -> list[str]:
        """Return the ids of the watched experiments that are Pending or Running; none if all alarms are off."""
        if not any(self._thresholds.get(kind) for kind in AlarmKind):
            return []
        async with self._database.reading() as session:
            return await WatcherStore(session).list_active()

    async def poll(self, runs: Sequence[RunActivity]) -> int:
        """Check the watched experiments for stalls; return how many notices were queued.

        This takes one request for the workers, and one for the names of the queues if an alarm is about one.
        """
        async with self._database.reading() as session:
            known = _index_by_key(await StallStore(session).list_all())
        workers = await self._clearml.list_workers() if runs else ()
        now = self._clock()
        stalls = self._find_stalls(known, runs, workers, now)
        due_alarms = find_due_alarms(stalls, thresholds=self._thresholds, now=now)
        message_count = 0
        if due_alarms or _index_by_key(stalls) != known:
            has_unattended = any(item.kind is AlarmKind.UNATTENDED for item in due_alarms)
            queue_names = await self._load_queue_names() if has_unattended else {}
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
            # Read again under the write lock: another process may have queued the notices meanwhile.
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
    """Return the text of an alarm, and the buttons for what to do about it."""
    show, log = Button("Show", f"/show {run.experiment_id}"), Button("Show log", f"/log {run.experiment_id}")
    abort = Button("Abort", f"/abort {run.experiment_id}")
    match kind:
        case AlarmKind.UNATTENDED:
            start = Button("Start worker", f"/worker start queue={run.queue_id}")
            dequeue = Button("Dequeue", f"/dequeue {run.experiment_id}")
            queue = f"queue {queue_name}" if queue_name else "its queue"
            text = f"“{run.name}” is still Pending: {queue} has had no worker for {duration}. Start one to run it."
            return text, (start, dequeue, show)
        case AlarmKind.SILENT:
            text = (
                f"“{run.name}” is Running, but has shown no activity for {duration}: "
                "no log lines, no iterations, no GPU use. Check its log, or abort it."
            )
            return text, (log, show, abort)
        case AlarmKind.WORKER_LOST:
            worker = f"its worker {run.worker_id}" if run.worker_id else "its worker"
            text = (
                f"“{run.name}” is Running, but {worker} hasn't reported on it for {duration}. "
                "The agent or its machine may be down; ClearML itself waits 2 hours before it aborts the run."
            )
            return text, (log, show, abort)


def _format_duration(duration: timedelta) -> str:
    seconds = duration.total_seconds()
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"  # noqa: PLR2004  # a minute
