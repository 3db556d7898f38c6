"""Why runs failed, asked of ClearML for so few at once that a person's command never waits for it."""

import asyncio
from datetime import timedelta

from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.models.notifications import EventKind, ExperimentEvent
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.notifications.diagnosis import LOG_LINE_COUNT, Diagnosis, diagnose_log

_MAX_CONCURRENT = 2
"""Of the requests that the program makes at once, so that most are left to commands when a thousand runs fail."""


class FailureDiagnosisService:
    """Reads the logs of failed runs. `patience` is how long a message waits for one at most."""

    def __init__(self, clearml: ClearML, *, timeout: timedelta = timedelta(seconds=10)) -> None:
        self._clearml = clearml
        self._timeout = timeout
        self._semaphore = asyncio.Semaphore(_MAX_CONCURRENT)
        self._tasks: set[asyncio.Task[Diagnosis | None]] = set()

    async def diagnose(self, event: ExperimentEvent) -> Diagnosis | None:
        """Why a run failed; None of another event, and where its log cannot be had in time.

        That it failed is worth more than why; the log can be asked for with /log.
        """
        if event.kind is not EventKind.FAILED:
            return None
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                await self._semaphore.acquire()
                # It keeps its turn until ClearML has answered, however late that is.
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
