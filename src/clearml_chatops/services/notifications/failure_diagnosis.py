"""Diagnoses failed runs from their logs, few at a time to leave requests for commands."""

import asyncio
from datetime import timedelta

from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.models.notifications import EventKind, ExperimentEvent
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.notifications.diagnosis import LOG_LINE_COUNT, Diagnosis, diagnose_log

_MAX_CONCURRENT = 2
"""Concurrent log requests; keeps most of the request limit free for commands when a thousand runs fail."""


class FailureDiagnosisService:
    """Reads the logs of failed runs. `timeout` is how long a message waits for its diagnosis at most."""

    def __init__(self, clearml: ClearML, *, timeout: timedelta = timedelta(seconds=10)) -> None:
        self._clearml = clearml
        self._timeout = timeout
        self._semaphore = asyncio.Semaphore(_MAX_CONCURRENT)
        self._tasks: set[asyncio.Task[Diagnosis | None]] = set()

    async def diagnose(self, event: ExperimentEvent) -> Diagnosis | None:
        """Return why a run failed; None for other events, or if the log is not available in time.

        The notification goes out without a diagnosis then: people can still read the log with /log.
        """
        if event.kind is not EventKind.FAILED:
            return None
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                await self._semaphore.acquire()
                # After a timeout the task keeps its slot until ClearML has answered, to bound open requests.
                task = asyncio.create_task(self._diagnose_from_log(event))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                return await asyncio.shield(task)
        except TimeoutError:
            return None

    async def _diagnose_from_log(self, event: ExperimentEvent) -> Diagnosis | None:
        try:
            log = await self._clearml.get_last_log_lines(event.experiment_id, LOG_LINE_COUNT)
        except ChatOpsError:
            return None
        finally:
            self._semaphore.release()
        return diagnose_log([line.text for line in log], event.reason)
