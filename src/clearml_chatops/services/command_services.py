"""The services that one command of one person uses."""

from functools import cached_property, partial

from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Identity, Person
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.experiments.bulk import BulkRunner
from clearml_chatops.services.experiments.bulk_actions import BulkActions
from clearml_chatops.services.experiments.drafts import DraftService
from clearml_chatops.services.experiments.edit_history import EditHistory
from clearml_chatops.services.experiments.experiment_lookup import ExperimentLookup
from clearml_chatops.services.experiments.experiments import ExperimentService
from clearml_chatops.services.experiments.owners import OwnerDirectory
from clearml_chatops.services.experiments.ownership import Ownership
from clearml_chatops.services.experiments.plots import PlotService
from clearml_chatops.services.experiments.queues import QueueService
from clearml_chatops.services.experiments.run_waiter import RunWaiter
from clearml_chatops.services.experiments.runs import RunService
from clearml_chatops.services.experiments.search import ExperimentSearcher
from clearml_chatops.services.experiments.selections import SelectionService
from clearml_chatops.services.experiments.suggestions import SuggestionService
from clearml_chatops.services.experiments.wait_estimator import WaitEstimator
from clearml_chatops.services.notifications.cards import CardService
from clearml_chatops.services.notifications.daily_digests import DailyDigests
from clearml_chatops.services.notifications.quiet import QuietService
from clearml_chatops.services.people.accounts import AccountService
from clearml_chatops.services.people.home import HomeService
from clearml_chatops.services.people.links import LinkService
from clearml_chatops.services.process import ProcessContext
from clearml_chatops.services.watching.alerts import AlertService
from clearml_chatops.services.watching.subscriptions import SubscriptionService
from clearml_chatops.services.watching.tracking import Tracking
from clearml_chatops.services.watching.watches import WatchService
from clearml_chatops.services.workers.gpu_conflicts import GpuConflicts
from clearml_chatops.services.workers.gpu_handovers import GpuHandovers
from clearml_chatops.services.workers.gpu_requests import GpuRequests
from clearml_chatops.services.workers.gpu_watches import GpuWatches
from clearml_chatops.services.workers.gpus import GpuService
from clearml_chatops.services.workers.preflight import Preflight
from clearml_chatops.services.workers.worker_commands import CommandOrigin, WorkerCommands
from clearml_chatops.services.workers.worker_plans import WorkerPlanner
from clearml_chatops.services.workers.worker_shutdown import WorkerShutdown
from clearml_chatops.services.workers.workers import WorkerService


