"""Being told once a day how one's experiments are."""

from clearml_chatops.handlers.arguments import PlainWord, WordFlag
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.daily_digest_messages import headline, report_buttons, report_texts
from clearml_chatops.handlers.quiet import asked_for_time_zone
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.handlers.times import Off, TimeOfADay
from clearml_chatops.models.people import Role
from clearml_chatops.models.quiet import DailyDigest
from clearml_chatops.models.replies import Button, Buttons, Reply, Text, Tone

DIGESTS = CommandFamily("Digests")
_OFF = Button("No daily digest", "/digest off")


@DIGESTS.command(
    "digest",
    role=Role.VIEWER,
    examples=("/digest 09:00", "/digest 09:00 weekdays tz=Europe/Berlin", "/digest", "/digest off"),
)
async def digest(
    context: Context, at: TimeOfADay | None = None, *, tz: PlainWord = "", weekdays: WordFlag = False
) -> Reply:
    """Be told here once a day what has ended, failed, runs and waits, and who used how many GPU-hours.

    It is about all that is watched in this conversation, its queues and projects too. On a day with nothing
    to tell nothing is told.

    Args:
        at: When, as 09:00; off for never again; nothing for a digest right now.
        tz: By the clocks of which time zone, as Europe/Berlin or berlin; nothing for the one known of you.
        weekdays: Not on Saturday and Sunday; Monday's tells of them.
    """
    digests, here = context.services.daily_digests, context.message.conversation
    if at is Off.OFF:
        was_told = await digests.remove(here)
        return Reply.of(
            "There is no daily digest here any more." if was_told else "There was no daily digest here."
        )
    if at is None:
        return await _digest_now(context)
    zone = await context.services.quiet.time_zone(tz, is_own=False)
    if not zone:
        return asked_for_time_zone(context)
    await digests.put(here, at, zone, weekdays_only=weekdays, person_id=context.person.id)
    set_now = await digests.of(here)
    return Reply.of(Text(_when(set_now), Tone.SUCCESS), Buttons((Button("Digest now", "/digest"), _OFF)))


async def _digest_now(context: Context) -> Reply:
    digests, here = context.services.daily_digests, context.message.conversation
    known = await digests.of(here)
    report = await digests.report(here)
    zone = known.zone if known else await context.services.quiet.time_zone()
    offered = _OFF if known else Button("Each day at 09:00", "/digest 09:00")
    return Reply.of(
        Text(headline(report, zone), Tone.HEADING),
        *report_texts(report),
        Text(_when(known), Tone.QUIET),
        Buttons((*report_buttons(report), offered)),
    )


def _when(digest: DailyDigest | None) -> str:
    if digest is None:
        return "There is no daily digest here; /digest 09:00 makes one."
    days = "Monday to Friday" if digest.weekdays_only else "each day"
    return f"A digest of what is watched here is told {days} at {digest.at:%H:%M} ({digest.zone})."
