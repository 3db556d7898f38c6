"""The /digest command: a daily summary of what is watched in a conversation."""

from clearml_chatops.handlers.arguments import SingleWord, WordFlag
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
_OFF_BUTTON = Button("Stop daily digest", "/digest off")


@DIGESTS.command(
    "digest",
    role=Role.VIEWER,
    examples=("/digest 09:00", "/digest 09:00 weekdays tz=Europe/Berlin", "/digest", "/digest off"),
)
async def digest(
    context: Context, at: TimeOfDayOrOff | None = None, *, tz: SingleWord = "", weekdays: WordFlag = False
) -> Reply:
    """Get a daily digest here: what ended, failed, is running or waiting, and who used how many GPU-hours.

    It covers everything that is watched in this conversation, including queues and projects. If nothing
    happened, there is no digest that day.

    Args:
        at: When to send it, like 09:00; off to stop it. Leave it out to see a digest now.
        tz: The time zone, like Europe/Berlin or berlin. Default: yours, if the bot knows it.
        weekdays: Skip Saturday and Sunday. Monday's digest covers them.
    """
    digests, conversation = context.services.daily_digests, context.message.conversation
    if at is Off.OFF:
        was_removed = await digests.remove(conversation)
        return Reply.of("The daily digest is off here." if was_removed else "There was no daily digest here.")
    if at is None:
        return await _build_digest(context)
    zone = await context.services.quiet.resolve_time_zone(tz, is_own=False)
    if not zone:
        return ask_for_time_zone(context)
    await digests.put(conversation, at, zone, weekdays_only=weekdays, person_id=context.person.id)
    saved = await digests.get(conversation)
    return Reply.of(
        Text(_format_schedule(saved), Tone.SUCCESS), Buttons((Button("Show digest", "/digest"), _OFF_BUTTON))
    )


async def _build_digest(context: Context) -> Reply:
    digests, conversation = context.services.daily_digests, context.message.conversation
    existing = await digests.get(conversation)
    report = await digests.load_report(conversation)
    zone = existing.zone if existing else await context.services.quiet.resolve_time_zone()
    button = _OFF_BUTTON if existing else Button("Send daily at 09:00", "/digest 09:00")
    return Reply.of(
        Text(format_headline(report, zone), Tone.HEADING),
        *build_report_texts(report),
        Text(_format_schedule(existing), Tone.SUBTLE),
        Buttons((*build_report_buttons(report), button)),
    )


def _format_schedule(digest: DailyDigest | None) -> str:
    if digest is None:
        return "There's no daily digest here. Set one up with /digest 09:00."
    days = "Monday to Friday" if digest.weekdays_only else "every day"
    return f"You get a digest here {days} at {digest.time_of_day:%H:%M} ({digest.zone})."
