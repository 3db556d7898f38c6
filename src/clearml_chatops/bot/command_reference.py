"""The list of commands as text and as docs/commands.md, from the registry."""

from clearml_chatops.handlers.registry import Command, Registry

_EXPERIMENT_REFERENCE_HELP = """\
An experiment is named by its full id, the beginning of an id (4 characters or more), its name or a part of it,
a ClearML web link, or `last` (the one of mine that changed its status last). Where none is named, the experiment
of the card replied to is meant, else the current one, which `/use`, `/clone`, `/rerun` and `/enqueue` choose.
Values with spaces stand in quotes.
"""


def to_text(registry: Registry) -> str:
    """One line a command: usage and summary."""
    width = max(len(command.name) for command in registry) + 1
    return "".join(f"{'/' + command.name:<{width}}  {command.summary}\n" for command in registry)


def to_markdown(registry: Registry) -> str:
    """docs/commands.md; `make docs` writes it."""
    parts = [
        "# Commands\n",
        "Made from the commands' own declarations by `make docs`; do not edit.\n",
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
    if command.parameters:
        lines += ["", "| Argument | Meaning |", "| --- | --- |"]
        lines += [
            f"| `{_escape_cell(item.usage)}` | {_escape_cell(item.description)} |" for item in command.parameters
        ]
    lines += ["", "Examples:", "", *(f"    {example}" for example in command.examples), ""]
    terminal_note = " Only in the terminal." if command.terminal_only else ""
    lines += [f"{command.permission_text}{terminal_note}", ""]
    return "\n".join(lines)


def _escape_cell(text: str) -> str:
    return text.replace("|", "\\|")
