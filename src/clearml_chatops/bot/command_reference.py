"""The list of commands as text and as docs/commands.md, from the registry."""

from clearml_chatops.handlers.registry import Command, Registry

_EXPERIMENT_REFERENCE_HELP = """\
You can name an experiment by its id, the first 4 or more characters of its id, its name or part of it,
its ClearML web link, or `last` (your experiment with the latest status change). If you don't name one, a command
uses the experiment of the card that you reply to, or else your current one. `/use`, `/clone`, `/rerun` and
`/enqueue` set the current one. Put values with spaces in quotes.

`/enqueue`, `/dequeue`, `/abort`, `/reset`, `/retry`, `/archive`, `/tag` and `/watch` take several experiments:

- ids and links with spaces between them: `/abort 4f2a 81c0`
- names in quotes, or with commas between them: `/abort 'first run' 'second run'`, `/abort first run, second run`
- `last 3`: your three experiments that changed last
- all that `/find` finds: `/retry --find "status=failed since=1d mine"`

Several words without quotes or commas are one name: `/abort first run`. You see the list and its number first,
and one button confirms it. The answer says of each experiment what happened to it. What changed after the list was
shown is left alone, so pressing the button twice does nothing twice.
"""


def to_text(registry: Registry) -> str:
    """Return one line for each command: its name and summary."""
    width = max(len(command.name) for command in registry) + 1
    return "".join(f"{'/' + command.name:<{width}}  {command.summary}\n" for command in registry)


def to_markdown(registry: Registry) -> str:
    """Return the page docs/commands.md, which `make docs` writes."""
    parts = [
        "# Commands\n",
        "`make docs` writes this page from the commands' declarations. Don't edit it by hand.\n",
        _EXPERIMENT_REFERENCE_HELP,
    ]
    for family in registry.families:
        parts.append(f"## {family.title}\n")
        parts += [_render_command(command) for command in family.commands]
    return "\n".join(parts)


def _render_command(command: Command) -> str:
    lines = [f"### /{command.name}", "", f"    {command.usage}", "", command.summary]
    if command.description:
        lines += ["", command.description]
    parameters = command.shown_parameters
    if parameters:
        lines += ["", "| Argument | Meaning |", "| --- | --- |"]
        lines += [
            f"| `{_escape_cell(item.usage)}` | {_escape_cell(item.description)} |"
            for item in command.shown_parameters
        ]
    lines += ["", "Examples:", "", *(f"    {example}" for example in command.examples), ""]
    terminal_note = " Only in the terminal." if command.terminal_only else ""
    lines += [f"{command.permission_text}{terminal_note}", ""]
    return "\n".join(lines)


def _escape_cell(text: str) -> str:
    return text.replace("|", "\\|")
