"""Commands that link a person's accounts on several platforms."""

from clearml_chatops.handlers.arguments import SingleWord
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.models.errors import DirectMessageRequiredError
from clearml_chatops.models.people import Person, Role
from clearml_chatops.models.replies import Button, Buttons, Code, Reply, Text, Tone
from clearml_chatops.services.people.links import LIFETIME

PLATFORMS = CommandFamily("Platforms")


@PLATFORMS.command("link", role=Role.VIEWER, examples=("/link",), takes_secret=True)
async def link(context: Context, code: SingleWord = "") -> Reply:
    """Link your account on another platform with a one-time code.

    The code works once, within ten minutes. Whoever sends it to the bot gets access as you.

    Args:
        code: A code from another platform, to link this account. Leave it out to get a new code.
    """
    if code:
        return build_linked_reply(await context.services.links.redeem_code(code, context.message.sender))
    if context.message.is_visible_to_others:
        raise DirectMessageRequiredError(command="/link")
    new_code = await context.services.links.create_code(context.person)
    minutes = int(LIFETIME.total_seconds() // 60)
    return Reply.of(
        f"Send this to the bot on the other platform within {minutes} minutes, in a direct message:",
        Code(f"/start {new_code}"),
        f"On Telegram, you can open t.me/<name of the bot>?start={new_code} instead.",
        Text("Don't share this code. It works once, and whoever sends it gets access as you.", Tone.WARNING),
    )


@PLATFORMS.command("unlink", role=Role.VIEWER, examples=("/unlink",))
async def unlink(context: Context) -> Reply:
    """Unlink your account on this platform. Your other accounts stay linked."""
    await context.services.links.unlink(context.message.sender)
    return Reply.of(
        Text("This account is no longer linked. To link it again, use /link on another platform.", Tone.SUCCESS)
    )


def build_linked_reply(person: Person) -> Reply:
    """Return the reply to a code that linked an account to this person."""
    return Reply.of(
        Text(f"This account is linked. You're {person.name}, {person.role.label}.", Tone.SUCCESS),
        Buttons((Button("Home", "/home"), Button("Find experiments", "/find"), Button("Help", "/help"))),
    )
