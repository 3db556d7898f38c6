"""Reroutes messages of lost conversations, and notifies the admins of messages undelivered for a day."""

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
    get_subject,
)
from clearml_chatops.models.people import Role
from clearml_chatops.models.quiet import DailyDigest
from clearml_chatops.models.replies import Button
from clearml_chatops.storage.daily_digests import DailyDigestStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.direct_messages import to_direct_message
from clearml_chatops.storage.outbox import OutboxStore
from clearml_chatops.storage.people import PeopleStore
from clearml_chatops.storage.quiet import QuietStore
from clearml_chatops.storage.subscriptions import SubscriptionStore

_UNDELIVERED_PREFIX = "undelivered:"
"""Prefix of the subject of a note to the admins; an undelivered note causes no further note."""
_MAX_NAMED = 10


class UnreachableConversations:
    """Handles messages that cannot be delivered to their conversation."""

    def __init__(self, *, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def reroute(
        self, notifications: Sequence[Notification], platforms: Collection[str]
    ) -> Conversation | None:
        """Send the notifications of one message to the private chats of the people they were meant for.

        Each person gets them on one of `platforms`. The lost conversation's subscriptions and daily digest
        end, and the people who set them up get notified. Returns the first new conversation; None if there
        is none, or everyone was notified there already.
        """
        now, lost_conversation = self._clock(), notifications[0].conversation
        rerouted: list[Conversation] = []
        async with self._database.writing() as session:
            outbox, people = OutboxStore(session), PeopleStore(session)
            await outbox.mark_delivered(*(item.id for item in notifications), at=now)
            private_person_id = await QuietStore(session).find_private_person_id(
                lost_conversation.platform, lost_conversation.id
            )
            events_by_person = _group_by_person(notifications, private_person_id)
            removed = await _remove_subscriptions(
                SubscriptionStore(session), DailyDigestStore(session), lost_conversation
            )
            for person_id, notice in _build_end_notices(
                *removed, lost_conversation, private_person_id, now
            ).items():
                events_by_person.setdefault(person_id, []).append(notice)
            for person_id, events in events_by_person.items():
                identities = await people.list_identities(person_id)
                # Prefer another platform: if the bot is blocked in one chat here, it probably is in others.
                for identity in sorted(identities, key=lambda item: item.platform == lost_conversation.platform):
                    conversation = to_direct_message(identity)
                    if identity.platform not in platforms or conversation.id == lost_conversation.id:
                        continue
                    if not await outbox.has_notification(events[0], conversation):
                        await outbox.add([(event, conversation) for event in events], now=now)
                        rerouted.append(conversation)
                        break
        return rerouted[0] if rerouted else None

    async def notify_admins(
        self, notifications: Sequence[Notification], conversation: Conversation, reason: str
    ) -> None:
        """Give up the notifications of one message, and notify the admins of that."""
        now = self._clock()
        note = _build_admin_note(notifications, conversation, reason, now)
        async with self._database.writing() as session:
            outbox = OutboxStore(session)
            await outbox.mark_delivered(*(item.id for item in notifications), at=now)
            if note is None:
                return
            admins = await PeopleStore(session).list_identities_with_role(Role.ADMIN)
            admin_conversations = [
                to_direct_message(identity) for identity in admins if identity.platform != TERMINAL
            ]
            await outbox.add([(note, admin_conversation) for admin_conversation in admin_conversations], now=now)


def _group_by_person(
    notifications: Sequence[Notification], private_person_id: int | None
) -> dict[int, list[ExperimentEvent | Notice]]:
    """Return what each person gets: the people an event names, else the owner of the private chat."""
    events_by_person: dict[int, list[ExperimentEvent | Notice]] = {}
    for event in (item.event for item in notifications):
        for person_id in _list_person_ids(event) or ([] if private_person_id is None else [private_person_id]):
            # In the private chat the event is meant for that person alone.
            personal_event = event if isinstance(event, Notice) else replace(event, person_ids=(person_id,))
            events_by_person.setdefault(person_id, []).append(personal_event)
    return events_by_person


def _list_person_ids(event: ExperimentEvent | Notice) -> Sequence[int]:
    if isinstance(event, Notice):
        return [] if event.person_id is None else [event.person_id]
    return event.person_ids


async def _remove_subscriptions(
    subscription_store: SubscriptionStore, digest_store: DailyDigestStore, conversation: Conversation
) -> tuple[Sequence[Subscription], DailyDigest | None]:
    """Remove and return the subscriptions and the daily digest, which would otherwise go on forever."""
    removed_subscriptions, digest = (
        await subscription_store.list_for_conversation(conversation),
        await digest_store.get(conversation),
    )
    for item in removed_subscriptions:
        await subscription_store.remove(item)
    await digest_store.remove(conversation)
    return removed_subscriptions, digest


def _build_end_notices(
    subscriptions: Sequence[Subscription],
    digest: DailyDigest | None,
    conversation: Conversation,
    private_person_id: int | None,
    now: datetime,
) -> dict[int, Notice]:
    """Return a notice for each person who lost subscriptions or a digest with the conversation."""
    ended_by_person: dict[int, list[str]] = {}
    for item in subscriptions:
        ended_by_person.setdefault(item.person_id, []).append(
            f"notifications for the {item.kind.value} “{item.name}”"
        )
    digest_person_id = (digest.person_id or private_person_id) if digest else None
    if digest_person_id is not None:
        ended_by_person.setdefault(digest_person_id, []).append("the daily digest")
    return {
        person_id: Notice(
            f"gone:{conversation}",
            f"The bot can no longer reach {conversation}. Ended there: {', '.join(ended)}. "
            "Set them up again in another conversation.",
            now,
            is_warning=True,
            person_id=person_id,
        )
        for person_id, ended in ended_by_person.items()
    }


def _build_admin_note(
    notifications: Sequence[Notification], conversation: Conversation, reason: str, now: datetime
) -> ExperimentEvent | Notice | None:
    """Return the note to the admins, None if the undelivered events are such notes themselves."""
    events = [item.event for item in notifications if not _is_admin_note(item.event)]
    if not events:
        return None
    last = events[-1]
    failure_text = f"couldn't be sent to {conversation} for a day ({reason})"
    if len({get_subject(event) for event in events}) > 1:
        titles = list(dict.fromkeys(map(_get_title, events)))
        more = [f"and {len(titles) - _MAX_NAMED} more"] if len(titles) > _MAX_NAMED else []
        text = f"{len(events)} notifications {failure_text}:"
        return Notice(
            f"{_UNDELIVERED_PREFIX}{conversation}",
            text,
            now,
            is_warning=True,
            extra_texts=(*titles[:_MAX_NAMED], *more),
        )
    if isinstance(last, ExperimentEvent):
        return replace(
            last, kind=EventKind.UNDELIVERED, actor_name=str(conversation), reason=reason, person_ids=()
        )
    buttons = (Button("Show", f"/show {last.experiment_id}"),) if last.experiment_id else ()
    return Notice(
        f"{_UNDELIVERED_PREFIX}{last.subject}",
        f"A notification {failure_text}: {last.text}",
        last.at,
        is_warning=True,
        buttons=buttons,
        experiment_id=last.experiment_id,
    )


def _is_admin_note(event: ExperimentEvent | Notice) -> bool:
    if isinstance(event, Notice):
        return event.subject.startswith(_UNDELIVERED_PREFIX)
    return event.kind is EventKind.UNDELIVERED


def _get_title(event: ExperimentEvent | Notice) -> str:
    return event.text if isinstance(event, Notice) else f"“{event.experiment_name}”"
