"""What happens to a worker is told where a person has wanted it."""

from collections.abc import Callable
from datetime import datetime

from clearml_chatops.models.notifications import Notice
from clearml_chatops.models.replies import Button
from clearml_chatops.models.workers import WantedWorker
from clearml_chatops.services.bells import Bell
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.outbox import OutboxStore


class WorkerNotices:
    """`news` is rung when there is something to deliver."""

    def __init__(self, *, database: Database, clock: Callable[[], datetime], news: Bell) -> None:
        self._database = database
        self._clock = clock
        self._news = news

    async def tell(
        self,
        worker: WantedWorker,
        text: str,
        *,
        at: datetime | None = None,
        is_trouble: bool = False,
        offers: tuple[Button, ...] = (),
    ) -> None:
        """Tells it once for each moment `at`, which is now where none is given."""
        if not worker.conversation.platform:
            return  # wanted since before it was noted where
        now = self._clock()
        notice = Notice(
            worker.id, text, at or now, is_trouble=is_trouble, offers=offers, person_id=worker.person_id
        )
        async with self._database.writing() as session:
            await OutboxStore(session).add([(notice, worker.conversation)], now=now)
        self._news.ring()
