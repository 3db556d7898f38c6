"""From the outbox to a conversation: what is due, with what a person wants to read beside it."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, Notice, Notification, subject_of
from clearml_chatops.models.quiet import Hold
from clearml_chatops.services.notifications.failure_triage import FailureTriage
from clearml_chatops.services.notifications.holding import hold_of
from clearml_chatops.services.notifications.triage import Triage
from clearml_chatops.services.notifications.unreachable import UnreachableConversations
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.outbox import OutboxStore
from clearml_chatops.storage.quiet import QuietStore
from clearml_chatops.storage.told import ToldFile

_MOST_AT_ONCE = 50
_MOST_IN_A_MESSAGE = 8
"""So that a platform takes it as one: where it took the first half, and then no more, that would come twice."""
_MOST_HELD_BACK = 10_000
"""What is held back is one message however much it is; beyond all reason it is two."""
_FIRST_PAUSE = timedelta(seconds=2)
_LONGEST_PAUSE = timedelta(minutes=10)
_MOST_DOUBLINGS = 10
_PATIENCE = timedelta(hours=24)
_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class DueMessage:
    """What is to be sent now in one message: all that happened to one experiment, or to one worker, in order.

    `triage` is why a run failed; None where none did or its log cannot be had. A digest is of several
    experiments: what was held back from a conversation, with the time zone of who is told where it is known.
    """

    notifications: tuple[Notification, ...]
    triage: Triage | None = None
    is_digest: bool = False
    zone: str = ""

    @property
    def recipient(self) -> Conversation:
        """Where it is sent: what is of several threads goes to the conversation itself."""
        places = {item.recipient for item in self.notifications}
        return self.notifications[0].recipient if len(places) == 1 else replace(places.pop(), thread="")

    @property
    def parts(self) -> "tuple[DueMessage, ...]":
        """The messages of one experiment each that a digest stands for."""
        by_subject: dict[tuple[object, Conversation], list[Notification]] = {}
        for item in self.notifications:
            by_subject.setdefault((subject_of(item.event), item.recipient), []).append(item)
        return tuple(DueMessage(tuple(items)) for items in by_subject.values())

    @property
    def events(self) -> tuple[ExperimentEvent, ...]:
        return tuple(item.event for item in self.notifications if isinstance(item.event, ExperimentEvent))

    @property
    def notices(self) -> tuple[Notice, ...]:
        return tuple(item.event for item in self.notifications if isinstance(item.event, Notice))


class NotificationService:
    """`told` remembers what was told in the moments until the database does, `triage` tells why runs failed."""

    def __init__(
        self, *, database: Database, told: ToldFile, triage: FailureTriage, clock: Callable[[], datetime]
    ) -> None:
        self._triage = triage
        self._database = database
        self._told = told
        self._clock = clock
        self._unreachable = UnreachableConversations(database=database, clock=clock)

    async def due(self, platform: str, conversation_id: str) -> list[DueMessage]:
        """What is to be sent to a conversation now, in the order in which it happened, logs left out.

        What waits for another attempt holds up all that happened after it. While a conversation is to be told
        nothing nothing is due; what was held back so is one message then.
        """
        now = self._clock()
        async with self._database.reading() as session:
            hold = await hold_of(QuietStore(session), platform, conversation_id, now=now)
            if hold.until is not None and not hold.failures_now:
                return []
            due = await OutboxStore(session).due(platform, conversation_id, now=now, limit=_MOST_AT_ONCE)
            if _concerns(hold, due):
                due = await OutboxStore(session).due(platform, conversation_id, now=now, limit=_MOST_HELD_BACK)
        if told := [item for item in due if item in self._told]:
            # The program was killed, or the disk was full, before it was noted.
            await self._note_delivered(told)
            return await self.due(platform, conversation_id)
        if _concerns(hold, due):
            return _failures(due) if hold.until is not None else _held_back(due, hold)
        messages = [
            DueMessage(part)
            for _, together in groupby(due, lambda item: (subject_of(item.event), item.recipient))
            for part in _parted(tuple(together))
        ]
        # What the limit may have cut in two is whole the next time.
        return messages[:-1] if len(due) == _MOST_AT_ONCE and len(messages) > 1 else messages

    async def in_full(self, message: DueMessage) -> DueMessage:
        """The message with why its run failed. One request for a failed run, else none."""
        if message.is_digest or not message.events:
            return message
        return replace(message, triage=await self._triage.of(message.events[-1]))

    async def waiting_conversations(self, platform: str) -> list[str]:
        """The ids of a platform's conversations to which something is due."""
        async with self._database.reading() as session:
            return await OutboxStore(session).waiting_conversations(platform, now=self._clock())

    async def delivered(self, message: DueMessage) -> None:
        """Notes that a message was told: at once where that waits for nothing, and then in the database."""
        self._told.add(message.notifications)
        await self._note_delivered(message.notifications)

    async def _note_delivered(self, notifications: Sequence[Notification]) -> None:
        async with self._database.writing() as session:
            await OutboxStore(session).mark_delivered(*(item.id for item in notifications), at=self._clock())
        self._told.remove(notifications)

    async def failed(self, message: DueMessage, reason: str) -> None:
        """Tries again later, with growing pauses; after a day the admins are told instead."""
        first, now = message.notifications[0], self._clock()
        if now - first.noted >= _PATIENCE:
            await self._unreachable.note_to_admins(message.notifications, message.recipient, reason)
            return
        pause = min(_FIRST_PAUSE * 2 ** min(first.attempts, _MOST_DOUBLINGS), _LONGEST_PAUSE)
        async with self._database.writing() as session:
            await OutboxStore(session).postpone(first.id, until=now + pause)

    async def gone(self, message: DueMessage, platforms: Collection[str]) -> Conversation | None:
        """Sends it to the same people at other places, on the platforms that the bot is on.

        Gives the first of them; None where there is none, or they were told there already.
        """
        if message.is_digest:
            # They may be of several people, who are elsewhere each for himself.
            reached = [await self.gone(part, platforms) for part in message.parts]
            return next((place for place in reached if place), None)
        return await self._unreachable.tell_elsewhere(message.notifications, platforms)

    async def forget_old(self) -> int:
        """Deletes what was delivered long ago; gives how many it was.

        It is kept until nothing can be read once more that would make it again: for long after the watcher has
        moved on, and also where the bot was away for weeks.
        """
        async with self._database.writing() as session:
            return await OutboxStore(session).forget_delivered(self._clock() - _KEPT)

    async def waiting_for(self, experiment_id: str, recipient: Conversation) -> int:
        """How many notifications of an experiment are still on their way to the recipient; held back is none."""
        async with self._database.reading() as session:
            hold = await hold_of(QuietStore(session), recipient.platform, recipient.id, now=self._clock())
            if hold.until is not None:
                return 0
            return await OutboxStore(session).undelivered(experiment_id, recipient)


def _concerns(hold: Hold, due: Sequence[Notification]) -> bool:
    """Whether what is due is held back, or was."""
    return bool(due) and (hold.until is not None or due[0].noted < hold.free_since)


def _held_back(due: Sequence[Notification], hold: Hold) -> list[DueMessage]:
    """What a hold has kept, as one message. Of one experiment it is the usual one."""
    kept = tuple(item for item in due if item.noted < hold.free_since)
    if len({(subject_of(item.event), item.recipient) for item in kept}) > 1:
        return [DueMessage(kept, is_digest=True, zone=hold.zone)]
    return [DueMessage(part) for part in _parted(kept)]


def _failures(due: Sequence[Notification]) -> list[DueMessage]:
    """What is told also while it is quiet: each experiment that has failed, with what happened to it before."""
    return [
        message
        for message in DueMessage(tuple(due)).parts
        if any(event.kind is EventKind.FAILED for event in message.events)
    ]


def _parted(notifications: tuple[Notification, ...]) -> Iterator[tuple[Notification, ...]]:
    for start in range(0, len(notifications), _MOST_IN_A_MESSAGE):
        yield notifications[start : start + _MOST_IN_A_MESSAGE]
