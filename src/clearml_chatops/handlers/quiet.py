"""Being told nothing for a while, or at certain hours."""

import math
from datetime import time, timedelta

from clearml_chatops.handlers.arguments import PlainWord
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
async def mute(context: Context, length: MuteDurationOrOff | None = None, *, tz: PlainWord = "") -> Reply:
    """Be told nothing here for a while; what happens meanwhile is told in one message then.

    Commands are answered all the same. In a channel it counts for the whole channel.

    Args:
        length: How long, as 30m, 2h or 1d; until when, as 08:00; off to be told again; nothing to see.
        tz: The time zone of a time like 08:00, as Europe/Berlin.
    """
    service = context.services.quiet
    if length is Off.OFF:
        was_muted = await service.unmute()
        return Reply.of("You are told things here again." if was_muted else "It is not muted here.")
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
    context: Context, hours: HourRangeOrOff | None = None, *, tz: PlainWord = "", failures: SendNow | None = None
) -> Reply:
    """Be told nothing at night: what happens then is told in one message when the quiet hours end.

    This counts for your private conversations with the bot on every platform, each day. Commands are
    answered all the same.

    Args:
        hours: From when to when, as 23:00-08:00; off for none; nothing to see them.
        tz: By the clocks of which time zone, as Europe/Berlin or berlin; nothing for the one known of you.
        failures: Write now to be told of failures at once also then; later to be told with all else.
    """
    service = context.services.quiet
    if hours is Off.OFF:
        had_hours = await service.disable_quiet_hours()
        return Reply.of("You have no quiet hours any more." if had_hours else "You had no quiet hours.")
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
    """The same line again with a time zone: it is not guessed."""
    line = context.message.text.strip()
    return Reply.with_choice(
        "In which time zone? Press one, or send the line again with yours at its end, like tz=tokyo.",
        *(Button(zone, f"{line} tz={zone}") for zone in EXAMPLES),
    )


def _build_mute_reply(context: Context, current_mute: Mute, zone: str) -> Reply:
    now = context.clock()
    # A minute that has begun counts whole: who mutes for 2 h wants to read 2 h.
    remaining = timedelta(minutes=math.ceil((current_mute.until - now) / timedelta(minutes=1)))
    until = (
        f"until {format_local_time(current_mute.until, zone, now=now)} ({zone})"
        if zone
        else f"for {format_duration(remaining)}"
    )
    muted_by = f", as {current_mute.person_name} wanted" if current_mute.person_name != context.person.name else ""
    return Reply.of(
        Text(f"Nothing is told here {until}{muted_by}. What happens meanwhile is told in one message then."),
        Buttons((Button("Unmute", "/mute off"),)),
    )


def _build_mute_question(context: Context, zone: str) -> Reply:
    now = context.clock()
    tomorrow = "tomorrow " if zone and is_tomorrow(find_next_occurrence(_MORNING, zone, now), zone, now) else ""
    return Reply.of(
        "It is not muted here. For how long shall nothing be told?",
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
            "You have no quiet hours: you are told everything when it happens.",
            Text(
                "/quiet 23:00-08:00 has you told nothing in these hours, and all in one message after.",
                Tone.SUBTLE,
            ),
            Buttons(
                (
                    Button("23:00-08:00", "/quiet 23:00-08:00"),
                    Button("The same, but failures at once", "/quiet 23:00-08:00 failures=now"),
                )
            ),
        )
    line = f"/quiet {hours.start_time:%H:%M}-{hours.end_time:%H:%M} tz={hours.zone}"
    except_failures, rest = (" but failures", "the rest") if hours.allow_failures else ("", "all of it")
    toggle_button = (
        Button("Failures later too", f"{line} failures=later")
        if hours.allow_failures
        else Button("But failures at once", f"{line} failures=now")
    )
    now = context.clock()
    until = evaluate_quiet_hours(hours, now).until
    return Reply.of(
        Text(
            f"You are told nothing{except_failures} from {hours.start_time:%H:%M} to {hours.end_time:%H:%M} ({hours.zone}) in your "
            f"private conversations with me, and {rest} in one message after.",
            Tone.SUCCESS,
        ),
        Text(f"It is quiet now, until {format_local_time(until, hours.zone, now=now)}.", Tone.SUBTLE)
        if until
        else None,
        Buttons((toggle_button, Button("No quiet hours", "/quiet off"))),
    )
