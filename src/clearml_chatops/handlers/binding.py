"""From the words of a line to the arguments of a handler, by the command's own declaration."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from clearml_chatops.handlers.arguments import SeveralWords
from clearml_chatops.handlers.lines import Word
from clearml_chatops.handlers.registry import Command, CommandParameter, ParameterKind
from clearml_chatops.models.errors import UsageError
from clearml_chatops.services.similar_names import did_you_mean, similar_names


@dataclass(slots=True)
class _Sorted:
    """The words of a line, sorted by what they are for."""

    positional: list[str] = field(default_factory=list)
    assignments: list[tuple[str, str]] = field(default_factory=list)
    named: dict[str, object] = field(default_factory=dict)


def bind(command: Command, words: Sequence[Word]) -> dict[str, object]:
    """The keyword arguments with which to call the command's handler.

    Raises:
        UsageError: a word too many or too few, or an option that the command does not have.
        InvalidValueError: a word is not of the kind that its place needs.
    """
    found = _sort(command, words)
    arguments = dict(found.named)
    waiting = list(found.positional)
    for parameter in command.parameters:
        if parameter.kind is ParameterKind.ASSIGNMENTS:
            arguments[parameter.argument] = tuple(found.assignments)
        elif parameter.kind is ParameterKind.REST:
            if waiting:
                several = isinstance(parameter.converter, SeveralWords)
                arguments[parameter.argument] = tuple(waiting) if several else " ".join(waiting)
            elif parameter.required:
                raise _misuse(command, f"/{command.name} needs <{parameter.name}>.")
            waiting = []
        elif parameter.kind is ParameterKind.POSITIONAL:
            if waiting:
                # A name of several words, where nothing else could follow it.
                text = " ".join(waiting) if _is_only_an_experiment(command) else waiting[0]
                waiting = [] if _is_only_an_experiment(command) else waiting[1:]
                arguments[parameter.argument] = parameter.converter.convert(text, name=parameter.name)
            elif parameter.required:
                raise _misuse(command, f"/{command.name} needs <{parameter.name}>.")
    if waiting:
        raise _misuse(
            command,
            f"/{command.name} does not know what to do with “{waiting[0]}”; what has spaces needs quotes.",
        )
    return arguments


def _is_only_an_experiment(command: Command) -> bool:
    """Whether all plain words of the command's lines are the name of one experiment."""
    named = [item for item in command.parameters if item.kind not in {ParameterKind.OPTION, ParameterKind.FLAG}]
    return len(named) == 1 and named[0].converter.completes == "experiment"


def _sort(command: Command, words: Sequence[Word]) -> _Sorted:
    named = {
        parameter.name: parameter
        for parameter in command.parameters
        if parameter.kind in {ParameterKind.OPTION, ParameterKind.FLAG}
    }
    takes_assignments = any(parameter.kind is ParameterKind.ASSIGNMENTS for parameter in command.parameters)
    takes_text = any(parameter.kind is ParameterKind.REST for parameter in command.parameters)
    found = _Sorted()
    for word in words:
        dashed = _is_dashed(word)
        key = word.text[2:].partition("=")[0] if dashed else (word.key or "")
        parameter = named.get(key.lower())
        if dashed or (parameter is not None and word.key is not None):
            if parameter is None:
                raise _misuse(command, _no_such_option(command, key, named))
            found.named[parameter.argument] = _option_value(command, parameter, word, dashed=dashed)
        elif word.key is not None and takes_assignments:
            found.assignments.append((word.key, word.value))
        elif word.key is not None:
            as_text = " If it is text, put it in quotes." if takes_text else ""
            raise _misuse(command, _no_such_option(command, word.key, named) + as_text)
        elif not word.quoted and (flag := named.get(word.text.lower())) and flag.bare_word:
            found.named[flag.argument] = True
        elif found.assignments:
            raise _misuse(
                command,
                f"“{word.text}” stands behind a value: values with spaces need quotes, = has none around it.",
            )
        else:
            found.positional.append(word.text)
    return found


def _is_dashed(word: Word) -> bool:
    """Whether it begins with --, unless that stands in quotes; `--name="two words"` does begin so."""
    unquoted = word.key or ("" if word.quoted else word.text)
    return unquoted.startswith("--") and unquoted != "--"


def _option_value(command: Command, parameter: CommandParameter, word: Word, *, dashed: bool) -> object:
    text = word.text.partition("=")[2] if dashed else word.value
    if parameter.kind is ParameterKind.FLAG:
        if "=" in word.text:
            raise _misuse(command, f"--{parameter.name} takes no value.")
        return True
    if "=" not in word.text:
        raise _misuse(command, f"{parameter.name}= needs a value: {parameter.name}=….")
    return parameter.converter.convert(text, name=parameter.name)


def _no_such_option(command: Command, typed: str, named: dict[str, CommandParameter]) -> str:
    nearest = similar_names(typed.lower(), named)
    meant = did_you_mean(named[name].usage.strip("[]") for name in nearest[:1])
    return f"/{command.name} has no option “{typed}”.{meant}"


def _misuse(command: Command, reason: str) -> UsageError:
    return UsageError(reason=reason, usage=command.usage)
