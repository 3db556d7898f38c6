"""A person's wishes of when to be told nothing."""

from collections.abc import Callable
from datetime import datetime, time, timedelta

from clearml_chatops.models.errors import UnknownTimeZoneError
from clearml_chatops.models.messages import IncomingMessage
from clearml_chatops.models.people import Person
from clearml_chatops.models.quiet import Mute, QuietHours
from clearml_chatops.services.notifications.local_time import find_next_occurrence
from clearml_chatops.services.notifications.time_zones import parse_time_zone
from clearml_chatops.services.wakeups import Wakeup
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.quiet import QuietStore


class QuietService:
    """What one person may say of it in one conversation. `news` rings when something held back may be told."""

    def __init__(
        self,
        *,
        database: Database,
        person: Person,
        message: IncomingMessage,
        outbox_wakeup: Wakeup,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._person = person
        self._message = message
        self._outbox_wakeup = outbox_wakeup
        self._clock = clock

    async def resolve_time_zone(self, given: str = "", *, is_own: bool = True) -> str:
        """By which clocks the person lives: the zone given, which is kept, else the one known of him.

        Where none is known his platform is asked; empty where that does not tell either. A zone that is given
        but need not be his own is kept only where none is known.

        Raises:
            UnknownTimeZoneError: the one given is none.
        """
        zone = parse_time_zone(given) if given else ""
        if zone and is_own:
            return await self._save_time_zone(zone)
        async with self._database.reading() as session:
            known = await QuietStore(session).get_time_zone(self._person.id)
        if known:
            return zone or known
        try:
            return await self._save_time_zone(
                zone or parse_time_zone(await self._message.fetch_sender_time_zone())
            )
        except UnknownTimeZoneError:
            return ""

    async def mute(self, duration_or_time: timedelta | time, zone: str = "") -> Mute:
        """Has nothing told in this conversation for so long, or until clocks in the zone next show a time."""
        now = self._clock()
        until = (
            find_next_occurrence(duration_or_time, zone, now)
            if isinstance(duration_or_time, time)
            else now + duration_or_time
        )
        await self._put_mute(until)
        return Mute(until, self._person.name)

    async def unmute(self) -> bool:
        """Has things told here again, first what was held back; whether it was muted."""
        was_muted = await self.get_mute() is not None
        if was_muted:
            await self._put_mute(self._clock())
            self._outbox_wakeup.wake()
        return was_muted

    async def get_mute(self) -> Mute | None:
        """Until when nothing is told here; None where it is not muted now."""
        conversation = self._message.conversation
        async with self._database.reading() as session:
            mute = await QuietStore(session).get_mute(conversation.platform, conversation.id)
        return mute if mute and mute.until > self._clock() else None

    async def get_quiet_hours(self) -> QuietHours | None:
        """The person's hours of quiet, if he has some."""
        async with self._database.reading() as session:
            found = await QuietStore(session).get_hours(self._person.id)
        return found[0] if found and found[1] else None

    async def set_quiet_hours(self, hours: QuietHours) -> None:
        """Has the person told nothing in his private conversations during these hours of each day."""
        async with self._database.writing() as session:
            await QuietStore(session).put_hours(self._person.id, hours, now=self._clock())
        self._outbox_wakeup.wake()

    async def disable_quiet_hours(self) -> bool:
        """Has the person told everything when it happens; whether he had hours of quiet."""
        async with self._database.writing() as session:
            had_quiet_hours = await QuietStore(session).disable_hours(self._person.id, now=self._clock())
        self._outbox_wakeup.wake()
        return had_quiet_hours

    async def _put_mute(self, until: datetime) -> None:
        async with self._database.writing() as session:
            await QuietStore(session).put_mute(self._message.conversation, until, self._person.id)

    async def _save_time_zone(self, zone: str) -> str:
        async with self._database.writing() as session:
            await QuietStore(session).put_time_zone(self._person.id, zone)
        return zone
