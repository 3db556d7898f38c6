"""Being told once a day how one's experiments are."""

from clearml_chatops.handlers.arguments import PlainWord, WordFlag
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.daily_digest_messages import (
    build_report_buttons,
    build_report_texts,
    format_headline,
)
from clearml_chatops.handlers.quiet import ask_for_time_zone
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.handlers.time_arguments import Off, TimeOfDayOrOff
from clearml_chatops.models.people import Role
from clearml_chatops.models.quiet import DailyDigest
from clearml_chatops.models.replies import Button, Buttons, Reply, Text, Tone

DIGESTS = CommandFamily("Digests")
_OFF_BUTTON = Button("No daily digest", "/digest off")


@DIGESTS.command(
    "digest",
    role=Role.VIEWER,
    examples=("/digest 09:00", "/digest 09:00 weekdays tz=Europe/Berlin", "/digest", "/digest off"),
)
async def digest(
    context: Context, at: TimeOfDayOrOff | None = None, *, tz: PlainWord = "", weekdays: WordFlag = False
) -> Reply:
    """Be told here once a day what has ended, failed, runs and waits, and who used how many GPU-hours.

    It is about all that is watched in this conversation, its queues and projects too. On a day with nothing
    to tell nothing is told.

    Args:
        at: When, as 09:00; off for never again; nothing for a digest right now.
        tz: By the clocks of which time zone, as Europe/Berlin or berlin; nothing for the one known of you.
        weekdays: Not on Saturday and Sunday; Monday's tells of them.
    """
    digests, conversation = context.services.daily_digests, context.message.conversation
    if at is Off.OFF:
        was_removed = await digests.remove(conversation)
        return Reply.of(
            "There is no daily digest here any more." if was_removed else "There was no daily digest here."
        )
    if at is None:
        return await _build_digest(context)
    zone = await context.services.quiet.resolve_time_zone(tz, is_own=False)
    if not zone:
        return ask_for_time_zone(context)
    await digests.put(conversation, at, zone, weekdays_only=weekdays, person_id=context.person.id)
    saved = await digests.get(conversation)
    return Reply.of(
        Text(_format_schedule(saved), Tone.SUCCESS), Buttons((Button("Digest now", "/digest"), _OFF_BUTTON))
    )


async def _build_digest(context: Context) -> Reply:
    digests, conversation = context.services.daily_digests, context.message.conversation
    existing = await digests.get(conversation)
    report = await digests.load_report(conversation)
    zone = existing.zone if existing else await context.services.quiet.resolve_time_zone()
    button = _OFF_BUTTON if existing else Button("Each day at 09:00", "/digest 09:00")
    return Reply.of(
        Text(format_headline(report, zone), Tone.HEADING),
        *build_report_texts(report),
        Text(_format_schedule(existing), Tone.SUBTLE),
        Buttons((*build_report_buttons(report), button)),
    )


def _format_schedule(digest: DailyDigest | None) -> str:
    if digest is None:
        return "There is no daily digest here; /digest 09:00 makes one."
    days = "Monday to Friday" if digest.weekdays_only else "each day"
    return f"A digest of what is watched here is told {days} at {digest.time_of_day:%H:%M} ({digest.zone})."
