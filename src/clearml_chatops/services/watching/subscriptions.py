"""Subscriptions: a conversation gets notified of all experiments in a queue or project."""

from dataclasses import replace
from datetime import UTC, datetime

from clearml_chatops.models.errors import InvalidValueError, NotSubscribedError
from clearml_chatops.models.messages import IncomingMessage
from clearml_chatops.models.notifications import (
    DEFAULT_SUBSCRIPTION_EVENTS,
    EVENT_KINDS_BY_STATUS,
    EventKind,
    Subscription,
    SubscriptionKind,
)
from clearml_chatops.models.people import Person
from clearml_chatops.models.replies import Button
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.experiments.experiment_lookup import MAX_CHOICES, ExperimentLookup
from clearml_chatops.services.experiments.projects import find_projects, prefer_exact_name, select_topmost
from clearml_chatops.services.experiments.queues import QueueService
from clearml_chatops.services.wakeups import Wakeup
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.subscriptions import SubscriptionStore
from clearml_chatops.storage.watcher import WatcherStore

_MINE = frozenset({"", "mine"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SubscriptionService:
    """Subscriptions of a message's conversation. Everyone who may view experiments may subscribe."""

    def __init__(
        self,
        *,
        clearml: ClearML,
        database: Database,
        queues: QueueService,
        lookup: ExperimentLookup,
        person: Person,
        message: IncomingMessage,
        watcher_wakeup: Wakeup,
    ) -> None:
        self._clearml = clearml
        self._database = database
        self._queues = queues
        self._lookup = lookup
        self._person = person
        self._message = message
        self._watcher_wakeup = watcher_wakeup

    async def subscribe(
        self, kind: SubscriptionKind, name: str, event_kinds: frozenset[EventKind] = DEFAULT_SUBSCRIPTION_EVENTS
    ) -> Subscription:
        """Notify the conversation of everyone's experiments in a queue or project from now on.

        No name, or `mine`, means the person's own queue or the project of their current experiment.
        Subscribing again replaces the event kinds.

        Raises:
            QueueNotFoundError, NoPersonalQueueError, ProjectNotFoundError, NoCurrentExperimentError.
            InvalidValueError: several projects match.
        """
        target_id, found_name = await self._find_target(kind, name, event_kinds)
        async with self._database.writing() as session:
            subscription = Subscription(
                kind=kind,
                target_id=target_id,
                name=found_name,
                conversation=self._message.source_conversation,
                person_id=self._person.id,
                event_kinds=event_kinds,
                # By the server's clock, which may differ from the bot's.
                since=await WatcherStore(session).get_cursor() or _EPOCH,
                private=self._message.is_private,
            )
            await SubscriptionStore(session).put(subscription)
        self._watcher_wakeup.wake()
        return subscription

    async def unsubscribe(self, kind: SubscriptionKind, name: str) -> Subscription:
        """End a subscription. With a name this takes no request, as the target may be deleted in ClearML.

        Without a subscription in the thread, that of its channel ends, or else those of all its threads.

        Raises:
            NotSubscribedError: no subscription or several match.
        """
        source_conversation = self._message.source_conversation
        channel = replace(source_conversation, thread="")
        async with self._database.reading() as session:
            subscriptions = [
                item
                for item in await SubscriptionStore(session).list_for_conversation(channel)
                if item.kind is kind
            ]
        if name.strip().casefold() in _MINE:
            target_id, name = await self._find_target(kind, "", DEFAULT_SUBSCRIPTION_EVENTS)
            matching = [item for item in subscriptions if item.target_id == target_id]
        else:
            matching = _find_matching(subscriptions, name.strip().strip("/").casefold())
        if len({item.target_id for item in matching}) != 1:
            raise NotSubscribedError(kind=kind.value, name=name)
        by_conversation = {item.conversation: item for item in matching}
        selected = by_conversation.get(source_conversation) or by_conversation.get(channel)
        async with self._database.writing() as session:
            for item in [selected] if selected else matching:
                await SubscriptionStore(session).remove(item)
        return matching[0]

    async def list_for_conversation(self) -> list[Subscription]:
        """Return the subscriptions of this conversation and its threads. Takes no ClearML request."""
        async with self._database.reading() as session:
            return await SubscriptionStore(session).list_for_conversation(self._message.source_conversation)

    async def _find_target(
        self, kind: SubscriptionKind, name: str, event_kinds: frozenset[EventKind]
    ) -> tuple[str, str]:
        """Return the id and name of the queue or project."""
        requested_name = "" if name.strip().casefold() in _MINE else name.strip()
        if kind is SubscriptionKind.QUEUE:
            queue = await self._queues.find_named_or_own(requested_name)
            return queue.id, queue.name
        if not requested_name:
            experiment = await self._lookup.find("")
            if not experiment.project_id:
                raise InvalidValueError(
                    value=experiment.name,
                    expected="in any project",
                    name="project",
                    advice="name a project, for example project=vision.",
                )
            return experiment.project_id, experiment.project_name
        return await self._find_project(requested_name.strip("/"), event_kinds)

    async def _find_project(self, name: str, event_kinds: frozenset[EventKind]) -> tuple[str, str]:
        matching = select_topmost(prefer_exact_name(name, await find_projects(self._clearml, name)))
        if len(matching) > 1:
            names = sorted(matching)[:MAX_CHOICES]
            raise InvalidValueError(
                value=name,
                expected="the name of one project",
                name="project",
                advice=f"write one of {', '.join(names)}.",
                buttons=[
                    Button(item, f"/watch project={_quote(item)}{_format_statuses_option(event_kinds)}")
                    for item in names
                ],
            )
        return next((project_id, found_name) for found_name, project_id in matching.items())


def _find_matching(subscriptions: list[Subscription], query: str) -> list[Subscription]:
    """Return the subscriptions with this name or id, else those with it in their name."""
    exact = [item for item in subscriptions if query in {item.name.casefold(), item.target_id}]
    return exact or [item for item in subscriptions if query in item.name.casefold()]


def _format_statuses_option(event_kinds: frozenset[EventKind]) -> str:
    """Return the event kinds as a command option, or an empty string for the default."""
    words = ",".join(word for word, kind in EVENT_KINDS_BY_STATUS.items() if kind in event_kinds)
    return "" if event_kinds == DEFAULT_SUBSCRIPTION_EVENTS else f" statuses={words}"


def _quote(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
