"""Whether a conversation is told anything now: what its people have asked for, taken together."""

from datetime import datetime

from clearml_chatops.models.messages import IncomingMessage
from clearml_chatops.models.people import Person
from clearml_chatops.models.quiet import Hold
from clearml_chatops.services.quiet_hours import both, muted_at, quiet_at
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.quiet import QuietStore


class PrivateConversations:
    """Whose a conversation is: a person's hours of quiet count for those that are his alone."""

    def __init__(self, *, database: Database) -> None:
        self._database = database
        self._noted: dict[tuple[str, str], int] = {}

    async def note(self, message: IncomingMessage, person: Person) -> None:
        """Notes whose the conversation is, where its id does not tell; one transaction for each conversation."""
        place = (message.conversation.platform, message.conversation.id)
        if not message.in_private or self._noted.get(place) == person.id:
            return
        async with self._database.writing() as session:
            await QuietStore(session).note_private(message.conversation, person.id)
        self._noted[place] = person.id


async def hold_of(store: QuietStore, platform: str, conversation_id: str, *, now: datetime) -> Hold:
    """What holds in a conversation: that it is muted, and its person's hours of quiet where he is alone there."""
    mute = await store.mute(platform, conversation_id)
    hold = muted_at(mute, now) if mute else Hold()
    person_id = await store.person_alone_in(platform, conversation_id)
    if person_id is None:
        return hold
    return both(hold, await _hold_of_hours(store, person_id, now=now))


async def _hold_of_hours(store: QuietStore, person_id: int, *, now: datetime) -> Hold:
    found = await store.hours(person_id)
    if found is None:
        return Hold(zone=await store.time_zone(person_id))
    hours, is_on, changed = found
    # What the former hours have held back is told at once too, also after they were changed or ended.
    before = Hold(free_since=changed, zone=hours.zone)
    return both(quiet_at(hours, now), before) if is_on else before
