"""Subscriptions of conversations to everybody's experiments in a queue or project."""

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import ColumnElement

from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import EventKind, Subscription, SubscriptionKind
from clearml_chatops.storage.schema import PersonRow, SubscriptionRow


class SubscriptionStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list_all(self) -> list[Subscription]:
        return await self._fetch(_select_subscriptions())

    async def list_for_conversation(self, conversation: Conversation) -> list[Subscription]:
        """Return the subscriptions of a conversation; for a channel, also those of its threads."""
        found = _select_subscriptions().where(*_match_conversation(conversation))
        return await self._fetch(
            found.order_by(SubscriptionRow.kind, SubscriptionRow.name, SubscriptionRow.thread)
        )

    async def put(self, subscription: Subscription) -> None:
        """Add a subscription, or update the conversation's existing one to the same queue or project."""
        conversation = subscription.conversation
        row = await self._session.scalar(
            select(SubscriptionRow).where(
                SubscriptionRow.kind == subscription.kind.value,
                SubscriptionRow.target_id == subscription.target_id,
                SubscriptionRow.platform == conversation.platform,
                SubscriptionRow.conversation_id == conversation.id,
                SubscriptionRow.thread == conversation.thread,
            )
        ) or SubscriptionRow(
            kind=subscription.kind.value,
            target_id=subscription.target_id,
            platform=conversation.platform,
            conversation_id=conversation.id,
            thread=conversation.thread,
            since=subscription.since,
        )
        row.name = subscription.name
        row.person_id = subscription.person_id
        row.event_kinds = sorted(kind.value for kind in subscription.event_kinds)
        row.private = subscription.private
        self._session.add(row)

    async def remove(self, subscription: Subscription) -> None:
        rows = await self._session.scalars(
            select(SubscriptionRow).where(
                *_match_conversation(subscription.conversation),
                SubscriptionRow.thread == subscription.conversation.thread,
                SubscriptionRow.kind == subscription.kind.value,
                SubscriptionRow.target_id == subscription.target_id,
            )
        )
        for row in rows:
            await self._session.delete(row)

    async def _fetch(self, query: Select[SubscriptionRow, str]) -> list[Subscription]:
        return [_to_subscription(row, user_id) for row, user_id in await self._session.execute(query)]


def _select_subscriptions() -> Select[SubscriptionRow, str]:
    return select(SubscriptionRow, PersonRow.clearml_user_id).join(
        PersonRow, PersonRow.id == SubscriptionRow.person_id
    )


def _match_conversation(conversation: Conversation) -> tuple[ColumnElement[bool], ...]:
    chat = (SubscriptionRow.platform == conversation.platform, SubscriptionRow.conversation_id == conversation.id)
    return (*chat, SubscriptionRow.thread == conversation.thread) if conversation.thread else chat


def _to_subscription(row: SubscriptionRow, clearml_user_id: str) -> Subscription:
    return Subscription(
        kind=SubscriptionKind(row.kind),
        target_id=row.target_id,
        name=row.name,
        conversation=Conversation(row.platform, row.conversation_id, row.thread),
        person_id=row.person_id,
        event_kinds=frozenset(map(EventKind, row.event_kinds)),
        since=row.since,
        private=row.private,
        clearml_user_id=clearml_user_id,
    )
