"""The commands as data. Parsing, help, completion, menus and docs all come from their declarations."""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from clearml_chatops.handlers.arguments import (
    Assignments,
    BareWord,
    ButtonOnly,
    Converter,
    PlainText,
    RestOfLine,
    SeveralWords,
)
from clearml_chatops.models.errors import UnknownCommandError
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Button, Reply
from clearml_chatops.services.similar_names import find_similar_names, format_suggestion

Handler = Callable[..., Awaitable[Reply]]


class ParameterKind(StrEnum):
    POSITIONAL = "positional"
    REST = "rest"
    ASSIGNMENTS = "assignments"
    OPTION = "option"
    FLAG = "flag"


_NAMED_KINDS = {ParameterKind.OPTION, ParameterKind.FLAG}
_WORD_KINDS = {ParameterKind.POSITIONAL, ParameterKind.REST}


@dataclass(frozen=True, slots=True)
class CommandParameter:
    """One argument of a command, read from the handler's signature."""

    name: str
    kind: ParameterKind
    converter: Converter
    required: bool
    description: str
    bare_word: bool = False
    bare_value: str = ""
    """A pattern of the values that need no `name=` before them, if it's an option."""
    button_only: bool = False
    """Whether only buttons give it, so that people don't need to know of it."""
    argument_name: str = ""
    """Its name in the handler: `for_` where people type `for`, a keyword of Python."""

    @property
    def usage(self) -> str:
        match self.kind:
            case ParameterKind.OPTION:
                return f"[{self.name}=…]"
            case ParameterKind.FLAG:
                return f"[{self.name}]" if self.bare_word else f"[--{self.name}]"
            case ParameterKind.ASSIGNMENTS:
                return "[section.name=value …]"
            case ParameterKind.REST:
                shown = f"{self.name}…"
            case _:
                shown = self.name
        return f"<{shown}>" if self.required else f"[{shown}]"


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its name, its help, its parameters and who may use it."""

    name: str
    handler: Handler
    role: Role
    summary: str
    description: str
    examples: tuple[str, ...]
    parameters: tuple[CommandParameter, ...]
    family: str
    terminal_only: bool = False
    custom_usage: str = ""
    max_form_words: int | None = None
    """With at most this many words after its name, and no option, it replies with a form."""
    edit_role: Role | None = None
    """The role for using its options, if the command only shows something without them."""
    takes_secret: bool = False
    """Its arguments are secret, so logs and the audit trail leave them out."""

    @property
    def shown_parameters(self) -> tuple[CommandParameter, ...]:
        """The parameters that people type."""
        return tuple(parameter for parameter in self.parameters if not parameter.button_only)

    @property
    def usage(self) -> str:
        """The syntax of the command: its custom usage, else one made from its parameters."""
        return self.custom_usage or " ".join(
            (f"/{self.name}", *(parameter.usage for parameter in self.shown_parameters))
        )

    def get_required_role(self, arguments: Mapping[str, object]) -> Role:
        """Return the role that a call with these arguments requires."""
        option_names = {item.argument_name for item in self.parameters if item.kind in _NAMED_KINDS}
        return self.edit_role if self.edit_role and arguments.keys() & option_names else self.role

    @property
    def permission_text(self) -> str:
        """The role that it requires, as a sentence."""
        if self.edit_role is None:
            return f"Requires the {self.role.label} role."
        return f"Requires the {self.role.label} role, and the {self.edit_role.label} role to change anything."

    def to_json(self) -> dict[str, object]:
        """Return the command as `commands --json` prints it."""
        return {
            "name": self.name,
            "family": self.family,
            "usage": self.usage,
            "summary": self.summary,
            "description": self.description,
            "permission": self.role.label,
            "terminal_only": self.terminal_only,
            "parameters": [
                {
                    "name": parameter.name,
                    "kind": parameter.kind.value,
                    "required": parameter.required,
                    "description": parameter.description,
                    "usage": parameter.usage,
                }
                for parameter in self.shown_parameters
            ],
            "examples": list(self.examples),
        }


@dataclass(slots=True)
class CommandFamily:
    """The commands of one handlers file. `title` is the heading of their group in the help."""

    title: str
    commands: list[Command] = field(default_factory=list)

    def command(
        self,
        name: str,
        *,
        examples: tuple[str, ...],
        role: Role = Role.MEMBER,
        terminal_only: bool = False,
        usage: str = "",
        max_form_words: int | None = None,
        edit_role: Role | None = None,
        takes_secret: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Return a decorator that declares a coroutine as a command.

        The signature after the context is the grammar: parameters before `*` are positional, those after
        it are `key=value` options, or flags if their default is False. The docstring is the help: its first
        line is the summary, `Args:` describes the arguments.
        """

        def declare(handler: Handler) -> Handler:
            summary, description, arguments = _read_docstring(inspect.getdoc(handler) or "")
            self.commands.append(
                Command(
                    name=name,
                    handler=handler,
                    role=role,
                    summary=summary,
                    description=description,
                    examples=examples,
                    parameters=tuple(_read_parameters(handler, arguments)),
                    family=self.title,
                    terminal_only=terminal_only,
                    custom_usage=usage,
                    max_form_words=max_form_words,
                    edit_role=edit_role,
                    takes_secret=takes_secret,
                )
            )
            return handler

        return declare


