"""GPU watches: conversations that get notified when a GPU is free."""

from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import ColumnElement

from clearml_chatops.models.gpus import GpuWatch
from clearml_chatops.models.messages import Conversation
from clearml_chatops.storage.schema import GpuWatchRow


class GpuWatchStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list(self, *, host: str) -> list[GpuWatch]:
        rows = await self._session.scalars(
            select(GpuWatchRow).where(GpuWatchRow.host == host).order_by(GpuWatchRow.id)
        )
        return [
            GpuWatch(
                host=row.host,
                gpu=row.gpu,
                conversation=Conversation(row.platform, row.conversation_id, row.thread),
                required_duration=timedelta(seconds=row.required_seconds),
                required_memory=row.required_memory,
                free_since=row.free_since,
                person_id=row.person_id,
            )
            for row in rows
        ]

    async def put(self, watch: GpuWatch) -> None:
        """Add a watch, replacing the conversation's existing watch of this GPU."""
        row = await self._session.scalar(select(GpuWatchRow).where(*_match_watch(watch))) or GpuWatchRow(
            host=watch.host,
            gpu=watch.gpu,
            platform=watch.conversation.platform,
            conversation_id=watch.conversation.id,
            thread=watch.conversation.thread,
        )
        row.required_memory = watch.required_memory
        row.required_seconds = int(watch.required_duration.total_seconds())
        row.free_since = watch.free_since
        row.person_id = watch.person_id
        self._session.add(row)

    async def remove(self, watch: GpuWatch) -> None:
        await self._session.execute(delete(GpuWatchRow).where(*_match_watch(watch)))


def _match_watch(watch: GpuWatch) -> tuple[ColumnElement[bool], ...]:
    return (
        GpuWatchRow.host == watch.host,
        GpuWatchRow.gpu == watch.gpu,
        GpuWatchRow.platform == watch.conversation.platform,
        GpuWatchRow.conversation_id == watch.conversation.id,
        GpuWatchRow.thread == watch.conversation.thread,
    )
