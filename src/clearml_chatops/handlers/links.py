"""Being one person on several platforms."""

from clearml_chatops.handlers.arguments import PlainWord
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.models.errors import PublicPlaceError
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
        return linked_reply(await context.services.links.use_code(code, context.message.sender))
    if context.message.in_public:
        raise PublicPlaceError(command="/link")
    made = await context.services.links.make_code(context.person)
    minutes = int(LIFETIME.total_seconds() // 60)
    return Reply.of(
        f"Say this to me on the other platform, in a direct message, within {minutes} minutes:",
        Code(f"/start {made}"),
        f"In Telegram the link t.me/<name of the bot>?start={made} does the same.",
        Text("It is good once. Keep it to yourself: whoever says it is you to me.", Tone.WARNING),
    )


@PLATFORMS.command("unlink", role=Role.VIEWER, examples=("/unlink",))
async def unlink(context: Context) -> Reply:
    """Be known no more on this platform; you stay known on the others."""
    await context.services.links.unlink(context.message.sender)
    return Reply.of(
        Text("I no longer know you here. /link on another platform makes a code to come back.", Tone.SUCCESS)
    )


def linked_reply(person: Person) -> Reply:
    """What is said to somebody who has just become known by a code."""
    return Reply.of(
        Text(f"I know you here now: you are {person.name}, {person.role.word}.", Tone.SUCCESS),
        Buttons((Button("Home", "/home"), Button("Find", "/find"), Button("Help", "/help"))),
    )
