"""Telling conversations once a day how their experiments are."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import Notice
from clearml_chatops.models.quiet import DailyDigest
from clearml_chatops.models.reports import Report
from clearml_chatops.services.bells import Bell
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.notifications.conversation_experiments import experiments_of
from clearml_chatops.services.notifications.local_time import last_moments
from clearml_chatops.services.notifications.reporting import report_of
from clearml_chatops.storage.created_experiments import CreatedExperimentStore
from clearml_chatops.storage.daily_digests import DailyDigestStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.outbox import OutboxStore

_TOO_LATE = timedelta(hours=6)
"""What was due while the bot was down for longer is left out: the next one is nearer."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DueDigest:
    """A digest that is to be told now, and what it tells."""

    digest: DailyDigest
    moment: datetime
    report: Report


class DailyDigests:
    """The digests of all conversations. `news` rings when one is on its way."""

    def __init__(self, *, clearml: ClearML, database: Database, news: Bell, clock: Callable[[], datetime]) -> None:
        self._clearml = clearml
        self._database = database
        self._news = news
        self._clock = clock

    async def of(self, conversation: Conversation) -> DailyDigest | None:
        """When a conversation is told; None where it is not."""
        async with self._database.reading() as session:
            return await DailyDigestStore(session).get(conversation)

    async def put(
        self, conversation: Conversation, at: time, zone: str, *, weekdays_only: bool, person_id: int
    ) -> None:
        """Has a conversation told each day at this time, from the next time on."""
        digest = DailyDigest(conversation, at, zone, weekdays_only, self._clock(), person_id)
        async with self._database.writing() as session:
            await DailyDigestStore(session).put(digest)

    async def remove(self, conversation: Conversation) -> bool:
        """Has a conversation told no more; whether it was."""
        async with self._database.writing() as session:
            return await DailyDigestStore(session).remove(conversation)

    async def report(self, conversation: Conversation, since: datetime | None = None) -> Report:
        """How a conversation's experiments are now and were since a moment, else in the last 24 hours."""
        now = self._clock()
        since = since or now - _DAY
        experiments = await experiments_of(conversation, since, clearml=self._clearml, database=self._database)
        async with self._database.reading() as session:
            makers = await CreatedExperimentStore(session).makers([item.id for item in experiments])
        return report_of(experiments, since=since, now=now, makers=makers)

    async def due(self) -> list[DueDigest]:
        """What is to be told now; what was due too long ago is passed over.

        Raises:
            ClearMLError: ClearML does not answer; they stay due.
        """
        now = self._clock()
        async with self._database.reading() as session:
            digests = await DailyDigestStore(session).list()
        found = []
        for digest in digests:
            moment, before = last_moments(digest.at, digest.zone, now, weekdays_only=digest.weekdays_only)
            if moment <= digest.told_until:
                continue
            if now - moment > _TOO_LATE:
                await self._note_told(digest, moment)
            else:
                found.append(DueDigest(digest, moment, await self.report(digest.conversation, before)))
        return found

    async def tell(self, due: DueDigest, notice: Notice | None) -> None:
        """Puts a digest into the outbox, once however often it is found due; None tells nothing that day."""
        async with self._database.writing() as session:
            if await DailyDigestStore(session).note_told(due.digest.conversation, due.moment) and notice:
                await OutboxStore(session).add([(notice, due.digest.conversation)], now=self._clock())
        self._news.ring()

    async def _note_told(self, digest: DailyDigest, moment: datetime) -> None:
        async with self._database.writing() as session:
            await DailyDigestStore(session).note_told(digest.conversation, moment)
