"""The services with which one command of one person works."""

from functools import cached_property, partial

from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Identity, Person
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.experiments.drafts import DraftService
from clearml_chatops.services.experiments.edit_history import EditHistory
from clearml_chatops.services.experiments.experiment_lookup import ExperimentLookup
from clearml_chatops.services.experiments.experiments import ExperimentService
from clearml_chatops.services.experiments.ownership import Ownership
from clearml_chatops.services.experiments.plots import PlotService
from clearml_chatops.services.experiments.queues import QueueService
from clearml_chatops.services.experiments.runs import RunService
from clearml_chatops.services.experiments.suggestions import SuggestionService
from clearml_chatops.services.experiments.waiting import WaitService
from clearml_chatops.services.experiments.waits import WaitEstimates
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
from clearml_chatops.services.workers.card_claims import CardClaims
from clearml_chatops.services.workers.card_handovers import CardHandovers
from clearml_chatops.services.workers.card_questions import CardQuestions
from clearml_chatops.services.workers.card_watching import CardWatching
from clearml_chatops.services.workers.gpus import GpuService
from clearml_chatops.services.workers.preflight import Preflight
from clearml_chatops.services.workers.worker_ending import WorkerEnding
from clearml_chatops.services.workers.worker_orders import OrderingPlace, WorkerOrders
from clearml_chatops.services.workers.worker_plans import WorkerPlans
from clearml_chatops.services.workers.workers import WorkerService


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
            said_in=self._message.said_in,
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
            news=self._process.news,
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
            watched=self._process.watched,
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

    @property
    def cards(self) -> CardService:
        return self._process.cards

    @property
    def daily_digests(self) -> DailyDigests:
        return self._process.daily_digests

    @property
    def waits(self) -> WaitEstimates:
        return self._process.waits

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
    def card_claims(self) -> CardClaims:
        return CardClaims(
            clearml=self._process.clearml.bot,
            gpus=self.gpus,
            ownership=self._ownership,
            host=self._process.host,
        )

    @cached_property
    def worker_orders(self) -> WorkerOrders:
        return WorkerOrders(
            workers=self.workers,
            plans=WorkerPlans(
                queues=self.queues,
                claims=self.card_claims,
                agents=self._process.agents,
                host=self._process.host,
            ),
            claims=self.card_claims,
            ending=WorkerEnding(
                workers=self.workers,
                queues=self.queues,
                runs=self.runs,
                ownership=self._ownership,
                host_workers=self._process.host_workers,
            ),
            host_workers=self._process.host_workers,
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
    def card_questions(self) -> CardQuestions:
        return CardQuestions(
            database=self._process.database,
            host_workers=self._process.host_workers,
            orders_of=partial(_orders_of, self._process),
            host=self._process.host,
            clock=self._process.clock,
            news=self._process.news,
            agreed=self._process.agreed,
        )

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


def card_handovers(process: ProcessContext) -> CardHandovers:
    """What carries out, beside all commands, what people have agreed about cards."""
    return CardHandovers(
        database=process.database,
        host_workers=process.host_workers,
        orders_of=partial(_orders_of, process),
        host=process.host,
        clock=process.clock,
        news=process.news,
    )


def _orders_of(process: ProcessContext, person: Person, conversation: Conversation) -> WorkerOrders:
    """The orders of a person in a conversation, for what is carried out without a message of his."""
    identity = Identity(conversation.platform, conversation.id)
    return Services(process, person, IncomingMessage(identity, person.name, conversation, "")).worker_orders
