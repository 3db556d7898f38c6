"""Being told nothing for a while, or at certain hours."""

import math
from datetime import time, timedelta

from clearml_chatops.handlers.arguments import PlainWord
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.handlers.times import HoursOfADay, HowLongMuted, Off, ToldNow
from clearml_chatops.handlers.wording import span
from clearml_chatops.models.people import Role
from clearml_chatops.models.quiet import Mute, QuietHours
from clearml_chatops.models.replies import Button, Buttons, Reply, Text, Tone
from clearml_chatops.services.notifications.local_time import is_tomorrow, next_moment, shown_time
from clearml_chatops.services.notifications.quiet_hours import quiet_at
from clearml_chatops.services.notifications.time_zones import EXAMPLES

QUIET = CommandFamily("Quiet")
_MORNING = time(8)


@QUIET.command("mute", role=Role.VIEWER, examples=("/mute 2h", "/mute 08:00", "/mute off"))
async def mute(context: Context, length: HowLongMuted | None = None, *, tz: PlainWord = "") -> Reply:
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
    zone = await service.time_zone(tz)
    if length is None:
        muted = await service.muted()
        return _muted_reply(context, muted, zone) if muted else _how_long_reply(context, zone)
    if isinstance(length, time) and not zone:
        return asked_for_time_zone(context)
    return _muted_reply(context, await service.mute(length, zone), zone)


@QUIET.command(
    "quiet",
    role=Role.VIEWER,
    examples=("/quiet 23:00-08:00", "/quiet 23:00-08:00 tz=berlin failures=now", "/quiet off"),
)
async def quiet(
    context: Context, hours: HoursOfADay | None = None, *, tz: PlainWord = "", failures: ToldNow | None = None
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
        had_some = await service.end_hours()
        return Reply.of("You have no quiet hours any more." if had_some else "You had no quiet hours.")
    former = await service.hours()
    from_to = hours or (former.span if former else None)
    if from_to is None or (hours is None and not tz and failures is None):
        return _hours_reply(context, former)
    zone = await service.time_zone(tz)
    if not zone:
        return asked_for_time_zone(context)
    failures_now = failures if failures is not None else former is not None and former.failures_now
    wanted = QuietHours(*from_to, zone, failures_now)
    await service.set_hours(wanted)
    return _hours_reply(context, wanted)


def asked_for_time_zone(context: Context) -> Reply:
    """The same line again with a time zone: it is not guessed."""
    line = context.message.text.strip()
    return Reply.asking(
        "In which time zone? Press one, or send the line again with yours at its end, like tz=tokyo.",
        *(Button(zone, f"{line} tz={zone}") for zone in EXAMPLES),
    )


def _muted_reply(context: Context, muted: Mute, zone: str) -> Reply:
    now = context.clock()
    # A minute that has begun counts whole: who mutes for 2 h wants to read 2 h.
    left = timedelta(minutes=math.ceil((muted.until - now) / timedelta(minutes=1)))
    until = f"until {shown_time(muted.until, zone, now=now)} ({zone})" if zone else f"for {span(left)}"
    by = f", as {muted.by_name} wanted" if muted.by_name != context.person.name else ""
    return Reply.of(
        Text(f"Nothing is told here {until}{by}. What happens meanwhile is told in one message then."),
        Buttons((Button("Unmute", "/mute off"),)),
    )


def _how_long_reply(context: Context, zone: str) -> Reply:
    now = context.clock()
    tomorrow = "tomorrow " if zone and is_tomorrow(next_moment(_MORNING, zone, now), zone, now) else ""
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


def _hours_reply(context: Context, hours: QuietHours | None) -> Reply:
    if hours is None:
        return Reply.of(
            "You have no quiet hours: you are told everything when it happens.",
            Text(
                "/quiet 23:00-08:00 has you told nothing in these hours, and all in one message after.", Tone.QUIET
            ),
            Buttons(
                (
                    Button("23:00-08:00", "/quiet 23:00-08:00"),
                    Button("The same, but failures at once", "/quiet 23:00-08:00 failures=now"),
                )
            ),
        )
    line = f"/quiet {hours.begins:%H:%M}-{hours.ends:%H:%M} tz={hours.zone}"
    but, rest = (" but failures", "the rest") if hours.failures_now else ("", "all of it")
    other = (
        Button("Failures later too", f"{line} failures=later")
        if hours.failures_now
        else Button("But failures at once", f"{line} failures=now")
    )
    now = context.clock()
    until = quiet_at(hours, now).until
    return Reply.of(
        Text(
            f"You are told nothing{but} from {hours.begins:%H:%M} to {hours.ends:%H:%M} ({hours.zone}) in your "
            f"private conversations with me, and {rest} in one message after.",
            Tone.SUCCESS,
        ),
        Text(f"It is quiet now, until {shown_time(until, hours.zone, now=now)}.", Tone.QUIET) if until else None,
        Buttons((other, Button("No quiet hours", "/quiet off"))),
    )
