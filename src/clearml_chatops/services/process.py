"""What lives as long as the process, and the services made from it for one person and one command."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from clearml_chatops.models.messages import IncomingMessage
from clearml_chatops.models.people import Person
from clearml_chatops.services.accounts import AccountService
from clearml_chatops.services.actions import ActionService
from clearml_chatops.services.agents import LocalAgents
from clearml_chatops.services.audit import AuditService
from clearml_chatops.services.bells import Bell
from clearml_chatops.services.card_claims import CardClaims
from clearml_chatops.services.card_watching import CardWatching
from clearml_chatops.services.cards import CardService
from clearml_chatops.services.clearml_gateway import ClearML, ClearMLConnections
from clearml_chatops.services.conversations import ConversationService
from clearml_chatops.services.drafts import DraftService
from clearml_chatops.services.drawing import Drawing
from clearml_chatops.services.edit_history import EditHistory
from clearml_chatops.services.experiment_lookup import ExperimentLookup
from clearml_chatops.services.experiments import ExperimentService
from clearml_chatops.services.failure_triage import FailureTriage
from clearml_chatops.services.gpu_reader import GpuReader
from clearml_chatops.services.gpus import GpuService
from clearml_chatops.services.home import HomeService
from clearml_chatops.services.host_lock import HostLock
from clearml_chatops.services.links import LinkService
from clearml_chatops.services.notifications import NotificationService
from clearml_chatops.services.ownership import Ownership
from clearml_chatops.services.plots import PlotService
from clearml_chatops.services.preflight import Preflight
from clearml_chatops.services.queues import QueueService
from clearml_chatops.services.reconciling import Reconciler
from clearml_chatops.services.runs import RunService
from clearml_chatops.services.suggestions import SuggestionService
from clearml_chatops.services.tracking import Tracking
from clearml_chatops.services.waiting import WaitService
from clearml_chatops.services.watches import WatchService
from clearml_chatops.services.watching import Watcher
from clearml_chatops.services.worker_orders import OrderingPlace, WorkerOrders
from clearml_chatops.services.workers import WorkerService
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
    trusted_platforms: frozenset[str]
    news: Bell = field(default_factory=Bell)
    """Rings when the outbox has got something."""
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
        return CardService(clearml=self.clearml.bot, database=self.database, clock=self.clock)

    @cached_property
    def conversations(self) -> ConversationService:
        return ConversationService(database=self.database, clock=self.clock)

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
    def reconciler(self) -> Reconciler:
        return Reconciler(
            clearml=self.clearml.bot,
            database=self.database,
            agents=self.agents,
            host=self.host,
            lock=HostLock(self.agent_folder / ".lock"),
            clock=self.clock,
        )

    @cached_property
    def card_watching(self) -> CardWatching:
        return CardWatching(reader=self.gpu_reader, database=self.database, host=self.host, clock=self.clock)

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

    def services_for(self, person: Person, message: IncomingMessage) -> "Services":
        """The services with which one command of one person works."""
        return Services(self, person, message)

    async def aclose(self) -> None:
        await self.clearml.aclose()
        await self.database.aclose()


class Services:
    """Each service is made when a handler first asks for it."""

    def __init__(self, process: ProcessContext, person: Person, message: IncomingMessage) -> None:
        self._process = process
        self._person = person
        self._message = message

    @cached_property
    def _clearml(self) -> ClearML:
        return self._process.clearml.acting_as(self._person.clearml_user_id)

    @cached_property
    def _history(self) -> EditHistory:
        return EditHistory(database=self._process.database, person=self._person, clock=self._process.clock)

    @cached_property
    def _tracking(self) -> Tracking:
        return Tracking(
            database=self._process.database,
            person=self._person,
            conversation=self._message.conversation,
            clock=self._process.clock,
            watched=self._process.watched,
            news=self._process.news,
        )

    @cached_property
    def _ownership(self) -> Ownership:
        return Ownership(clearml=self._clearml, database=self._process.database, person=self._person)

    @property
    def links(self) -> LinkService:
        return self._process.links

    @cached_property
    def home(self) -> HomeService:
        return HomeService(
            clearml=self._clearml,
            accounts=self.accounts,
            links=self.links,
            lookup=self.lookup,
            queues=self.queues,
            gpus=self.gpus,
            person=self._person,
        )

    @cached_property
    def watches(self) -> WatchService:
        return WatchService(lookup=self.lookup, tracking=self._tracking)

    @property
    def accounts(self) -> AccountService:
        return self._process.accounts

    @cached_property
    def lookup(self) -> ExperimentLookup:
        return ExperimentLookup(
            clearml=self._clearml,
            database=self._process.database,
            ownership=self._ownership,
            person=self._person,
            conversation=self._message.conversation,
            about=self._message.about,
        )

    @cached_property
    def experiments(self) -> ExperimentService:
        return ExperimentService(
            clearml=self._clearml,
            lookup=self.lookup,
            tracking=self._tracking,
            history=self._history,
            ownership=self._ownership,
        )

    @cached_property
    def drafts(self) -> DraftService:
        return DraftService(
            clearml=self._clearml,
            lookup=self.lookup,
            history=self._history,
            ownership=self._ownership,
            person=self._person,
        )

    @cached_property
    def queues(self) -> QueueService:
        return QueueService(
            clearml=self._clearml,
            database=self._process.database,
            lookup=self.lookup,
            ownership=self._ownership,
            person=self._person,
        )

    @cached_property
    def runs(self) -> RunService:
        return RunService(
            clearml=self._clearml,
            lookup=self.lookup,
            experiments=self.experiments,
            queues=self.queues,
            tracking=self._tracking,
            ownership=self._ownership,
            preflight=Preflight(
                clearml=self._process.clearml.bot, reconciler=self._process.reconciler, gpus=self.gpus
            ),
            person=self._person,
        )

    @cached_property
    def workers(self) -> WorkerService:
        return WorkerService(
            clearml=self._process.clearml.bot,
            queues=self.queues,
            agents=self._process.agents,
            reconciler=self._process.reconciler,
            person=self._person,
            host=self._process.host,
        )

    @cached_property
    def card_claims(self) -> CardClaims:
        return CardClaims(clearml=self._process.clearml.bot, gpus=self.gpus, host=self._process.host)

    @cached_property
    def worker_orders(self) -> WorkerOrders:
        return WorkerOrders(
            workers=self.workers,
            queues=self.queues,
            runs=self.runs,
            ownership=self._ownership,
            agents=self._process.agents,
            claims=self.card_claims,
            reconciler=self._process.reconciler,
            place=OrderingPlace(self._person, self._message.conversation, self._process.host, self._process.clock),
        )

    @cached_property
    def plots(self) -> PlotService:
        return PlotService(clearml=self._clearml, lookup=self.lookup, drawing=self._process.drawing)

    @cached_property
    def gpus(self) -> GpuService:
        return GpuService(
            reader=self._process.gpu_reader,
            clearml=self._process.clearml.bot,
            database=self._process.database,
            drawing=self._process.drawing,
            host=self._process.host,
        )

    @property
    def card_watching(self) -> CardWatching:
        return self._process.card_watching

    @cached_property
    def suggestions(self) -> SuggestionService:
        return SuggestionService(clearml=self._clearml, lookup=self.lookup)

    @cached_property
    def waiting(self) -> WaitService:
        return WaitService(
            clearml=self._clearml,
            lookup=self.lookup,
            tracking=self._tracking,
            notifications=self._process.notifications,
            conversation=self._message.conversation,
            clock=self._process.clock,
        )
