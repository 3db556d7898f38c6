"""Loads whether a conversation's notifications are deferred, from its mute and its person's quiet hours."""

from datetime import datetime

from clearml_chatops.models.quiet import Deferral
from clearml_chatops.services.notifications.quiet_hours import (
    combine_deferrals,
    evaluate_mute,
    evaluate_quiet_hours,
)
from clearml_chatops.storage.quiet import QuietStore


async def load_deferral(store: QuietStore, platform: str, conversation_id: str, *, now: datetime) -> Deferral:
    """Return the deferral of a conversation: its mute and, in a private chat, the person's quiet hours."""
    mute = await store.get_mute(platform, conversation_id)
    deferral = evaluate_mute(mute, now) if mute else Deferral()
    person_id = await store.find_private_person_id(platform, conversation_id)
    if person_id is None:
        return deferral
    return combine_deferrals(deferral, await _load_quiet_hours_deferral(store, person_id, now=now))


async def _load_quiet_hours_deferral(store: QuietStore, person_id: int, *, now: datetime) -> Deferral:
    found = await store.get_hours(person_id)
    if found is None:
        return Deferral(zone=await store.get_time_zone(person_id))
    hours, is_on, changed = found
    # What the previous hours deferred becomes due when they are changed or turned off.
    previous = Deferral(deferred_before=changed, zone=hours.zone)
    return combine_deferrals(evaluate_quiet_hours(hours, now), previous) if is_on else previous
