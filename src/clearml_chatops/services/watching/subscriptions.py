"""What a conversation is told of everybody's experiments: those of a queue, those of a project."""

from dataclasses import replace
from datetime import UTC, datetime

from clearml_chatops.models.errors import InvalidValueError, NotSubscribedError
from clearml_chatops.models.messages import IncomingMessage
from clearml_chatops.models.notifications import (
    TOLD_TO_SUBSCRIBERS,
    WORDS_FOR_SUBSCRIBERS,
    EventKind,
    Subscription,
    SubscriptionKind,
)
from clearml_chatops.models.people import Person
from clearml_chatops.models.replies import Button
from clearml_chatops.services.bells import Bell
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.experiments.experiment_lookup import MOST_CHOICES, ExperimentLookup
from clearml_chatops.services.experiments.projects import projects_called, projects_with, topmost
from clearml_chatops.services.experiments.queues import QueueService
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.states import WatcherStore
from clearml_chatops.storage.subscriptions import SubscriptionStore

_MINE = frozenset({"", "mine"})
_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)


class SubscriptionService:
    """Subscriptions of the conversation in which a message was said. Whoever may look may subscribe."""

    def __init__(
        self,
        *,
        clearml: ClearML,
        database: Database,
        queues: QueueService,
        lookup: ExperimentLookup,
        person: Person,
        message: IncomingMessage,
        watched: Bell,
    ) -> None:
        self._clearml = clearml
        self._database = database
        self._queues = queues
        self._lookup = lookup
        self._person = person
        self._message = message
        self._watched = watched

    async def subscribe(
        self, kind: SubscriptionKind, name: str, told: frozenset[EventKind] = TOLD_TO_SUBSCRIBERS
    ) -> Subscription:
        """Has the conversation told of everybody's experiments in a queue or project from now on.

        No name, or `mine`, means the person's own queue, and the project of his current experiment. Saying it
        again changes what is told.

        Raises:
            QueueNotFoundError, NoPersonalQueueError, ProjectNotFoundError, NoCurrentExperimentError.
            InvalidValueError: several projects fit.
        """
        target_id, found_name = await self._target(kind, name, told)
        async with self._database.writing() as session:
            subscription = Subscription(
                kind=kind,
                target_id=target_id,
                name=found_name,
                conversation=self._message.said_in,
                person_id=self._person.id,
                told=told,
                # By the server's clock, which need not agree with ours.
                since=await WatcherStore(session).cursor() or _BEFORE_ALL,
                private=self._message.is_private,
            )
            await SubscriptionStore(session).put(subscription)
        self._watched.ring()
        return subscription

    async def unsubscribe(self, kind: SubscriptionKind, name: str) -> Subscription:
        """Ends a subscription. No request where it is named: it may have been deleted in ClearML.

        A thread that has none means its channel; where that has none either, all its threads are meant.

        Raises:
            NotSubscribedError: there is none, or several fit.
        """
        said_in = self._message.said_in
        channel = replace(said_in, thread="")
        async with self._database.reading() as session:
            here = [item for item in await SubscriptionStore(session).of(channel) if item.kind is kind]
        if name.strip().casefold() in _MINE:
            target_id, name = await self._target(kind, "", TOLD_TO_SUBSCRIBERS)
            fitting = [item for item in here if item.target_id == target_id]
        else:
            fitting = _fitting(here, name.strip().strip("/").casefold())
        if len({item.target_id for item in fitting}) != 1:
            raise NotSubscribedError(kind=kind.value, name=name)
        by_place = {item.conversation: item for item in fitting}
        meant = by_place.get(said_in) or by_place.get(channel)
        async with self._database.writing() as session:
            for item in [meant] if meant else fitting:
                await SubscriptionStore(session).remove(item)
        return fitting[0]

    async def here(self) -> list[Subscription]:
        """The subscriptions of this conversation, and of the threads in it. No request."""
        async with self._database.reading() as session:
            return await SubscriptionStore(session).of(self._message.said_in)

    async def _target(self, kind: SubscriptionKind, name: str, told: frozenset[EventKind]) -> tuple[str, str]:
        """Id and name of the queue or project."""
        wanted = "" if name.strip().casefold() in _MINE else name.strip()
        if kind is SubscriptionKind.QUEUE:
            queue = await self._queues.mine(wanted)
            return queue.id, queue.name
        if not wanted:
            experiment = await self._lookup.find("")
            if not experiment.project_id:
                raise InvalidValueError(
                    value=experiment.name,
                    expected="in any project",
                    name="project",
                    advice="name a project, as project=vision.",
                )
            return experiment.project_id, experiment.project_name
        return await self._project(wanted.strip("/"), told)

    async def _project(self, name: str, told: frozenset[EventKind]) -> tuple[str, str]:
        fitting = topmost(projects_called(name, await projects_with(self._clearml, name)))
        if len(fitting) > 1:
            names = sorted(fitting)[:MOST_CHOICES]
            raise InvalidValueError(
                value=name,
                expected="the name of one project",
                name="project",
                advice=f"write one of {', '.join(names)}.",
                offers=[Button(item, f"/watch project={_quoted(item)}{_chosen(told)}") for item in names],
            )
        return next((project_id, found_name) for found_name, project_id in fitting.items())


def _fitting(subscriptions: list[Subscription], wanted: str) -> list[Subscription]:
    """Those of this name or id, else those with it in their name."""
    exact = [item for item in subscriptions if wanted in {item.name.casefold(), item.target_id}]
    return exact or [item for item in subscriptions if wanted in item.name.casefold()]


def _chosen(told: frozenset[EventKind]) -> str:
    """What is told, as an option; nothing where it is the usual."""
    words = ",".join(word for word, kind in WORDS_FOR_SUBSCRIBERS.items() if kind in told)
    return "" if told == TOLD_TO_SUBSCRIBERS else f" statuses={words}"


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
