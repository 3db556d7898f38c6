"""Notices about a worker, sent to the conversation where it was started."""

from collections.abc import Callable
from datetime import datetime

from clearml_chatops.models.notifications import Notice
from clearml_chatops.models.replies import Button
from clearml_chatops.models.workers import DesiredWorker
from clearml_chatops.services.wakeups import Wakeup
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.outbox import OutboxStore


class WorkerNotices:
    """The notices about workers. Each goes into the outbox and wakes `outbox_wakeup`."""

    def __init__(self, *, database: Database, clock: Callable[[], datetime], outbox_wakeup: Wakeup) -> None:
        self._database = database
        self._clock = clock
        self._outbox_wakeup = outbox_wakeup

    async def send(
        self,
        worker: DesiredWorker,
        text: str,
        *,
        occurred_at: datetime | None = None,
        is_warning: bool = False,
        buttons: tuple[Button, ...] = (),
    ) -> None:
        """Send a notice; one with the same `occurred_at` (default: now) is sent only once."""
        if not worker.conversation.platform:
            return  # started before the conversation was stored
        now = self._clock()
        notice = Notice(
            worker.id, text, occurred_at or now, is_warning=is_warning, buttons=buttons, person_id=worker.person_id
        )
        async with self._database.writing() as session:
            await OutboxStore(session).add([(notice, worker.conversation)], now=now)
        self._outbox_wakeup.wake()
