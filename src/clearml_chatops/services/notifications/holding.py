"""Whether a conversation is told anything now: what its people have asked for, taken together."""

from datetime import datetime

from clearml_chatops.models.quiet import Hold
from clearml_chatops.services.notifications.quiet_hours import both, muted_at, quiet_at
from clearml_chatops.storage.quiet import QuietStore


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
