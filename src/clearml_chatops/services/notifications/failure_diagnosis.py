"""Diagnoses failed runs from their logs, few at a time to leave requests for commands."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.models.notifications import EventKind, ExperimentEvent
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.notifications.diagnosis import LOG_LINE_COUNT, Diagnosis, diagnose_log
from clearml_chatops.services.notifications.experiment_remedies import add_remedy

logger = logging.getLogger(__name__)

_MAX_CONCURRENT = 2
"""Concurrent log requests; keeps most of the request limit free for commands when a thousand runs fail."""


class FailureDiagnosisService:
    """Reads the logs of failed runs, and the experiments where these can tell more.

    `count_gpus` returns how many GPUs a worker has, None if unknown; left out, it's always unknown. `timeout` is
    how long a message waits for its diagnosis at most.
    """

    def __init__(
        self,
        clearml: ClearML,
        *,
        count_gpus: Callable[[str], Awaitable[int | None]] | None = None,
        timeout: timedelta = timedelta(seconds=10),
    ) -> None:
        self._clearml = clearml
        self._count_gpus = count_gpus
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
            # In a thread, because a log of long lines takes a tenth of a second, and many runs can fail at once.
            diagnosis = await asyncio.to_thread(diagnose_log, [line.text for line in log], event.reason)
            return await self._add_remedy(diagnosis, event.experiment_id) if diagnosis.remedy else diagnosis
        except ChatOpsError:
            return None
        except Exception:
            # Raised again at each attempt, it would hold back all notifications of the conversation.
            extra = {"action": "diagnosis_failed", "experiment": event.experiment_id}
            logger.exception("Can't diagnose a failed run", extra=extra)
            return None
        finally:
            self._semaphore.release()

    async def _add_remedy(self, diagnosis: Diagnosis, experiment_id: str) -> Diagnosis:
        """Return the diagnosis with what the experiment tells. Takes one request; unchanged if that fails."""
        try:
            experiment = (await self._clearml.get_experiments([experiment_id])).get(experiment_id)
        except ChatOpsError:
            return diagnosis
        if experiment is None:
            return diagnosis
        gpu_count = await self._count_gpus(experiment.worker_id) if self._count_gpus else None
        return add_remedy(diagnosis, experiment, gpu_count)
