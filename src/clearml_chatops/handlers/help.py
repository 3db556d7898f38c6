"""Commands that show what the bot can do, and who a person is to it."""

from collections.abc import Iterator

from clearml_chatops.handlers.arguments import CommandName
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.registry import Command, CommandFamily
from clearml_chatops.models.messages import TERMINAL
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Button, Buttons, Code, Fields, Reply, Table, Text, Tone

HELP = CommandFamily("People")


@HELP.command("help", role=Role.VIEWER, examples=("/help", "/help set"))
async def help_(context: Context, command: CommandName = "") -> Reply:
    """Show all commands, one group, or one command with its arguments and examples.

    Args:
        command: A command, or a group like queues. Default: all commands.
    """
    families = context.registry.families
    group = next((item for item in families if item.title.casefold() == command.strip().casefold()), None)
    if group:
        rows = ((f"/{item.name}", item.summary) for item in _list_allowed_commands(context, group.commands))
        return Reply.of(Text(group.title, Tone.HEADING), Fields(tuple(rows)))
    in_terminal = context.message.conversation.platform == TERMINAL
    if command:
        found, _ = context.registry.find(command.split(), terminal=in_terminal)
        return _build_command_help(found)
    if in_terminal:
        blocks = [block for family in families for block in _build_family_summary(context, family)]
        return Reply.of(*blocks, Text("For details, use /help <command>.", Tone.SUBTLE))
    return _build_short_help(
        {family.title: list(_list_allowed_commands(context, family.commands)) for family in families}
    )


@HELP.command("whoami", role=Role.VIEWER, examples=("/whoami",))
async def whoami(context: Context) -> Reply:
    """Show your account: your role, ClearML user and queue."""
    account = await context.services.accounts.load_account(context.person)
    return Reply.of(
        Fields(
            (
                ("you", account.person.name),
                ("account", str(context.message.sender)),
                ("role", account.person.role.label),
                ("ClearML user", account.clearml_name),
                ("acts as", account.acts_as),
                ("ClearML server", account.clearml_host),
                (
                    "queue",
                    account.queue.queue_name if account.queue else "none yet (create one with /queue create)",
                ),
            )
        )
    )


def _build_short_help(families: dict[str, list[Command]]) -> Reply:
    """Return only the names of the commands, to fit a phone, and a button for each group."""
    titles = [title for title, commands in families.items() if commands]
    return Reply.of(
        Fields(tuple((title, " ".join(f"/{item.name}" for item in families[title])) for title in titles)),
        Text("For details, use /help <command> or choose a group:", Tone.SUBTLE),
        Buttons(tuple(Button(title, f"/help {title.lower()}") for title in titles)),
    )


def _build_family_summary(context: Context, family: CommandFamily) -> tuple[Text, Table]:
    """Return the commands of a group that the person may use here, with their summaries."""
    rows = tuple((f"/{item.name}", item.summary) for item in _list_allowed_commands(context, family.commands))
    return Text(family.title, Tone.HEADING), Table(("", ""), rows)


def _list_allowed_commands(context: Context, commands: list[Command]) -> Iterator[Command]:
    in_terminal = context.message.conversation.platform == TERMINAL
    return (
        item for item in commands if item.role <= context.person.role and (in_terminal or not item.terminal_only)
    )


def _build_command_help(command: Command) -> Reply:
    arguments = tuple((item.usage, item.description) for item in command.shown_parameters)
    return Reply.of(
        Text(f"/{command.name}", Tone.HEADING),
        command.summary,
        Text(command.description, Tone.SUBTLE) if command.description else None,
        Code(command.usage),
        Fields(arguments) if arguments else None,
        Text("Examples", Tone.HEADING),
        Code("\n".join(command.examples)),
        Text(command.permission_text, Tone.SUBTLE),
    )
