"""What happens to a worker is told where a person has wanted it."""

from collections.abc import Callable
from datetime import datetime

from clearml_chatops.models.notifications import Notice
from clearml_chatops.models.replies import Button
from clearml_chatops.models.workers import DesiredWorker
from clearml_chatops.services.wakeups import Wakeup
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.outbox import OutboxStore


class WorkerNotices:
    """`news` is rung when there is something to deliver."""

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
        offers: tuple[Button, ...] = (),
    ) -> None:
        """Tells it once for each moment `at`, which is now where none is given."""
        if not worker.conversation.platform:
            return  # wanted since before it was noted where
        now = self._clock()
        notice = Notice(
            worker.id, text, occurred_at or now, is_warning=is_warning, buttons=offers, person_id=worker.person_id
        )
        async with self._database.writing() as session:
            await OutboxStore(session).add([(notice, worker.conversation)], now=now)
        self._outbox_wakeup.wake()
