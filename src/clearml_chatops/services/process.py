"""Objects that live as long as the process."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from clearml_chatops.models.alarms import AlarmThresholds
from clearml_chatops.services.clearml_gateway import ClearMLConnections
from clearml_chatops.services.experiments.figure_renderer import FigureRenderer
from clearml_chatops.services.experiments.wait_estimator import WaitEstimator
from clearml_chatops.services.notifications.cards import CardService
from clearml_chatops.services.notifications.daily_digests import DailyDigests
from clearml_chatops.services.notifications.edit_pace import EditPace
from clearml_chatops.services.notifications.failure_diagnosis import FailureDiagnosisService
from clearml_chatops.services.notifications.notifications import NotificationService
from clearml_chatops.services.people.accounts import AccountService
from clearml_chatops.services.people.actions import ActionService
from clearml_chatops.services.people.audit import AuditService
from clearml_chatops.services.people.configured_people import ConfiguredPeople
from clearml_chatops.services.people.conversations import ConversationService
from clearml_chatops.services.people.direct_messages import DirectMessages
from clearml_chatops.services.people.links import LinkService
from clearml_chatops.services.request_deduplicator import RequestDeduplicator
from clearml_chatops.services.wakeups import Wakeup
from clearml_chatops.services.watching.alarm_poller import AlarmPoller
from clearml_chatops.services.watching.alert_poller import AlertPoller
from clearml_chatops.services.watching.run_poller import RunPoller
from clearml_chatops.services.watching.watcher import Watcher
from clearml_chatops.services.workers.agents import LocalAgents
from clearml_chatops.services.workers.gpu_counts import WorkerGpuCounts
from clearml_chatops.services.workers.gpu_reader import GpuReader
from clearml_chatops.services.workers.gpu_watches import GpuWatches
from clearml_chatops.services.workers.host_lock import HostLock
from clearml_chatops.services.workers.host_workers import HostWorkers
from clearml_chatops.services.workers.orphaned_runs import OrphanedRuns
from clearml_chatops.services.workers.reconciler import Reconciler
from clearml_chatops.services.workers.worker_notices import WorkerNotices
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.delivery_log import DeliveryLog

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class ProcessContext:
    """The singletons of a process.

    Agents that the bot starts keep their files in `agent_folder`. Files in `cache_folder` are recreated when
    missing. The file at `delivery_log_path` lists deliveries that the database doesn't record yet.
    """

    database: Database
    clearml: ClearMLConnections
    clock: Clock
    host: str
    agent_folder: Path
    cache_folder: Path
    delivery_log_path: Path
    poll_interval: timedelta
    idle_poll_interval: timedelta
    alert_interval: timedelta
    alarm_thresholds: AlarmThresholds
    trusted_platforms: frozenset[str]
    outbox_wakeup: Wakeup = field(default_factory=Wakeup)
    """Wakes the sender when the outbox has new messages."""
    handover_wakeup: Wakeup = field(default_factory=Wakeup)
    """Wakes the handover loop when somebody answers a GPU request."""
    watcher_wakeup: Wakeup = field(default_factory=Wakeup)
    """Wakes the watcher when there is something new to watch."""
    selections_in_progress: set[str] = field(default_factory=set)
    """The tokens of the selections that a command is working on."""

    @cached_property
    def accounts(self) -> AccountService:
        return AccountService(
            clearml=self.clearml.bot,
            database=self.database,
            configured_people=self.configured_people,
            trusted_platforms=self.trusted_platforms,
        )

    @cached_property
    def configured_people(self) -> ConfiguredPeople:
        return ConfiguredPeople(clearml=self.clearml.bot, database=self.database)

    @cached_property
    def requests(self) -> RequestDeduplicator:
        return RequestDeduplicator(database=self.database, clock=self.clock)

    @cached_property
    def actions(self) -> ActionService:
        return ActionService(database=self.database, clock=self.clock)

    @cached_property
    def links(self) -> LinkService:
        return LinkService(database=self.database, clock=self.clock)

    @cached_property
    def cards(self) -> CardService:
        return CardService(
            clearml=self.clearml.bot,
            database=self.database,
            wait_estimator=self.wait_estimator,
            clock=self.clock,
            edit_pace=self.edit_pace,
        )

    @cached_property
    def wait_estimator(self) -> WaitEstimator:
        return WaitEstimator(clearml=self.clearml.bot, clock=self.clock)

    @cached_property
    def conversations(self) -> ConversationService:
        return ConversationService(database=self.database, clock=self.clock)

    @cached_property
    def direct_messages(self) -> DirectMessages:
        return DirectMessages(database=self.database, clock=self.clock)

    @cached_property
    def daily_digests(self) -> DailyDigests:
        return DailyDigests(
            clearml=self.clearml.bot, database=self.database, outbox_wakeup=self.outbox_wakeup, clock=self.clock
        )

    @cached_property
    def figure_renderer(self) -> FigureRenderer:
        return FigureRenderer(self.cache_folder)

    @cached_property
    def gpu_reader(self) -> GpuReader:
        return GpuReader()

    @cached_property
    def agents(self) -> LocalAgents:
        return LocalAgents(self.agent_folder)

    @cached_property
    def worker_notices(self) -> WorkerNotices:
        return WorkerNotices(database=self.database, clock=self.clock, outbox_wakeup=self.outbox_wakeup)

    @cached_property
    def orphaned_runs(self) -> OrphanedRuns:
        return OrphanedRuns(clearml=self.clearml.bot, notices=self.worker_notices, clock=self.clock)

    @cached_property
    def host_workers(self) -> HostWorkers:
        return HostWorkers(
            clearml=self.clearml.bot,
            database=self.database,
            agents=self.agents,
            orphaned_runs=self.orphaned_runs,
            host=self.host,
            lock=HostLock(self.agent_folder / ".lock"),
            clock=self.clock,
        )

    @cached_property
    def reconciler(self) -> Reconciler:
        return Reconciler(
            clearml=self.clearml.bot,
            host_workers=self.host_workers,
            agents=self.agents,
            orphaned_runs=self.orphaned_runs,
            notices=self.worker_notices,
            host=self.host,
            clock=self.clock,
        )

    @cached_property
    def gpu_watches(self) -> GpuWatches:
        return GpuWatches(
            reader=self.gpu_reader,
            database=self.database,
            host=self.host,
            clock=self.clock,
            outbox_wakeup=self.outbox_wakeup,
        )

    @cached_property
    def audit(self) -> AuditService:
        return AuditService(database=self.database)

    @cached_property
    def edit_pace(self) -> EditPace:
        return EditPace()

    @cached_property
    def failure_diagnosis(self) -> FailureDiagnosisService:
        gpu_counts = WorkerGpuCounts(host_workers=self.host_workers, reader=self.gpu_reader)
        return FailureDiagnosisService(self.clearml.bot, count_gpus=gpu_counts.count)

    @cached_property
    def notifications(self) -> NotificationService:
        return NotificationService(
            database=self.database,
            delivery_log=DeliveryLog(self.delivery_log_path),
            diagnosis_service=self.failure_diagnosis,
            clock=self.clock,
            edit_pace=self.edit_pace,
        )

    @cached_property
    def watcher(self) -> Watcher:
        return Watcher(
            clearml=self.clearml.bot,
            database=self.database,
            clock=self.clock,
            outbox_wakeup=self.outbox_wakeup,
            watcher_wakeup=self.watcher_wakeup,
            interval=self.poll_interval,
            idle_interval=self.idle_poll_interval,
        )

    @cached_property
    def run_poller(self) -> RunPoller:
        clearml, database, clock, outbox_wakeup = self.clearml.bot, self.database, self.clock, self.outbox_wakeup
        return RunPoller(
            clearml=clearml,
            database=database,
            alert_poller=AlertPoller(clearml=clearml, database=database, clock=clock, outbox_wakeup=outbox_wakeup),
            alarm_poller=AlarmPoller(
                clearml=clearml,
                database=database,
                thresholds=self.alarm_thresholds,
                clock=clock,
                outbox_wakeup=outbox_wakeup,
            ),
            clock=clock,
        )

    async def aclose(self) -> None:
        await self.clearml.aclose()
        await self.database.aclose()
