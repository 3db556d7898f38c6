"""Being one person on several platforms."""

from clearml_chatops.handlers.arguments import PlainWord
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.models.errors import DirectMessageRequiredError
from clearml_chatops.models.people import Person, Role
from clearml_chatops.models.replies import Button, Buttons, Code, Reply, Text, Tone
from clearml_chatops.services.people.links import LIFETIME

PLATFORMS = CommandFamily("Platforms")


@PLATFORMS.command("link", role=Role.VIEWER, examples=("/link",), takes_secret=True)
async def link(context: Context, code: PlainWord = "") -> Reply:
    """Be known on another platform too: makes a code that you say to the bot there.

    The code is good once, for ten minutes. Whoever says it is you to the bot from then on.

    Args:
        code: A code that was made elsewhere, to be known here; nothing to make one.
    """
    if code:
        return build_linked_reply(await context.services.links.redeem_code(code, context.message.sender))
    if context.message.is_visible_to_others:
        raise DirectMessageRequiredError(command="/link")
    new_code = await context.services.links.create_code(context.person)
    minutes = int(LIFETIME.total_seconds() // 60)
    return Reply.of(
        f"Say this to me on the other platform, in a direct message, within {minutes} minutes:",
        Code(f"/start {new_code}"),
        f"In Telegram the link t.me/<name of the bot>?start={new_code} does the same.",
        Text("It is good once. Keep it to yourself: whoever says it is you to me.", Tone.WARNING),
    )


@PLATFORMS.command("unlink", role=Role.VIEWER, examples=("/unlink",))
async def unlink(context: Context) -> Reply:
    """Be known no more on this platform; you stay known on the others."""
    await context.services.links.unlink(context.message.sender)
    return Reply.of(
        Text("I no longer know you here. /link on another platform makes a code to come back.", Tone.SUCCESS)
    )


def build_linked_reply(person: Person) -> Reply:
    """What is said to somebody who has just become known by a code."""
    return Reply.of(
        Text(f"I know you here now: you are {person.name}, {person.role.label}.", Tone.SUCCESS),
        Buttons((Button("Home", "/home"), Button("Find", "/find"), Button("Help", "/help"))),
    )
