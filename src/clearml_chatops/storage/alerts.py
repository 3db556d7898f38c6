"""Alerts and their progress."""

from collections.abc import Collection

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import ColumnElement

from clearml_chatops.models.alerts import (
    Alert,
    AlertProgress,
    Comparison,
    Condition,
    LogCondition,
    MetricCondition,
)
from clearml_chatops.models.messages import Conversation
from clearml_chatops.storage.schema import AlertRow


class AlertStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, alert: Alert) -> int:
        """Add an alert and return its number."""
        metric_condition = alert.condition if isinstance(alert.condition, MetricCondition) else None
        row = AlertRow(
            experiment_id=alert.experiment_id,
            experiment_name=alert.experiment_name,
            metric=metric_condition.metric if metric_condition else "",
            comparison=metric_condition.comparison.value if metric_condition else "",
            threshold=metric_condition.threshold if metric_condition else None,
            pattern=alert.condition.pattern if isinstance(alert.condition, LogCondition) else "",
            platform=alert.conversation.platform,
            conversation_id=alert.conversation.id,
            thread=alert.conversation.thread,
            person_id=alert.person_id,
            created=alert.created,
            extreme=alert.progress.extreme,
            log_since=alert.progress.log_since,
            log_read_until=alert.progress.log_read_until,
        )
        self._session.add(row)
        await self._session.flush()
        return row.id

    async def list_all(self) -> list[Alert]:
        """Return all alerts, oldest first."""
        return [_to_alert(row) for row in await self._session.scalars(select(AlertRow).order_by(AlertRow.id))]

    async def list_for_conversation(self, conversation: Conversation) -> list[Alert]:
        """Return the alerts of a conversation, oldest first."""
        rows = await self._session.scalars(
            select(AlertRow).where(*_match_conversation(conversation)).order_by(AlertRow.id)
        )
        return [_to_alert(row) for row in rows]

    async def count(self, conversation: Conversation) -> int:
        counted = select(func.count()).select_from(AlertRow).where(*_match_conversation(conversation))
        return await self._session.scalar(counted) or 0

    async def find_existing(self, numbers: Collection[int]) -> set[int]:
        """Return which of these alerts have neither fired nor been removed."""
        return set(await self._session.scalars(select(AlertRow.id).where(AlertRow.id.in_(numbers))))

    async def remove(self, number: int) -> None:
        await self._session.execute(delete(AlertRow).where(AlertRow.id == number))

    async def update_progress(self, number: int, progress: AlertProgress) -> None:
        """Store what polling has covered so far."""
        await self._session.execute(
            update(AlertRow)
            .where(AlertRow.id == number)
            .values(extreme=progress.extreme, log_since=progress.log_since, log_read_until=progress.log_read_until)
        )


def _match_conversation(conversation: Conversation) -> tuple[ColumnElement[bool], ...]:
    return (
        AlertRow.platform == conversation.platform,
        AlertRow.conversation_id == conversation.id,
        AlertRow.thread == conversation.thread,
    )


def _to_alert(row: AlertRow) -> Alert:
    return Alert(
        number=row.id,
        experiment_id=row.experiment_id,
        experiment_name=row.experiment_name,
        condition=_to_condition(row),
        conversation=Conversation(row.platform, row.conversation_id, row.thread),
        person_id=row.person_id,
        created=row.created,
        progress=AlertProgress(row.extreme, row.log_since, row.log_read_until),
    )


def _to_condition(row: AlertRow) -> Condition:
    if row.threshold is None:
        return LogCondition(row.pattern)
    return MetricCondition(row.metric, Comparison(row.comparison), row.threshold)
