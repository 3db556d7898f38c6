"""Why runs failed, asked of ClearML for so few at once that a person's command never waits for it."""

import asyncio
from datetime import timedelta

from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.models.notifications import EventKind, ExperimentEvent
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.notifications.triage import LINES_READ, Triage, triaged

_MOST_AT_ONCE = 2
"""Of the requests that the program makes at once, so that most are left to commands when a thousand runs fail."""


class FailureTriage:
    """Reads the logs of failed runs. `patience` is how long a message waits for one at most."""

    def __init__(self, clearml: ClearML, *, patience: timedelta = timedelta(seconds=10)) -> None:
        self._clearml = clearml
        self._patience = patience
        self._turns = asyncio.Semaphore(_MOST_AT_ONCE)
        self._asked: set[asyncio.Task[Triage | None]] = set()

    async def of(self, event: ExperimentEvent) -> Triage | None:
        """Why a run failed; None of another event, and where its log cannot be had in time.

        That it failed is worth more than why; the log can be asked for with /log.
        """
        if event.kind is not EventKind.FAILED:
            return None
        try:
            async with asyncio.timeout(self._patience.total_seconds()):
                await self._turns.acquire()
                # It keeps its turn until ClearML has answered, however late that is.
                asked = asyncio.create_task(self._ask(event))
                self._asked.add(asked)
                asked.add_done_callback(self._asked.discard)
                return await asyncio.shield(asked)
        except TimeoutError:
            return None

    async def _ask(self, event: ExperimentEvent) -> Triage | None:
        try:
            log = await self._clearml.last_log_lines(event.experiment_id, LINES_READ)
        except ChatOpsError:
            return None
        finally:
            self._turns.release()
        return triaged([line.text for line in log], event.reason)
