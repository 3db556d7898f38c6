"""Telling conversations once a day how their experiments are."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import Notice
from clearml_chatops.models.quiet import DailyDigest
from clearml_chatops.models.reports import Report
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.notifications.conversation_experiments import load_conversation_experiments
from clearml_chatops.services.notifications.local_time import find_last_occurrences
from clearml_chatops.services.notifications.reports import build_report
from clearml_chatops.services.wakeups import Wakeup
from clearml_chatops.storage.created_experiments import CreatedExperimentStore
from clearml_chatops.storage.daily_digests import DailyDigestStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.outbox import OutboxStore

_MAX_DELAY = timedelta(hours=6)
"""What was due while the bot was down for longer is left out: the next one is nearer."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DueDigest:
    """A digest that is to be told now, and what it tells."""

    digest: DailyDigest
    due_at: datetime
    report: Report


class DailyDigests:
    """The digests of all conversations. `news` rings when one is on its way."""

    def __init__(
        self, *, clearml: ClearML, database: Database, outbox_wakeup: Wakeup, clock: Callable[[], datetime]
    ) -> None:
        self._clearml = clearml
        self._database = database
        self._outbox_wakeup = outbox_wakeup
        self._clock = clock

    async def get(self, conversation: Conversation) -> DailyDigest | None:
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

    async def load_report(self, conversation: Conversation, since: datetime | None = None) -> Report:
        """How a conversation's experiments are now and were since a moment, else in the last 24 hours."""
        now = self._clock()
        since = since or now - _DAY
        experiments = await load_conversation_experiments(
            conversation, since, clearml=self._clearml, database=self._database
        )
        async with self._database.reading() as session:
            creator_names = await CreatedExperimentStore(session).find_creator_names(
                [item.id for item in experiments]
            )
        return build_report(experiments, since=since, now=now, creator_names=creator_names)

    async def list_due(self) -> list[DueDigest]:
        """What is to be told now; what was due too long ago is passed over.

        Raises:
            ClearMLError: ClearML does not answer; they stay due.
        """
        now = self._clock()
        async with self._database.reading() as session:
            digests = await DailyDigestStore(session).list_all()
        due_digests = []
        for digest in digests:
            due_at, previous_due_at = find_last_occurrences(
                digest.time_of_day, digest.zone, now, weekdays_only=digest.weekdays_only
            )
            if due_at <= digest.reported_until:
                continue
            if now - due_at > _MAX_DELAY:
                await self._mark_reported(digest, due_at)
            else:
                due_digests.append(
                    DueDigest(digest, due_at, await self.load_report(digest.conversation, previous_due_at))
                )
        return due_digests

    async def add_to_outbox(self, due_digest: DueDigest, notice: Notice | None) -> None:
        """Puts a digest into the outbox, once however often it is found due; None tells nothing that day."""
        async with self._database.writing() as session:
            if (
                await DailyDigestStore(session).mark_reported(due_digest.digest.conversation, due_digest.due_at)
                and notice
            ):
                await OutboxStore(session).add([(notice, due_digest.digest.conversation)], now=self._clock())
        self._outbox_wakeup.wake()

    async def _mark_reported(self, digest: DailyDigest, due_at: datetime) -> None:
        async with self._database.writing() as session:
            await DailyDigestStore(session).mark_reported(digest.conversation, due_at)
