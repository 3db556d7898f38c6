"""Binding: from the words of a line to the arguments of a handler, by the command's declaration."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from clearml_chatops.handlers.arguments import RepeatedText, SeveralWords
from clearml_chatops.handlers.command_line import Word, join_words
from clearml_chatops.handlers.experiment_lists import SearchWords, SeveralExperiments, split_references
from clearml_chatops.handlers.registry import Command, CommandParameter, ParameterKind
from clearml_chatops.models.errors import UsageError
from clearml_chatops.services.similar_names import find_similar_names, format_suggestion


@dataclass(slots=True)
class _SortedWords:
    """The words of a line, sorted by the kind of argument they are."""

    positional: list[str] = field(default_factory=list)
    positional_words: list[Word] = field(default_factory=list)
    assignments: list[tuple[str, str]] = field(default_factory=list)
    options: dict[str, object] = field(default_factory=dict)


def bind(command: Command, words: Sequence[Word]) -> dict[str, object]:
    """Return the keyword arguments to call the command's handler with.

    Raises:
        UsageError: too many or too few words, or an option that the command does not have.
        InvalidValueError: a word that its parameter's converter does not accept.
    """
    sorted_words = _sort_words(command, words)
    arguments = dict(sorted_words.options)
    remaining = list(sorted_words.positional)
    for parameter in command.parameters:
        if parameter.kind is ParameterKind.ASSIGNMENTS:
            arguments[parameter.argument_name] = tuple(sorted_words.assignments)
        elif parameter.kind is ParameterKind.REST:
            if remaining:
                words = sorted_words.positional_words[-len(remaining) :]
                arguments[parameter.argument_name] = _convert_rest(parameter, words)
            elif parameter.required:
                raise _build_usage_error(command, f"/{command.name} needs <{parameter.name}>.")
            remaining = []
        elif parameter.kind is ParameterKind.POSITIONAL:
            if remaining:
                # Nothing else can follow the experiment, so its name needs no quotes.
                text = " ".join(remaining) if _takes_only_experiment(command) else remaining[0]
                remaining = [] if _takes_only_experiment(command) else remaining[1:]
                arguments[parameter.argument_name] = parameter.converter.convert(text, name=parameter.name)
            elif parameter.required:
                raise _build_usage_error(command, f"/{command.name} needs <{parameter.name}>.")
    if remaining:
        raise _build_usage_error(
            command,
            f"/{command.name} can't use “{remaining[0]}”. Put values with spaces in quotes.",
        )
    return arguments


def _convert_rest(parameter: CommandParameter, words: Sequence[Word]) -> str | tuple[str, ...]:
    """Return the remaining words as the parameter takes them."""
    texts = tuple(word.text for word in words)
    match parameter.converter:
        case SeveralExperiments():
            return split_references(words)
        case SeveralWords():
            return texts
        case _:
            return " ".join(texts)


def _takes_only_experiment(command: Command) -> bool:
    """Return whether the only positional parameter of the command is an experiment."""
    positional = [
        item for item in command.parameters if item.kind not in {ParameterKind.OPTION, ParameterKind.FLAG}
    ]
    return len(positional) == 1 and positional[0].converter.completion == "experiment"


def _sort_words(command: Command, words: Sequence[Word]) -> _SortedWords:
    options = {
        parameter.name: parameter
        for parameter in command.parameters
        if parameter.kind in {ParameterKind.OPTION, ParameterKind.FLAG}
    }
    takes_assignments = any(parameter.kind is ParameterKind.ASSIGNMENTS for parameter in command.parameters)
    takes_text = any(parameter.kind is ParameterKind.REST for parameter in command.parameters)
    sorted_words = _SortedWords()
    following = deque(words)
    while following:
        word = following.popleft()
        dashed = _is_dashed(word)
        key = _get_key(word)
        parameter = options.get(key.lower())
        if dashed and parameter is not None and isinstance(parameter.converter, SearchWords):
            word = word if "=" in word.text else _take_search(word, following, options)
        if dashed or (parameter is not None and word.key is not None):
            if parameter is None:
                raise _build_usage_error(command, _describe_unknown_option(command, key, options))
            value = _parse_option(command, parameter, word, dashed=dashed)
            if isinstance(parameter.converter, RepeatedText) and parameter.argument_name in sorted_words.options:
                value = f"{sorted_words.options[parameter.argument_name]},{value}"
            sorted_words.options[parameter.argument_name] = value
        elif word.key is not None and takes_assignments:
            sorted_words.assignments.append((word.key, word.value))
        elif word.key is not None:
            quote_hint = " If it's text, put it in quotes." if takes_text else ""
            raise _build_usage_error(command, _describe_unknown_option(command, word.key, options) + quote_hint)
        elif not word.quoted and (flag := options.get(word.text.lower())) and flag.bare_word:
            sorted_words.options[flag.argument_name] = True
        elif sorted_words.assignments:
            raise _build_usage_error(
                command,
                f"“{word.text}” comes after a value. Put values with spaces in quotes, and no spaces around =.",
            )
        else:
            sorted_words.positional.append(word.text)
            sorted_words.positional_words.append(word)
    return sorted_words


def _is_dashed(word: Word) -> bool:
    """Return whether the word begins with an unquoted `--`, as also `--name="two words"` does."""
    unquoted = word.key or ("" if word.quoted else word.text)
    return unquoted.startswith("--") and unquoted != "--"


def _get_key(word: Word) -> str:
    """Return the name of the option that a word may be."""
    return word.text[2:].partition("=")[0] if _is_dashed(word) else (word.key or "")


def _take_search(word: Word, following: deque[Word], options: Mapping[str, CommandParameter]) -> Word:
    """Return `--find words` as one word. Without quotes it ends at the command's next option."""
    if following and following[0].quoted:
        return Word(f"{word.text}={following.popleft().text}", word.text)
    taken = []
    while following and _get_key(following[0]).lower() not in options:
        taken.append(following.popleft())
    return Word(f"{word.text}={join_words(taken)}", word.text) if taken else word


def _parse_option(command: Command, parameter: CommandParameter, word: Word, *, dashed: bool) -> object:
    text = word.text.partition("=")[2] if dashed else word.value
    if parameter.kind is ParameterKind.FLAG:
        if "=" in word.text:
            raise _build_usage_error(command, f"--{parameter.name} takes no value.")
        return True
    if "=" not in word.text:
        raise _build_usage_error(command, f"{parameter.name}= needs a value: {parameter.name}=….")
    return parameter.converter.convert(text, name=parameter.name)


def _describe_unknown_option(command: Command, typed: str, options: dict[str, CommandParameter]) -> str:
    nearest = find_similar_names(typed.lower(), options)
    suggestion = format_suggestion(options[name].usage.strip("[]") for name in nearest[:1])
    return f"/{command.name} has no option “{typed}”.{suggestion}"


def _build_usage_error(command: Command, reason: str) -> UsageError:
    return UsageError(reason=reason, usage=command.usage)
