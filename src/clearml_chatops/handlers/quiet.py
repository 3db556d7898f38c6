"""The /mute and /quiet commands: pause notifications for a while, or at certain hours every day."""

import math
from datetime import time, timedelta

from clearml_chatops.handlers.arguments import SingleWord
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.formatting import format_duration
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.handlers.time_arguments import HourRangeOrOff, MuteDurationOrOff, Off, SendNow
from clearml_chatops.models.people import Role
from clearml_chatops.models.quiet import Mute, QuietHours
from clearml_chatops.models.replies import Button, Buttons, Reply, Text, Tone
from clearml_chatops.services.notifications.local_time import find_next_occurrence, format_local_time, is_tomorrow
from clearml_chatops.services.notifications.quiet_hours import evaluate_quiet_hours
from clearml_chatops.services.notifications.time_zones import EXAMPLES

QUIET = CommandFamily("Quiet")
_MORNING = time(8)


@QUIET.command("mute", role=Role.VIEWER, examples=("/mute 2h", "/mute 08:00", "/mute off"))
async def mute(context: Context, length: MuteDurationOrOff | None = None, *, tz: SingleWord = "") -> Reply:
    """Pause notifications here. You get one summary when the pause ends.

    Commands still work. In a channel, the pause applies to everyone.

    Args:
        length: How long, like 30m, 2h or 1d; or until when, like 08:00; off to end the pause. Leave it out to
            see whether notifications are paused.
        tz: The time zone of a time like 08:00, for example Europe/Berlin.
    """
    service = context.services.quiet
    if length is Off.OFF:
        was_muted = await service.unmute()
        return Reply.of("Notifications are on here again." if was_muted else "Notifications weren't muted here.")
    zone = await service.resolve_time_zone(tz)
    if length is None:
        current_mute = await service.get_mute()
        return (
            _build_mute_reply(context, current_mute, zone) if current_mute else _build_mute_question(context, zone)
        )
    if isinstance(length, time) and not zone:
        return ask_for_time_zone(context)
    return _build_mute_reply(context, await service.mute(length, zone), zone)


@QUIET.command(
    "quiet",
    role=Role.VIEWER,
    examples=("/quiet 23:00-08:00", "/quiet 23:00-08:00 tz=berlin failures=now", "/quiet off"),
)
async def quiet(
    context: Context, hours: HourRangeOrOff | None = None, *, tz: SingleWord = "", failures: SendNow | None = None
) -> Reply:
    """Pause notifications at night. You get one summary when your quiet hours end.

    They apply every day, to your private chats with the bot on all platforms. Commands still work.

    Args:
        hours: From when to when, like 23:00-08:00; off for none. Leave it out to see your quiet hours.
        tz: The time zone, like Europe/Berlin or berlin. Default: yours, if the bot knows it.
        failures: now to get failures right away; later to get them in the summary.
    """
    service = context.services.quiet
    if hours is Off.OFF:
        had_hours = await service.disable_quiet_hours()
        return Reply.of("Your quiet hours are off." if had_hours else "You had no quiet hours.")
    previous = await service.get_quiet_hours()
    interval = hours or (previous.time_range if previous else None)
    if interval is None or (hours is None and not tz and failures is None):
        return _build_hours_reply(context, previous)
    zone = await service.resolve_time_zone(tz)
    if not zone:
        return ask_for_time_zone(context)
    failures_now = failures if failures is not None else previous is not None and previous.allow_failures
    new_hours = QuietHours(*interval, zone, failures_now)
    await service.set_quiet_hours(new_hours)
    return _build_hours_reply(context, new_hours)


def ask_for_time_zone(context: Context) -> Reply:
    """Return a question for the time zone. The buttons send the same command line with a zone added."""
    line = context.message.text.strip()
    return Reply.with_choice(
        "Which time zone? Tap one, or send the command again with yours at the end, like tz=tokyo.",
        *(Button(zone, f"{line} tz={zone}") for zone in EXAMPLES),
    )


def _build_mute_reply(context: Context, current_mute: Mute, zone: str) -> Reply:
    now = context.clock()
    # Rounded up, so that a mute of 2 h reads as 2 h.
    remaining = timedelta(minutes=math.ceil((current_mute.until - now) / timedelta(minutes=1)))
    until = (
        f"until {format_local_time(current_mute.until, zone, now=now)} ({zone})"
        if zone
        else f"for {format_duration(remaining)}"
    )
    muted_by = f" by {current_mute.person_name}" if current_mute.person_name != context.person.name else ""
    return Reply.of(
        Text(f"Muted here {until}{muted_by}. You get one summary afterwards."),
        Buttons((Button("Unmute", "/mute off"),)),
    )


def _build_mute_question(context: Context, zone: str) -> Reply:
    now = context.clock()
    tomorrow = "tomorrow " if zone and is_tomorrow(find_next_occurrence(_MORNING, zone, now), zone, now) else ""
    return Reply.of(
        "Notifications are on here. How long do you want to mute them?",
        Buttons(
            (
                Button("1 h", "/mute 1h"),
                Button("4 h", "/mute 4h"),
                Button(f"Until {tomorrow}08:00", "/mute 08:00"),
            )
        ),
    )


def _build_hours_reply(context: Context, hours: QuietHours | None) -> Reply:
    if hours is None:
        return Reply.of(
            "You have no quiet hours. Notifications arrive right away.",
            Text("With /quiet 23:00-08:00 they wait until the morning and come in one summary.", Tone.SUBTLE),
            Buttons(
                (
                    Button("23:00-08:00", "/quiet 23:00-08:00"),
                    Button("Except failures", "/quiet 23:00-08:00 failures=now"),
                )
            ),
        )
    line = f"/quiet {hours.start_time:%H:%M}-{hours.end_time:%H:%M} tz={hours.zone}"
    summary = (
        "Failures arrive right away. You get one summary of the rest afterwards."
        if hours.allow_failures
        else "You get one summary afterwards."
    )
    toggle_button = (
        Button("Get failures later", f"{line} failures=later")
        if hours.allow_failures
        else Button("Get failures right away", f"{line} failures=now")
    )
    now = context.clock()
    until = evaluate_quiet_hours(hours, now).until
    return Reply.of(
        Text(
            f"Your private chats with the bot are quiet from {hours.start_time:%H:%M} to {hours.end_time:%H:%M} "
            f"({hours.zone}). {summary}",
            Tone.SUCCESS,
        ),
        Text(f"It's quiet now, until {format_local_time(until, hours.zone, now=now)}.", Tone.SUBTLE)
        if until
        else None,
        Buttons((toggle_button, Button("Turn off quiet hours", "/quiet off"))),
    )
