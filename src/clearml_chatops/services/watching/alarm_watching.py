"""Warns those who watch an experiment when nothing of it moves that should: once, until it moves again."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from clearml_chatops.models.alarms import AlarmKind, AlarmSpans, Standstill
from clearml_chatops.models.notifications import Notice
from clearml_chatops.models.queues import Worker
from clearml_chatops.models.replies import Button
from clearml_chatops.models.runs import RunSigns
from clearml_chatops.services.bells import Bell
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.watching.alarms import Known, after_blindness, due, standstills
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.outbox import OutboxStore
from clearml_chatops.storage.standstills import StandstillStore
from clearml_chatops.storage.states import WatcherStore


class AlarmWatching:
    def __init__(
        self,
        *,
        clearml: ClearML,
        database: Database,
        spans: AlarmSpans,
        clock: Callable[[], datetime],
        news: Bell,
    ) -> None:
        self._clearml = clearml
        self._database = database
        self._spans = spans
        self._clock = clock
        self._news = news
        self._last_look: datetime | None = None
        self._is_blind = True

    def missed(self) -> None:
        """Notes that a look could not be had: the time until the next one counts for nothing."""
        self._is_blind = True

    async def watched(self) -> list[str]:
        """The experiments that are watched and wait or run, as far as is known; none where no alarm is wanted."""
        if not any(self._spans.of(kind) for kind in AlarmKind):
            return []
        async with self._database.reading() as session:
            return await WatcherStore(session).moving()

    async def look(self, runs: Sequence[RunSigns]) -> int:
        """One look at what is watched and waits or runs; how many messages came of it.

        One request for the workers, and one for the names of the queues where an alarm is about one.
        """
        async with self._database.reading() as session:
            known = _by_key(await StandstillStore(session).list())
        workers = await self._clearml.workers() if runs else ()
        now = self._clock()
        standing = self._standing(known, runs, workers, now)
        alarming = due(standing, spans=self._spans, now=now)
        told = 0
        if alarming or _by_key(standing) != known:
            queues = await self._queue_names() if _are_about_queues(alarming) else {}
            told = await self._record({run.experiment_id: run for run in runs}, workers, queues, now)
        self._last_look, self._is_blind = now, False
        return told

    def _standing(
        self, known: Known, runs: Collection[RunSigns], workers: Sequence[Worker], now: datetime
    ) -> list[Standstill]:
        if self._is_blind:
            known = after_blindness(known, last_look=self._last_look, spans=self._spans, now=now)
        return standstills(known, runs, workers, spans=self._spans, now=now)

    async def _record(
        self, runs: Mapping[str, RunSigns], workers: Sequence[Worker], queues: Mapping[str, str], now: datetime
    ) -> int:
        async with self._database.writing() as session:
            store = StandstillStore(session)
            # Read again under the write lock: another process may have told of it meanwhile.
            known = _by_key(await store.list())
            standing = self._standing(known, runs.values(), workers, now)
            alarming = set(due(standing, spans=self._spans, now=now))
            recipients = await WatcherStore(session).recipients([item.experiment_id for item in alarming])
            told = [
                (self._notice(item, runs[item.experiment_id], queues, recipient.person_id), recipient.conversation)
                for item in standing
                if item in alarming
                for recipient in recipients.get(item.experiment_id, ())
            ]
            await OutboxStore(session).add(told, now=now)
            noted = [replace(item, told=True) if item in alarming else item for item in standing]
            await store.put(item for item in noted if known.get((item.experiment_id, item.kind)) != item)
            for experiment_id, kind in known.keys() - _by_key(standing).keys():
                await store.remove(experiment_id, kind)
        if told:
            self._news.ring()
        return len(told)

    async def _queue_names(self) -> dict[str, str]:
        return {queue.id: queue.name for queue in await self._clearml.queues()}

    def _notice(self, item: Standstill, run: RunSigns, queues: Mapping[str, str], person_id: int | None) -> Notice:
        text, offers = _told(item.kind, run, _minutes(self._spans.of(item.kind)), queues.get(run.queue_id, ""))
        return Notice(
            f"{item.kind}:{item.experiment_id}",
            text,
            item.since,
            is_trouble=True,
            offers=offers,
            experiment_id=item.experiment_id,
            person_id=person_id,
        )


def _by_key(items: Iterable[Standstill]) -> dict[tuple[str, AlarmKind], Standstill]:
    return {(item.experiment_id, item.kind): item for item in items}


def _told(kind: AlarmKind, run: RunSigns, span: str, queue: str) -> tuple[str, tuple[Button, ...]]:
    """The sentence, and what one may do."""
    show, log = Button("Show", f"/show {run.experiment_id}"), Button("Log", f"/log {run.experiment_id}")
    abort = Button("Abort", f"/abort {run.experiment_id}")
    match kind:
        case AlarmKind.UNATTENDED:
            start = Button("Start my worker", f"/worker start queue={run.queue_id}")
            dequeue = Button("Dequeue", f"/dequeue {run.experiment_id}")
            where = f"its queue {queue}" if queue else "its queue"
            text = f"“{run.name}” is still Pending: no worker has listened on {where} for {span}."
            return text, (start, dequeue, show)
        case AlarmKind.SILENT:
            text = (
                f"“{run.name}” is Running, but has given no sign of life for {span}: "
                "no log, no iteration, no use of a GPU."
            )
            return text, (log, show, abort)
        case AlarmKind.WORKER_LOST:
            worker = f"its worker {run.worker_id}" if run.worker_id else "its worker"
            text = (
                f"“{run.name}” is Running, but {worker} has not reported of it for {span}: "
                "the agent or its machine may have gone. ClearML itself waits two hours."
            )
            return text, (log, show, abort)


def _are_about_queues(alarming: Sequence[Standstill]) -> bool:
    return any(item.kind is AlarmKind.UNATTENDED for item in alarming)


def _minutes(span: timedelta) -> str:
    seconds = span.total_seconds()
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"  # noqa: PLR2004  # a minute
