"""Who is told when a card is free."""

from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import ColumnElement

from clearml_chatops.models.gpus import CardWatch
from clearml_chatops.models.messages import Conversation
from clearml_chatops.storage.schema import CardWatchRow


class CardWatchStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list(self, *, host: str) -> list[CardWatch]:
        rows = await self._session.scalars(
            select(CardWatchRow).where(CardWatchRow.host == host).order_by(CardWatchRow.id)
        )
        return [
            CardWatch(
                host=row.host,
                card=row.card,
                conversation=Conversation(row.platform, row.conversation_id, row.thread),
                lasting=timedelta(seconds=row.seconds),
                memory=row.memory,
                free_since=row.free_since,
                person_id=row.person_id,
            )
            for row in rows
        ]

    async def put(self, watch: CardWatch) -> None:
        """Adds a watch, in place of the one that the conversation has of this card."""
        row = await self._session.scalar(select(CardWatchRow).where(*_same(watch))) or CardWatchRow(
            host=watch.host,
            card=watch.card,
            platform=watch.conversation.platform,
            conversation_id=watch.conversation.id,
            thread=watch.conversation.thread,
        )
        row.memory = watch.memory
        row.seconds = int(watch.lasting.total_seconds())
        row.free_since = watch.free_since
        row.person_id = watch.person_id
        self._session.add(row)

    async def remove(self, watch: CardWatch) -> None:
        await self._session.execute(delete(CardWatchRow).where(*_same(watch)))


def _same(watch: CardWatch) -> tuple[ColumnElement[bool], ...]:
    return (
        CardWatchRow.host == watch.host,
        CardWatchRow.card == watch.card,
        CardWatchRow.platform == watch.conversation.platform,
        CardWatchRow.conversation_id == watch.conversation.id,
        CardWatchRow.thread == watch.conversation.thread,
    )
