"""What becomes of messages whose conversation is gone, or could not be reached for a day."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

from clearml_chatops.models.messages import TERMINAL, Conversation
from clearml_chatops.models.notifications import (
    EventKind,
    ExperimentEvent,
    Notice,
    Notification,
    Subscription,
    subject_of,
)
from clearml_chatops.models.people import Role
from clearml_chatops.models.quiet import DailyDigest
from clearml_chatops.models.replies import Button
from clearml_chatops.storage.daily_digests import DailyDigestStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.outbox import OutboxStore
from clearml_chatops.storage.own_places import private_place
from clearml_chatops.storage.people import PeopleStore
from clearml_chatops.storage.quiet import QuietStore
from clearml_chatops.storage.subscriptions import SubscriptionStore

_UNDELIVERED = "undelivered:"
"""Begins the subject of a note to the admins; of what becomes of that they get no other."""
_MOST_NAMED = 10


class UnreachableConversations:
    def __init__(self, *, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def tell_elsewhere(
        self, notifications: Sequence[Notification], platforms: Collection[str]
    ) -> Conversation | None:
        """Has those for whom these were told elsewhere, each on one of the platforms that the bot is on.

        They are what was to be told in one message of one subject. What the gone conversation has subscribed
        to ends, and its daily digest; who wanted that is told so. Gives the first of the other places; None
        where there is none, or all were told there already.
        """
        now, gone = self._clock(), notifications[0].recipient
        told: list[Conversation] = []
        async with self._database.writing() as session:
            outbox, people = OutboxStore(session), PeopleStore(session)
            await outbox.mark_delivered(*(item.id for item in notifications), at=now)
            alone = await QuietStore(session).person_alone_in(gone.platform, gone.id)
            wanted = _by_person(notifications, alone)
            ended = await _ended(SubscriptionStore(session), DailyDigestStore(session), gone)
            for person_id, notice in _notices_of_ends(*ended, gone, alone, now).items():
                wanted.setdefault(person_id, []).append(notice)
            for person_id, events in wanted.items():
                identities = await people.identities(person_id)
                # Another platform first: where this one is blocked the rest of it is, too.
                for identity in sorted(identities, key=lambda item: item.platform == gone.platform):
                    place = private_place(identity)
                    if identity.platform not in platforms or place.id == gone.id:
                        continue
                    if not await outbox.has(events[0], place):
                        await outbox.add([(event, place) for event in events], now=now)
                        told.append(place)
                        break
        return told[0] if told else None

    async def note_to_admins(
        self, notifications: Sequence[Notification], place: Conversation, reason: str
    ) -> None:
        """Gives up what was to be told in one message, and tells the admins that it was not."""
        now = self._clock()
        note = _note(notifications, place, reason, now)
        async with self._database.writing() as session:
            outbox = OutboxStore(session)
            await outbox.mark_delivered(*(item.id for item in notifications), at=now)
            if note is None:
                return
            admins = await PeopleStore(session).identities_with(Role.ADMIN)
            places = [private_place(identity) for identity in admins if identity.platform != TERMINAL]
            await outbox.add([(note, place) for place in places], now=now)


def _by_person(
    notifications: Sequence[Notification], alone: int | None
) -> dict[int, list[ExperimentEvent | Notice]]:
    """What is for whom: for those for whom it was noted, else for him who is alone in the conversation."""
    found: dict[int, list[ExperimentEvent | Notice]] = {}
    for event in (item.event for item in notifications):
        for person_id in _meant_for(event) or ([] if alone is None else [alone]):
            # Elsewhere he is told for himself alone.
            own = event if isinstance(event, Notice) else replace(event, people=(person_id,))
            found.setdefault(person_id, []).append(own)
    return found


def _meant_for(event: ExperimentEvent | Notice) -> Sequence[int]:
    if isinstance(event, Notice):
        return [] if event.person_id is None else [event.person_id]
    return event.people


async def _ended(
    subscriptions: SubscriptionStore, digests: DailyDigestStore, gone: Conversation
) -> tuple[Sequence[Subscription], DailyDigest | None]:
    """Ends what would go on to be told there for ever."""
    subscribed, digest = await subscriptions.of(gone), await digests.get(gone)
    for item in subscribed:
        await subscriptions.remove(item)
    await digests.remove(gone)
    return subscribed, digest


def _notices_of_ends(
    subscribed: Sequence[Subscription],
    digest: DailyDigest | None,
    gone: Conversation,
    alone: int | None,
    now: datetime,
) -> dict[int, Notice]:
    """What each person is told of what has ended because the conversation is gone."""
    ends: dict[int, list[str]] = {}
    for item in subscribed:
        ends.setdefault(item.person_id, []).append(f"the watch of {item.kind.value} {item.name}")
    by = (digest.person_id or alone) if digest else None
    if by is not None:
        ends.setdefault(by, []).append("the daily digest")
    return {
        person_id: Notice(
            f"gone:{gone}",
            f"{gone} cannot be reached any more, so this has ended there: {', '.join(what)}.",
            now,
            is_trouble=True,
            person_id=person_id,
        )
        for person_id, what in ends.items()
    }


def _note(
    notifications: Sequence[Notification], place: Conversation, reason: str, now: datetime
) -> ExperimentEvent | Notice | None:
    """The note to the admins; None where what was not told is such a note itself."""
    events = [item.event for item in notifications if not _is_note(item.event)]
    if not events:
        return None
    last = events[-1]
    failed = f"could not be told at {place} for a day ({reason})"
    if len({subject_of(event) for event in events}) > 1:
        named = list(dict.fromkeys(map(_named, events)))
        more = [f"and {len(named) - _MOST_NAMED} more"] if len(named) > _MOST_NAMED else []
        text = f"What was held back from there, {len(events)} messages, {failed}:"
        return Notice(f"{_UNDELIVERED}{place}", text, now, is_trouble=True, more=(*named[:_MOST_NAMED], *more))
    if isinstance(last, ExperimentEvent):
        return replace(last, kind=EventKind.UNDELIVERED, by_name=str(place), reason=reason, people=())
    show = (Button("Show", f"/show {last.experiment_id}"),) if last.experiment_id else ()
    return Notice(
        f"{_UNDELIVERED}{last.subject}",
        f"This {failed}: {last.text}",
        last.at,
        is_trouble=True,
        offers=show,
        experiment_id=last.experiment_id,
    )


def _is_note(event: ExperimentEvent | Notice) -> bool:
    if isinstance(event, Notice):
        return event.subject.startswith(_UNDELIVERED)
    return event.kind is EventKind.UNDELIVERED


def _named(event: ExperimentEvent | Notice) -> str:
    return event.text if isinstance(event, Notice) else f"“{event.experiment_name}”"
