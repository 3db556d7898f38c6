"""When a person gets no notifications: mutes and quiet hours."""

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
    """One person's settings in one conversation. `outbox_wakeup` wakes delivery when notifications become due."""

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
        """Return the person's time zone: the given one, the stored one, or the one their platform reports.

        Returns an empty string if none is known. A given zone is stored, but one that may not be the
        person's own (`is_own` is False) only if none is stored yet.

        Raises:
            UnknownTimeZoneError: the given zone does not exist.
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
        """Defer notifications in this conversation for a duration, or until the zone's clocks next show a time."""
        now = self._clock()
        until = (
            find_next_occurrence(duration_or_time, zone, now)
            if isinstance(duration_or_time, time)
            else now + duration_or_time
        )
        await self._put_mute(until)
        return Mute(until, self._person.name)

    async def unmute(self) -> bool:
        """End the mute of this conversation and send what was deferred; return whether it was muted."""
        if was_muted := await self.get_mute() is not None:
            await self._put_mute(self._clock())
            self._outbox_wakeup.wake()
        return was_muted

    async def get_mute(self) -> Mute | None:
        """Return the mute of this conversation, None if it is not muted now."""
        conversation = self._message.conversation
        async with self._database.reading() as session:
            mute = await QuietStore(session).get_mute(conversation.platform, conversation.id)
        return mute if mute and mute.until > self._clock() else None

    async def get_quiet_hours(self) -> QuietHours | None:
        """Return the person's quiet hours, None if they are off."""
        async with self._database.reading() as session:
            found = await QuietStore(session).get_hours(self._person.id)
        return found[0] if found and found[1] else None

    async def set_quiet_hours(self, hours: QuietHours) -> None:
        """Defer notifications in the person's private chats during these hours of each day."""
        async with self._database.writing() as session:
            await QuietStore(session).put_hours(self._person.id, hours, now=self._clock())
        self._outbox_wakeup.wake()

    async def disable_quiet_hours(self) -> bool:
        """Turn the person's quiet hours off; return whether they were on."""
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
