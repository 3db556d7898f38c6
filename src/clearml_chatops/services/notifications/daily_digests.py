"""Daily digests: once a day, a conversation gets a report on its experiments."""

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
"""A digest missed for longer than this, because the bot was down, is skipped: the next one comes sooner."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DueDigest:
    """A digest to send now, with its report."""

    digest: DailyDigest
    due_at: datetime
    report: Report


class DailyDigests:
    """The digests of all conversations. `outbox_wakeup` wakes delivery when a digest is queued."""

    def __init__(
        self, *, clearml: ClearML, database: Database, outbox_wakeup: Wakeup, clock: Callable[[], datetime]
    ) -> None:
        self._clearml = clearml
        self._database = database
        self._outbox_wakeup = outbox_wakeup
        self._clock = clock

    async def get(self, conversation: Conversation) -> DailyDigest | None:
        """Return the digest settings of a conversation, None if it has no digest."""
        async with self._database.reading() as session:
            return await DailyDigestStore(session).get(conversation)

    async def put(
        self, conversation: Conversation, at: time, zone: str, *, weekdays_only: bool, person_id: int
    ) -> None:
        """Send a conversation a digest each day at this time, starting with the next occurrence."""
        digest = DailyDigest(conversation, at, zone, weekdays_only, self._clock(), person_id)
        async with self._database.writing() as session:
            await DailyDigestStore(session).put(digest)

    async def remove(self, conversation: Conversation) -> bool:
        """Stop the digest of a conversation; return whether it had one."""
        async with self._database.writing() as session:
            return await DailyDigestStore(session).remove(conversation)

    async def load_report(self, conversation: Conversation, since: datetime | None = None) -> Report:
        """Return a report on a conversation's experiments since a time, by default the last 24 hours."""
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
        """Return the digests to send now; skip those that were due too long ago.

        Raises:
            ClearMLError: ClearML does not answer; the digests stay due.
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
        """Queue a digest, once even if it is found due again. Without a notice, nothing is sent that day."""
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
