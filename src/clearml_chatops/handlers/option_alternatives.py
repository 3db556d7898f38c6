"""What to send instead when a command doesn't have an option: the same line for a command that has it."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from rapidfuzz import fuzz

from clearml_chatops.handlers.command_line import Word
from clearml_chatops.handlers.intents import ENDING_COMMANDS
from clearml_chatops.handlers.line_fitting import build_line, is_bindable, shorten_line
from clearml_chatops.handlers.meanings import count_shared_words
from clearml_chatops.handlers.option_spellings import spell_out_options
from clearml_chatops.handlers.registry import Command, CommandParameter, ParameterKind, takes_only_experiment
from clearml_chatops.models.replies import Button
from clearml_chatops.services.similar_names import find_similar_names

_MAX_ALTERNATIVES = 3
_POSITIONAL_KINDS = (ParameterKind.POSITIONAL, ParameterKind.REST)
_NAMED_KINDS = (ParameterKind.OPTION, ParameterKind.FLAG)

_Slots = list[tuple[CommandParameter, list[Word]]]


def list_alternatives(command: Command, words: Sequence[Word], commands: Sequence[Command]) -> tuple[Button, ...]:
    """Return buttons with the lines that the person may have meant; none if each word is known to the command.

    `words` follow the command's name. If no command takes all of them, they are shared out between two.
    """
    words = spell_out_options(command, words)
    unknown = [word for word in words if _is_named(word) and not _takes(command, word)]
    # No button answers a question that has not been asked yet.
    if not unknown or command.takes_secret or any(word.text == "--yes" for word in unknown):
        return ()
    others = _rank(command, [item for item in commands if item is not command and not item.takes_secret])
    lines = [*_list_corrected(command, words), *_list_transferred(command, words, others)]
    if not lines:
        lines = _list_shared_out(command, words, unknown, others)
    found = islice(dict.fromkeys(lines), _MAX_ALTERNATIVES)
    return tuple(Button(shorten_line(line), line) for line in found)


def _rank(command: Command, others: Sequence[Command]) -> list[Command]:
    """Return the other commands, those that do what this one does first, and those that end something last."""
    return sorted(
        others,
        key=lambda other: (
            other.name in ENDING_COMMANDS,
            -count_shared_words(command.name, other.summary),
            -fuzz.ratio(command.name, other.name) if " " in command.name else 0,
        ),
    )


def _list_corrected(command: Command, words: Sequence[Word]) -> Iterator[str]:
    """Yield the line with the most similar option in place of an unknown one."""
    names = [item.name for item in command.parameters if item.kind in _NAMED_KINDS]
    corrected = list(words)
    for index, word in enumerate(words):
        if _is_named(word) and not _takes(command, word):
            similar = find_similar_names(_get_name(word), names)
            if not similar:
                return
            corrected[index] = _rename(word, similar[0])
    if is_bindable(command, corrected):
        yield build_line(command, corrected)


def _list_transferred(command: Command, words: Sequence[Word], others: Sequence[Command]) -> Iterator[str]:
    """Yield the line of each other command that takes all words, with the same meaning."""
    slots = _read_slots(command, [word for word in words if not _is_named(word)])
    named = [word for word in words if _is_named(word)]
    for other in others if slots is not None else ():
        transferred = _transfer(other, slots or [], named)
        if transferred is not None and is_bindable(other, transferred):
            yield build_line(other, transferred)


def _list_shared_out(
    command: Command, words: Sequence[Word], unknown: Sequence[Word], others: Sequence[Command]
) -> list[str]:
    """Return the line without the unknown options, and the lines of other commands with them alone."""
    known = [word for word in words if word not in unknown]
    transferred = ((other, _transfer(other, [], unknown)) for other in others)
    lines = [build_line(other, new) for other, new in transferred if new and is_bindable(other, new)]
    return [build_line(command, known), *lines] if lines and is_bindable(command, known) else lines


def _read_slots(command: Command, bare: Sequence[Word]) -> _Slots | None:
    """Return which parameter takes which words; None if there are too many."""
    remaining = list(bare)
    if remaining and takes_only_experiment(command):
        text = " ".join(word.text for word in remaining)
        remaining = [Word(text, None, quoted=len(remaining) > 1 or remaining[0].quoted)]
    slots: _Slots = []
    for parameter in command.parameters:
        if remaining and parameter.kind in _POSITIONAL_KINDS:
            count = 1 if parameter.kind is ParameterKind.POSITIONAL else len(remaining)
            slots.append((parameter, remaining[:count]))
            remaining = remaining[count:]
    return None if remaining else slots


def _transfer(other: Command, slots: _Slots, named: Sequence[Word]) -> list[Word] | None:
    """Return the arguments of another command with the same meaning; None if it can't take all."""
    positional: dict[str, list[Word]] = {}
    options: list[Word] = []
    for parameter, words in slots:
        target = _find_target(other, parameter)
        if target is None:
            return None
        if target.kind in _POSITIONAL_KINDS:
            positional[target.name] = words
        else:
            options += [Word(f"{target.name}={word.text}", target.name, word.quoted) for word in words]
    for word in named:
        if _takes(other, word):
            options.append(word)
        elif word.key is not None and (target := _find_positional(other, _get_name(word))):
            if target.name in positional:
                return None
            positional[target.name] = [Word(word.value, None, word.quoted)]
        else:
            return None
    return [*_order(other, positional), *options]


def _order(command: Command, positional: dict[str, list[Word]]) -> Iterator[Word]:
    for parameter in command.parameters:
        yield from positional.get(parameter.name, ())


def _find_target(other: Command, parameter: CommandParameter) -> CommandParameter | None:
    """Return the parameter of the other command that names the same kind of thing."""
    kinds = (*_POSITIONAL_KINDS, ParameterKind.OPTION)
    for item in other.parameters:
        same_kind = parameter.converter.completion and item.converter.completion == parameter.converter.completion
        if item.kind in kinds and (same_kind or item.name == parameter.name):
            return item
    return None


def _find_positional(command: Command, name: str) -> CommandParameter | None:
    return next(
        (item for item in command.parameters if item.name == name and item.kind in _POSITIONAL_KINDS), None
    )


def _takes(command: Command, word: Word) -> bool:
    """Return whether the command has this option, or takes parameters of experiments such as args.lr."""
    name = _get_name(word)
    takes_assignments = any(item.kind is ParameterKind.ASSIGNMENTS for item in command.parameters)
    if word.key is not None and takes_assignments and re.search(r"[./]", name):
        return True
    named_kinds = _NAMED_KINDS if takes_assignments else (*_NAMED_KINDS, *_POSITIONAL_KINDS)
    return any(item.name == name and item.kind in named_kinds for item in command.parameters)


def _is_named(word: Word) -> bool:
    return word.key is not None or (not word.quoted and word.text.startswith("--"))


def _get_name(word: Word) -> str:
    return (word.key or word.text).removeprefix("--").partition("=")[0].lower()


def _rename(word: Word, name: str) -> Word:
    if word.key is None:
        return Word(f"--{name}")
    return Word(f"{name}={word.value}", name, word.quoted)