class Registry:
    """All commands by name, in any spelling: `queue create`, `queue_create`, `/Queue Create`."""

    def __init__(self, families: Iterable[CommandFamily]) -> None:
        self.families = tuple(families)
        self._by_name: Mapping[str, Command] = {
            command.name: command for family in self.families for command in family.commands
        }

    def __iter__(self) -> Iterator[Command]:
        return iter(self._by_name.values())

    def get(self, name: str) -> Command | None:
        return self._by_name.get(normalize_name(name))

    def find(self, words: list[str], *, terminal: bool) -> tuple[Command, int]:
        """Return the command that a line begins with, and how many words its name takes.

        Raises:
            UnknownCommandError: no command has this name; the error offers the most similar names.
        """
        names = {name for name, command in self._by_name.items() if terminal or not command.terminal_only}
        for count in (2, 1):
            name = normalize_name(" ".join(words[:count]))
            # A second word that is empty as a name ("", "_") is an argument, not part of the name.
            if len(words) >= count and normalize_name(words[count - 1]) and name in names:
                self._require_known_subcommand(self._by_name[name], words[count:])
                return self._by_name[name], count
        typed = normalize_name(" ".join(words[:1]))
        nearest = find_similar_names(typed, names)
        raise UnknownCommandError(
            name=typed,
            nearest=format_suggestion(f"/{name}" for name in nearest[:1]),
            buttons=[Button(f"/{name}", f"/help {name}") for name in nearest],
        )

    def list_subcommands(self, command: Command) -> list[str]:
        """Return the second words of its subcommands."""
        prefix = f"{command.name} "
        return [name.removeprefix(prefix) for name in self._by_name if name.startswith(prefix)]

    def _require_known_subcommand(self, command: Command, rest: list[str]) -> None:
        """Raise UnknownCommandError if the next word can only be a misspelled subcommand."""
        subcommands = self.list_subcommands(command)
        takes_words = any(parameter.kind in _WORD_KINDS for parameter in command.parameters)
        if not subcommands or takes_words or not rest or "=" in rest[0] or rest[0].startswith("--"):
            return
        if rest[1:] and rest[0].casefold() in {parameter.name for parameter in command.parameters}:
            return
        nearest = find_similar_names(rest[0].casefold(), subcommands)
        raise UnknownCommandError(
            name=f"{command.name} {rest[0]}",
            nearest=format_suggestion(f"/{command.name} {name}" for name in nearest[:1]),
            buttons=[Button(f"/{command.name} {name}", f"/help {command.name} {name}") for name in nearest],
        )


def takes_only_experiment(command: Command) -> bool:
    """Return whether the only positional parameter of the command is an experiment."""
    positional = [item for item in command.parameters if item.kind not in _NAMED_KINDS]
    return len(positional) == 1 and positional[0].converter.completion == "experiment"


def normalize_name(text: str) -> str:
    """Return a command's name from what was typed: no slash, no @bot, lower case, `_` as a space."""
    return re.sub(r"[\s_]+", " ", re.sub(r"(?<=\S)@\w+", "", text).removeprefix("/")).strip().casefold()


def _read_parameters(handler: Handler, descriptions: Mapping[str, str]) -> Iterator[CommandParameter]:
    hints = get_type_hints(handler, include_extras=True)
    for parameter in list(inspect.signature(handler).parameters.values())[1:]:
        name = parameter.name.removesuffix("_")
        markers = _list_markers(hints[parameter.name])
        converter: Any = next((marker for marker in markers if hasattr(marker, "convert")), PlainText())
        is_flag = parameter.default is False
        yield CommandParameter(
            name=name,
            kind=_get_kind(converter, keyword=parameter.kind is parameter.KEYWORD_ONLY, flag=is_flag),
            converter=converter,
            required=parameter.default is parameter.empty,
            description=descriptions.get(name, ""),
            bare_word=is_flag and any(isinstance(marker, BareWord) for marker in markers),
            bare_value=next((marker.value for marker in markers if isinstance(marker, BareWord)), ""),
            button_only=any(isinstance(marker, ButtonOnly) for marker in markers),
            argument_name=parameter.name,
        )


def _list_markers(hint: Any) -> tuple[Any, ...]:
    """Return the metadata of an `Annotated`, also of one in a union with None."""
    if get_origin(hint) is Annotated:
        return get_args(hint)[1:]
    return tuple(marker for part in get_args(hint) for marker in _list_markers(part))


def _get_kind(converter: Converter, *, keyword: bool, flag: bool) -> ParameterKind:
    if flag:
        return ParameterKind.FLAG
    if keyword:
        return ParameterKind.OPTION
    if isinstance(converter, Assignments):
        return ParameterKind.ASSIGNMENTS
    if isinstance(converter, RestOfLine | SeveralWords):
        return ParameterKind.REST
    return ParameterKind.POSITIONAL


def _read_docstring(text: str) -> tuple[str, str, dict[str, str]]:
    """Return the summary, the description and the `Args:` of a docstring."""
    body, _, arguments = text.partition("\nArgs:\n")
    summary, _, description = body.partition("\n\n")
    described = re.findall(r"^ +(\w+): (.+(?:\n {6,}.+)*)", arguments, re.MULTILINE)
    return (
        " ".join(summary.split()),
        "\n\n".join(" ".join(paragraph.split()) for paragraph in description.strip().split("\n\n") if paragraph),
        {name: " ".join(words.split()) for name, words in described},
    )