class CommandServices:
    """Services for one command; each is created on first use."""

    def __init__(self, process: ProcessContext, person: Person, message: IncomingMessage) -> None:
        self._process = process
        self._person = person
        self._message = message

    @cached_property
    def _clearml(self) -> ClearML:
        return self._process.clearml.impersonate(self._person.clearml_user_id)

    @cached_property
    def _edit_history(self) -> EditHistory:
        return EditHistory(database=self._process.database, person=self._person, clock=self._process.clock)

    @cached_property
    def _tracking(self) -> Tracking:
        return Tracking(
            database=self._process.database,
            person=self._person,
            conversation=self._message.conversation,
            source_conversation=self._message.source_conversation,
            clock=self._process.clock,
            watcher_wakeup=self._process.watcher_wakeup,
            outbox_wakeup=self._process.outbox_wakeup,
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

    @cached_property
    def alerts(self) -> AlertService:
        return AlertService(
            clearml=self._clearml,
            database=self._process.database,
            lookup=self.lookup,
            person=self._person,
            conversation=self._message.conversation,
            clock=self._process.clock,
        )

    @cached_property
    def quiet(self) -> QuietService:
        return QuietService(
            database=self._process.database,
            person=self._person,
            message=self._message,
            outbox_wakeup=self._process.outbox_wakeup,
            clock=self._process.clock,
        )

    @cached_property
    def subscriptions(self) -> SubscriptionService:
        return SubscriptionService(
            clearml=self._clearml,
            database=self._process.database,
            queues=self.queues,
            lookup=self.lookup,
            person=self._person,
            message=self._message,
            watcher_wakeup=self._process.watcher_wakeup,
        )

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
            context_experiment_id=self._message.context_experiment_id,
        )

    @cached_property
    def search(self) -> ExperimentSearcher:
        owners = OwnerDirectory(clearml=self._clearml, database=self._process.database, ownership=self._ownership)
        return ExperimentSearcher(
            clearml=self._clearml, owners=owners, ownership=self._ownership, clock=self._process.clock
        )

    @cached_property
    def selections(self) -> SelectionService:
        return SelectionService(
            clearml=self._clearml,
            lookup=self.lookup,
            searcher=self.search,
            ownership=self._ownership,
            actions=self._process.actions,
            in_progress=self._process.selections_in_progress,
        )

    @cached_property
    def bulk_runner(self) -> BulkRunner:
        return BulkRunner(clearml=self._clearml)

    @cached_property
    def bulk_actions(self) -> BulkActions:
        return BulkActions(runs=self.runs, experiments=self.experiments, watches=self.watches)

    @cached_property
    def experiments(self) -> ExperimentService:
        return ExperimentService(
            clearml=self._clearml,
            lookup=self.lookup,
            tracking=self._tracking,
            history=self._edit_history,
            ownership=self._ownership,
        )

    @cached_property
    def drafts(self) -> DraftService:
        return DraftService(
            clearml=self._clearml,
            lookup=self.lookup,
            history=self._edit_history,
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

    @property
    def cards(self) -> CardService:
        return self._process.cards

    @property
    def daily_digests(self) -> DailyDigests:
        return self._process.daily_digests

    @property
    def wait_estimator(self) -> WaitEstimator:
        return self._process.wait_estimator

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
                clearml=self._process.clearml.bot, host_workers=self._process.host_workers, gpus=self.gpus
            ),
            person=self._person,
        )

    @cached_property
    def workers(self) -> WorkerService:
        return WorkerService(
            clearml=self._process.clearml.bot,
            queues=self.queues,
            ownership=self._ownership,
            agents=self._process.agents,
            host_workers=self._process.host_workers,
            person=self._person,
            host=self._process.host,
        )

    @cached_property
    def gpu_conflicts(self) -> GpuConflicts:
        return GpuConflicts(
            clearml=self._process.clearml.bot, gpus=self.gpus, ownership=self._ownership, host=self._process.host
        )

    @cached_property
    def _worker_planner(self) -> WorkerPlanner:
        return WorkerPlanner(
            queues=self.queues, conflicts=self.gpu_conflicts, agents=self._process.agents, host=self._process.host
        )

    @cached_property
    def worker_commands(self) -> WorkerCommands:
        return WorkerCommands(
            workers=self.workers,
            planner=self._worker_planner,
            conflicts=self.gpu_conflicts,
            shutdown=WorkerShutdown(
                workers=self.workers,
                queues=self.queues,
                runs=self.runs,
                ownership=self._ownership,
                host_workers=self._process.host_workers,
            ),
            host_workers=self._process.host_workers,
            origin=CommandOrigin(
                self._person, self._message.conversation, self._process.host, self._process.clock
            ),
        )

    @cached_property
    def plots(self) -> PlotService:
        return PlotService(
            clearml=self._clearml, lookup=self.lookup, figure_renderer=self._process.figure_renderer
        )

    @cached_property
    def gpus(self) -> GpuService:
        return GpuService(
            reader=self._process.gpu_reader,
            clearml=self._process.clearml.bot,
            database=self._process.database,
            figure_renderer=self._process.figure_renderer,
            host=self._process.host,
        )

    @property
    def gpu_watches(self) -> GpuWatches:
        return self._process.gpu_watches

    @cached_property
    def gpu_requests(self) -> GpuRequests:
        return GpuRequests(
            database=self._process.database,
            host_workers=self._process.host_workers,
            create_worker_commands=partial(_create_worker_commands, self._process),
            host=self._process.host,
            clock=self._process.clock,
            outbox_wakeup=self._process.outbox_wakeup,
            handover_wakeup=self._process.handover_wakeup,
        )

    @cached_property
    def suggestions(self) -> SuggestionService:
        return SuggestionService(clearml=self._clearml, lookup=self.lookup)

    @cached_property
    def run_waiter(self) -> RunWaiter:
        return RunWaiter(
            clearml=self._clearml,
            lookup=self.lookup,
            tracking=self._tracking,
            notifications=self._process.notifications,
            conversation=self._message.conversation,
            clock=self._process.clock,
        )


def create_gpu_handovers(process: ProcessContext) -> GpuHandovers:
    """Create the service that carries out accepted GPU requests, independently of any command."""
    return GpuHandovers(
        database=process.database,
        host_workers=process.host_workers,
        create_worker_commands=partial(_create_worker_commands, process),
        host=process.host,
        clock=process.clock,
        outbox_wakeup=process.outbox_wakeup,
    )


def _create_worker_commands(process: ProcessContext, person: Person, conversation: Conversation) -> WorkerCommands:
    """Create a person's worker commands in a conversation, for work that no message of theirs triggers."""
    identity = Identity(conversation.platform, conversation.id)
    message = IncomingMessage(identity, person.name, conversation, "")
    return CommandServices(process, person, message).worker_commands
