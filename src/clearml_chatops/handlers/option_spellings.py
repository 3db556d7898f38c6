"""Options as people type them: `gpus 0`, `gpus = 0`, `--gpus 0`, `gpu=0`, `0, 1`. All become `gpus=0,1`."""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from clearml_chatops.handlers.arguments import GpuList, NameList
from clearml_chatops.handlers.command_line import Word
from clearml_chatops.handlers.experiment_lists import SearchWords
from clearml_chatops.handlers.registry import Command, CommandParameter, ParameterKind, takes_only_experiment
from clearml_chatops.models.errors import ChatOpsError

_Options = dict[str, CommandParameter]


def spell_out_options(command: Command, words: Sequence[Word]) -> list[Word]:
    """Return the words with each option as one word, `name=value`.

    In a command that takes text, only dashes or an `=` make a word an option: `/clone x queue 2` has a name.
    """
    options = {item.name: item for item in command.parameters if item.kind is ParameterKind.OPTION}
    flags = {item.name for item in command.parameters if item.bare_word}
    spelled_out: Iterable[Word] = _join_around_equals(_list_named(command), flags, words)
    spelled_out = _join_dashed(options, spelled_out)
    if not _takes_text(command):
        spelled_out = _join_lists(options, spelled_out)
        spelled_out = _join_names_and_values(options, spelled_out)
        spelled_out = _merge_lists(options, _name_bare_values(options, flags, spelled_out))
    return list(spelled_out)


def _list_named(command: Command) -> _Options:
    """Return the parameters that may be typed as `name=value`.

    Where parameters of an experiment are typed, those are only the options.
    """
    takes_assignments = any(item.kind is ParameterKind.ASSIGNMENTS for item in command.parameters)
    others = set() if takes_assignments else {ParameterKind.POSITIONAL, ParameterKind.REST}
    return {item.name: item for item in command.parameters if item.kind in {ParameterKind.OPTION, *others}}


def _takes_text(command: Command) -> bool:
    text_kinds = {ParameterKind.REST, ParameterKind.ASSIGNMENTS}
    return takes_only_experiment(command) or any(item.kind in text_kinds for item in command.parameters)


def _find_option(options: _Options, name: str) -> CommandParameter | None:
    """Return the option with this name, in the singular or the plural."""
    name = name.lower().removeprefix("--").rstrip(":")
    return options.get(name) or options.get(f"{name}s") or options.get(name.removesuffix("s"))


def _name_option(options: _Options, word: Word) -> CommandParameter | None:
    """Return the option that a word without a value names."""
    return None if word.quoted or word.key is not None else _find_option(options, word.text)


def _build_option(option: CommandParameter, value: Word) -> Word:
    return Word(f"{option.name}={value.value}", option.name, value.quoted)


def _join_around_equals(options: _Options, flags: set[str], words: Sequence[Word]) -> Iterator[Word]:
    """Join `gpus = 0`, `gpus =0` and `gpus= 0`, and give each option its own name.

    An option with nothing behind its `=` stays empty if the next word is a flag, or not a value that it takes.
    """
    remaining = deque(words)
    while remaining:
        word = remaining.popleft()
        option = _name_option(options, word)
        following = remaining[0] if remaining and not remaining[0].quoted else None
        if option and following and following.key is None and following.text.startswith("="):
            remaining.popleft()
            rest = Word(following.text[1:])
            yield _build_option(option, rest if rest.text or not remaining else remaining.popleft())
        elif word.key is None or (option := _find_option(options, word.key)) is None:
            yield word
        elif not word.value and not word.quoted and following and _is_value(option, flags, following):
            yield _build_option(option, remaining.popleft())
        else:
            yield _build_option(option, word)


def _join_dashed(options: _Options, words: Iterable[Word]) -> Iterator[Word]:
    """Join `--gpus 0`, as clearml-agent takes it."""
    remaining = deque(words)
    while remaining:
        word = remaining.popleft()
        option = _name_option(options, word) if word.text.startswith("--") else None
        if option and isinstance(option.converter, SearchWords):
            option = None  # it takes all words that follow
        if option and remaining and _is_bare(remaining[0]):
            word = _build_option(option, remaining.popleft())
        yield word


def _join_lists(options: _Options, words: Iterable[Word]) -> Iterator[Word]:
    """Join the parts of a list with spaces after its commas."""
    remaining = deque(words)
    while remaining:
        word = remaining.popleft()
        option = options.get(word.key or "")
        while (
            remaining
            and not word.quoted
            and word.text.endswith(",")
            and (option is None or _is_list(option))
            and _is_bare(remaining[0])
        ):
            word = Word(word.text + remaining.popleft().text, word.key)
        yield word


def _join_names_and_values(options: _Options, words: Iterable[Word]) -> Iterator[Word]:
    """Join `gpus 0`."""
    remaining = deque(words)
    while remaining:
        word = remaining.popleft()
        option = _name_option(options, word)
        if option and remaining and remaining[0].key is None and not remaining[0].text.startswith("--"):
            word = _build_option(option, remaining.popleft())
        yield word


def _name_bare_values(options: _Options, flags: set[str], words: Iterable[Word]) -> Iterator[Word]:
    """Put the name of its option before a value that needs none."""
    for word in words:
        bare = _is_bare(word) and word.text.lower() not in flags
        option = next((item for item in options.values() if bare and _fits_without_name(item, word)), None)
        yield _build_option(option, word) if option else word


def _fits_without_name(option: CommandParameter, word: Word) -> bool:
    return bool(option.bare_value and re.fullmatch(option.bare_value, word.text, re.IGNORECASE))


def _merge_lists(options: _Options, words: Iterable[Word]) -> list[Word]:
    """Merge the lists that one option was given in parts, as in `gpus 0 1`."""
    merged: list[Word] = []
    for word in words:
        option = options.get(word.key or "")
        same = next((index for index, item in enumerate(merged) if option and item.key == word.key), None)
        if option is None or same is None or not _is_list(option):
            merged.append(word)
        else:
            merged[same] = merged[same].with_value(f"{merged[same].value},{word.value}")
    return merged


def _is_bare(word: Word) -> bool:
    return not word.quoted and word.key is None and not word.text.startswith("--")


def _is_value(option: CommandParameter, flags: set[str], word: Word) -> bool:
    """Return whether an option takes this word as its value."""
    if not _is_bare(word) or word.text.lower() in flags:
        return False
    try:
        option.converter.convert(word.text, name=option.name)
    except ChatOpsError:
        return False
    return True


def _is_list(option: CommandParameter) -> bool:
    return isinstance(option.converter, GpuList | NameList)
