"""Binding: from the words of a line to the arguments of a handler, by the command's declaration."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from clearml_chatops.handlers.arguments import RepeatedText, SeveralWords
from clearml_chatops.handlers.assignments import join_assignments
from clearml_chatops.handlers.command_line import Word, join_words
from clearml_chatops.handlers.experiment_lists import SearchWords, SeveralExperiments, split_references
from clearml_chatops.handlers.option_spellings import spell_out_options
from clearml_chatops.handlers.registry import Command, CommandParameter, ParameterKind, takes_only_experiment
from clearml_chatops.models.errors import UsageError
from clearml_chatops.services.similar_names import find_similar_names, format_suggestion


@dataclass(slots=True)
class _SortedWords:
    """The words of a line, sorted by the kind of argument they are."""

    positional: list[Word] = field(default_factory=list)
    named: dict[str, str] = field(default_factory=dict)
    assignments: list[tuple[str, str]] = field(default_factory=list)
    options: dict[str, object] = field(default_factory=dict)

    def add_option(self, parameter: CommandParameter, value: object) -> bool:
        """Add the value of an option. Given again it extends the value where several fit; else return False."""
        earlier = self.options.get(parameter.argument_name, value)
        if earlier != value:
            separator = _get_separator(parameter)
            if not separator:
                return False
            value = f"{earlier}{separator}{value}"
        self.options[parameter.argument_name] = value
        return True


def bind(command: Command, words: Sequence[Word]) -> dict[str, object]:
    """Return the keyword arguments to call the command's handler with.

    Raises:
        UsageError: too many or too few words, or an option that the command does not have.
        InvalidValueError: a word that its parameter's converter does not accept.
    """
    sorted_words = _sort_words(command, spell_out_options(command, words))
    arguments = dict(sorted_words.options)
    remaining = list(sorted_words.positional)
    for parameter in command.parameters:
        if parameter.kind is ParameterKind.ASSIGNMENTS:
            arguments[parameter.argument_name] = tuple(sorted_words.assignments)
        elif parameter.kind in {ParameterKind.REST, ParameterKind.POSITIONAL}:
            values, remaining = _take_values(command, parameter, sorted_words.named, remaining)
            if values:
                arguments[parameter.argument_name] = _convert(parameter, values)
            elif parameter.required:
                raise _build_usage_error(command, f"/{command.name} needs <{parameter.name}>.")
    if remaining:
        raise _build_usage_error(
            command,
            f"/{command.name} can't use “{remaining[0].text}”. Put values with spaces in quotes.",
        )
    return arguments


def _take_values(
    command: Command, parameter: CommandParameter, named: Mapping[str, str], remaining: list[Word]
) -> tuple[list[Word], list[Word]]:
    """Return the words that a parameter takes, and those that remain for the next one."""
    own = [Word(named[parameter.name], quoted=True)] if parameter.name in named else []
    # Nothing else can follow the experiment, so its name needs no quotes.
    takes_all = parameter.kind is ParameterKind.REST or (takes_only_experiment(command) and not own)
    count = len(remaining) if takes_all else int(not own)
    return [*own, *remaining[:count]], remaining[count:]


def _convert(parameter: CommandParameter, words: list[Word]) -> object:
    texts = tuple(word.text for word in words)
    if parameter.kind is ParameterKind.POSITIONAL:
        return parameter.converter.convert(" ".join(texts), name=parameter.name)
    match parameter.converter:
        case SeveralExperiments():
            return split_references(words)
        case SeveralWords():
            return texts
        case _:
            return " ".join(texts)


def _sort_words(command: Command, words: Sequence[Word]) -> _SortedWords:
    options = {
        parameter.name: parameter
        for parameter in command.parameters
        if parameter.kind in {ParameterKind.OPTION, ParameterKind.FLAG}
    }
    takes_assignments = any(parameter.kind is ParameterKind.ASSIGNMENTS for parameter in command.parameters)
    takes_text = any(parameter.kind is ParameterKind.REST for parameter in command.parameters)
    # Where parameters of an experiment are typed, `name=x` may be one of them.
    positional_names = set() if takes_assignments else _list_positional_names(command)
    sorted_words = _SortedWords()
    for word in (
        _join_assignments(command, words, options) if takes_assignments else _join_searches(words, options)
    ):
        dashed = _is_dashed(word)
        key = _get_key(word)
        parameter = options.get(key.lower())
        if word.key is not None and key.lower() in positional_names:
            sorted_words.named[key.lower()] = word.value
        elif dashed or (parameter is not None and word.key is not None):
            if parameter is None:
                raise _build_usage_error(command, _describe_unknown_option(command, key, options))
            if not sorted_words.add_option(parameter, _parse_option(command, parameter, word, dashed=dashed)):
                # Taking the last one would search or change something else than what was typed.
                raise _build_usage_error(command, f"{parameter.name}= is there twice. Use it once.")
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
                f"“{word.text}” comes after a value. Put values with spaces in quotes.",
            )
        else:
            sorted_words.positional.append(word)
    return sorted_words


def _join_assignments(command: Command, words: Sequence[Word], options: dict[str, CommandParameter]) -> list[Word]:
    """Return the words with names and values joined; a dashed word can be a value, but not a misspelled option."""

    def is_option(word: Word) -> bool:
        key = _get_key(word)
        return key.lower() in options or (_is_dashed(word) and bool(find_similar_names(key, options)))

    takes_names = any(
        item.kind is ParameterKind.REST and item.converter.completion == "parameter" for item in command.parameters
    )
    return join_assignments(words, is_option=is_option, starts_with_name=takes_names)


def _get_separator(parameter: CommandParameter) -> str:
    """Return what joins the values of an option that is given twice; empty if it takes one value."""
    if isinstance(parameter.converter, SearchWords):
        return " "
    return "," if isinstance(parameter.converter, RepeatedText) else ""


def _list_positional_names(command: Command) -> set[str]:
    kinds = {ParameterKind.POSITIONAL, ParameterKind.REST}
    return {parameter.name for parameter in command.parameters if parameter.kind in kinds}


def _is_dashed(word: Word) -> bool:
    """Return whether the word begins with an unquoted `--`, as also `--name="two words"` does."""
    unquoted = word.key or ("" if word.quoted else word.text)
    return unquoted.startswith("--") and unquoted != "--"


def _get_key(word: Word) -> str:
    """Return the name of the option that a word may be."""
    return word.text[2:].partition("=")[0] if _is_dashed(word) else (word.key or "")


def _join_searches(words: Sequence[Word], options: Mapping[str, CommandParameter]) -> list[Word]:
    """Return the words with each `--find` and the words of its search as one."""
    joined, following = [], deque(words)
    while following:
        word = following.popleft()
        parameter = options.get(_get_key(word).lower())
        is_search = parameter is not None and isinstance(parameter.converter, SearchWords) and _is_dashed(word)
        joined.append(_take_search(word, following, options) if is_search and "=" not in word.text else word)
    return joined


def _take_search(word: Word, following: deque[Word], options: Mapping[str, CommandParameter]) -> Word:
    """Return `--find words` as one word. Without quotes it ends at the command's next option."""
    if following and following[0].quoted:
        return Word(f"{word.text}={following.popleft().text}", word.text)
    taken: list[Word] = []
    while following and _get_key(following[0]).lower() not in options:
        # After the first word, a flag without dashes is the command's, as in `--find status=draft front`.
        flag = None if following[0].quoted else options.get(following[0].text.lower())
        if taken and flag is not None and flag.bare_word:
            break
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
