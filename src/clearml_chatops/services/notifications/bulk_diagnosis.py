"""Diagnoses the failed runs of a message about many, for a limited time, and stores the causes."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from clearml_chatops.models.notifications import ExperimentEvent, Notification, StoredDiagnosis
from clearml_chatops.services.notifications.diagnosis import Diagnosis
from clearml_chatops.services.notifications.due_messages import DueMessage
from clearml_chatops.services.notifications.failure_diagnosis import FailureDiagnosisService
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.outbox import OutboxStore

_MAX_CONCURRENT = 8
_FIRST_TIME_LIMIT = timedelta(seconds=3)
"""People wait for a new message, but not for an edit."""
_TIME_LIMIT = timedelta(seconds=10)


class BulkDiagnosis:
    def __init__(self, *, database: Database, diagnosis_service: FailureDiagnosisService) -> None:
        self._database = database
        self._diagnosis_service = diagnosis_service

    async def add(self, message: DueMessage) -> DueMessage:
        """Return the message with as many causes as can be found within a few seconds.

        A run with a log that isn't available gets an empty cause, so it isn't tried again.
        """
        is_edit = message.burst is not None and message.burst.message is not None
        found = await self._diagnose(message.undiagnosed, _TIME_LIMIT if is_edit else _FIRST_TIME_LIMIT)
        if not found:
            return message
        await self.store(found)
        return replace(
            message, notifications=_insert(message.notifications, found), shown=_insert(message.shown, found)
        )

    async def store(self, diagnoses: Mapping[int, StoredDiagnosis]) -> None:
        async with self._database.writing() as session:
            await OutboxStore(session).put_diagnoses(diagnoses)

    async def _diagnose(
        self, failed: tuple[Notification, ...], time_limit: timedelta
    ) -> dict[int, StoredDiagnosis]:
        found: dict[int, StoredDiagnosis] = {}
        get_time = asyncio.get_running_loop().time
        deadline = get_time() + time_limit.total_seconds()
        for start in range(0, len(failed), _MAX_CONCURRENT):
            together = failed[start : start + _MAX_CONCURRENT]
            diagnoses = await asyncio.gather(*map(self._diagnose_one, together))
            found |= {item.id: to_stored(each) for item, each in zip(together, diagnoses, strict=True)}
            if get_time() >= deadline:
                break
        return found

    async def _diagnose_one(self, failed: Notification) -> Diagnosis | None:
        assert isinstance(failed.event, ExperimentEvent)
        return await self._diagnosis_service.diagnose(failed.event)


def to_stored(diagnosis: Diagnosis | None) -> StoredDiagnosis:
    return StoredDiagnosis(diagnosis.cause.value, diagnosis.can_retry) if diagnosis else StoredDiagnosis("", False)


def _insert(
    notifications: tuple[Notification, ...], found: Mapping[int, StoredDiagnosis]
) -> tuple[Notification, ...]:
    return tuple(replace(item, diagnosis=found.get(item.id, item.diagnosis)) for item in notifications)
