"""What lives as long as the process."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from clearml_chatops.models.alarms import AlarmSpans
from clearml_chatops.services.bells import Bell
from clearml_chatops.services.clearml_gateway import ClearMLConnections
from clearml_chatops.services.experiments.drawing import Drawing
from clearml_chatops.services.experiments.waits import WaitEstimates
from clearml_chatops.services.notifications.cards import CardService
from clearml_chatops.services.notifications.daily_digests import DailyDigests
from clearml_chatops.services.notifications.failure_triage import FailureTriage
from clearml_chatops.services.notifications.notifications import NotificationService
from clearml_chatops.services.people.accounts import AccountService
from clearml_chatops.services.people.actions import ActionService
from clearml_chatops.services.people.audit import AuditService
from clearml_chatops.services.people.conversations import ConversationService
from clearml_chatops.services.people.links import LinkService
from clearml_chatops.services.people.own_places import OwnPlaces
from clearml_chatops.services.watching.alarm_watching import AlarmWatching
from clearml_chatops.services.watching.alert_watching import AlertWatching
from clearml_chatops.services.watching.run_watching import RunWatching
from clearml_chatops.services.watching.watching import Watcher
from clearml_chatops.services.workers.agents import LocalAgents
from clearml_chatops.services.workers.card_watching import CardWatching
from clearml_chatops.services.workers.gpu_reader import GpuReader
from clearml_chatops.services.workers.host_lock import HostLock
from clearml_chatops.services.workers.host_workers import HostWorkers
from clearml_chatops.services.workers.orphaned_runs import OrphanedRuns
from clearml_chatops.services.workers.reconciling import Reconciler
from clearml_chatops.services.workers.worker_notices import WorkerNotices
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.told import ToldFile

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class ProcessContext:
    """The singletons of a process. `agent_folder` is where the agents that it starts keep their files.

    What is in `cache_folder` is made again where it is missing. `told_file` notes what the database does not
    know yet as told.
    """

    database: Database
    clearml: ClearMLConnections
    clock: Clock
    host: str
    agent_folder: Path
    cache_folder: Path
    told_file: Path
    watch_interval: timedelta
    idle_watch_interval: timedelta
    alert_interval: timedelta
    alarm_spans: AlarmSpans
    trusted_platforms: frozenset[str]
    news: Bell = field(default_factory=Bell)
    """Rings when the outbox has got something."""
    agreed: Bell = field(default_factory=Bell)
    """Rings when somebody has said whether another person may have his cards."""
    watched: Bell = field(default_factory=Bell)
    """Rings when there is something more to watch."""

    @cached_property
    def accounts(self) -> AccountService:
        return AccountService(
            clearml=self.clearml.bot, database=self.database, trusted_platforms=self.trusted_platforms
        )

    @cached_property
    def actions(self) -> ActionService:
        return ActionService(database=self.database, clock=self.clock)

    @cached_property
    def links(self) -> LinkService:
        return LinkService(database=self.database, clock=self.clock)

    @cached_property
    def cards(self) -> CardService:
        return CardService(clearml=self.clearml.bot, database=self.database, waits=self.waits, clock=self.clock)

    @cached_property
    def waits(self) -> WaitEstimates:
        return WaitEstimates(clearml=self.clearml.bot, clock=self.clock)

    @cached_property
    def conversations(self) -> ConversationService:
        return ConversationService(database=self.database, clock=self.clock)

    @cached_property
    def own_places(self) -> OwnPlaces:
        return OwnPlaces(database=self.database, clock=self.clock)

    @cached_property
    def daily_digests(self) -> DailyDigests:
        return DailyDigests(clearml=self.clearml.bot, database=self.database, news=self.news, clock=self.clock)

    @cached_property
    def drawing(self) -> Drawing:
        return Drawing(self.cache_folder)

    @cached_property
    def gpu_reader(self) -> GpuReader:
        return GpuReader()

    @cached_property
    def agents(self) -> LocalAgents:
        return LocalAgents(self.agent_folder)

    @cached_property
    def worker_notices(self) -> WorkerNotices:
        return WorkerNotices(database=self.database, clock=self.clock, news=self.news)

    @cached_property
    def orphaned_runs(self) -> OrphanedRuns:
        return OrphanedRuns(clearml=self.clearml.bot, notices=self.worker_notices, clock=self.clock)

    @cached_property
    def host_workers(self) -> HostWorkers:
        return HostWorkers(
            clearml=self.clearml.bot,
            database=self.database,
            agents=self.agents,
            orphans=self.orphaned_runs,
            host=self.host,
            lock=HostLock(self.agent_folder / ".lock"),
            clock=self.clock,
        )

    @cached_property
    def reconciler(self) -> Reconciler:
        return Reconciler(
            clearml=self.clearml.bot,
            workers=self.host_workers,
            agents=self.agents,
            orphans=self.orphaned_runs,
            notices=self.worker_notices,
            host=self.host,
            clock=self.clock,
        )

    @cached_property
    def card_watching(self) -> CardWatching:
        return CardWatching(
            reader=self.gpu_reader, database=self.database, host=self.host, clock=self.clock, news=self.news
        )

    @cached_property
    def audit(self) -> AuditService:
        return AuditService(database=self.database)

    @cached_property
    def notifications(self) -> NotificationService:
        return NotificationService(
            database=self.database,
            told=ToldFile(self.told_file),
            triage=FailureTriage(self.clearml.bot),
            clock=self.clock,
        )

    @cached_property
    def watcher(self) -> Watcher:
        return Watcher(
            clearml=self.clearml.bot,
            database=self.database,
            clock=self.clock,
            news=self.news,
            watched=self.watched,
            interval=self.watch_interval,
            idle_interval=self.idle_watch_interval,
        )

    @cached_property
    def run_watching(self) -> RunWatching:
        clearml, database, clock, news = self.clearml.bot, self.database, self.clock, self.news
        return RunWatching(
            clearml=clearml,
            database=database,
            alerts=AlertWatching(clearml=clearml, database=database, clock=clock, news=news),
            alarms=AlarmWatching(
                clearml=clearml, database=database, spans=self.alarm_spans, clock=clock, news=news
            ),
            clock=clock,
        )

    async def aclose(self) -> None:
        await self.clearml.aclose()
        await self.database.aclose()
