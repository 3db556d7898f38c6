"""What the Tab key offers, from the commands' own declarations and the names last heard of."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from clearml_chatops.bot.frontends.console.names import RememberedNames
from clearml_chatops.bot.frontends.visible import visible_line
from clearml_chatops.handlers.arguments import SHOWN_STATUSES
from clearml_chatops.handlers.lines import Word, split_words
from clearml_chatops.handlers.registry import Command, CommandParameter, ParameterKind, Registry
from clearml_chatops.models.errors import ChatOpsError

LEAVING_WORDS = frozenset({"/exit", "exit", "/quit", "quit"})
_LONGEST_HINT = 60
_PLAIN_WORD = re.compile(r"[\w./:@%+,-]+")


@dataclass(frozen=True, slots=True)
class _Offer:
    """Something to insert; `also` is another text by which it is found, `hint` what stands beside it."""

    text: str
    hint: str = ""
    also: str = ""


class CommandCompleter(Completer):
    """Completes the word before the cursor."""

    def __init__(self, registry: Registry, names: RememberedNames) -> None:
        self._registry = registry
        self._names = names

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:  # noqa: ARG002  # the interface of all completers
        self._names.renew_if_old()
        before = document.text_before_cursor
        typed = re.split(r"\s", before)[-1]
        try:
            words = split_words(before[: len(before) - len(typed)])
        except ChatOpsError:
            # Inside an open quote, or after a line that is too long to be a command.
            return
        if not words:
            yield from _matching(self._commands(), typed)
            return
        try:
            command, used = self._registry.find([word.text for word in words], terminal=True)
        except ChatOpsError:
            return
        yield from _Arguments(command, words[used:], self._registry, self._names).completions(typed)

    def _commands(self) -> Iterator[_Offer]:
        for command in self._registry:
            if " " not in command.name:
                yield _Offer(f"/{command.name}", command.summary, also=command.name)
        yield _Offer("/exit", "Leave.", also="exit")


class _Arguments:
    """What may follow a command of which some words are there already."""

    def __init__(self, command: Command, words: list[Word], registry: Registry, names: RememberedNames) -> None:
        self._command = command
        self._words = words
        self._registry = registry
        self._names = names
        self._options = {
            parameter.name: parameter
            for parameter in command.parameters
            if parameter.kind in {ParameterKind.OPTION, ParameterKind.FLAG}
        }

    def completions(self, typed: str) -> Iterator[Completion]:
        key, equals, value = typed.removeprefix("--").partition("=")
        if equals:
            if option := self._options.get(key.lower()):
                yield from _matching(self._values(option), value)
            return
        if not self._words:
            subcommands = (
                _Offer(name, self._summary(f"{self._command.name} {name}"))
                for name in self._registry.subcommands(self._command)
            )
            yield from _matching(subcommands, typed)
        if parameter := self._awaited():
            yield from _matching(self._values(parameter), typed)
        yield from _matching(self._unused_options(), typed)

    def _summary(self, name: str) -> str:
        command = self._registry.get(name)
        return command.summary if command else ""

    def _awaited(self) -> CommandParameter | None:
        """The parameter that the next plain word would be."""
        plain = [word for word in self._words if not self._is_option(word) and word.key is None]
        places = [
            parameter
            for parameter in self._command.parameters
            if parameter.kind in {ParameterKind.POSITIONAL, ParameterKind.REST, ParameterKind.ASSIGNMENTS}
        ]
        for place, parameter in enumerate(places):
            if parameter.kind is not ParameterKind.POSITIONAL or place == len(plain):
                return parameter
        return None

    def _is_option(self, word: Word) -> bool:
        return self._name_of_option(word) in self._options

    def _name_of_option(self, word: Word) -> str:
        return (word.key or word.text).removeprefix("--").partition("=")[0].lower()

    def _unused_options(self) -> Iterator[_Offer]:
        used = {self._name_of_option(word) for word in self._words}
        for name, option in self._options.items():
            if name not in used:
                yield _Offer(_written(option), option.description, also=name)

    def _values(self, parameter: CommandParameter) -> Iterator[_Offer]:
        names = self._names.now
        match parameter.converter.completes:
            case "experiment":
                yield from (_Offer(short_id, name, also=name) for short_id, name in names.experiments)
                yield _Offer("last", "the one last changed")
            case "queue":
                yield from map(_Offer, names.queues)
            case "parameter":
                assigned = any(item.kind is ParameterKind.ASSIGNMENTS for item in self._command.parameters)
                yield from (_Offer(f"{name}=" if assigned else name) for name in names.parameters)
            case "status":
                yield from (_Offer(status.word.lower()) for status in SHOWN_STATUSES)
            case "place":
                yield from (_Offer("front", "before all others"), _Offer("back", "behind all others"))
            case "command":
                for command in self._registry:
                    # As one word, which needs no quotes.
                    yield _Offer(command.name.replace(" ", "_"), command.summary, also=command.name)


def _written(option: CommandParameter) -> str:
    if option.kind is ParameterKind.OPTION:
        return f"{option.name}="
    return option.name if option.bare_word else f"--{option.name}"


def _matching(offers: Iterable[_Offer], typed: str) -> Iterator[Completion]:
    """The offers that hold what was typed, those that begin with it first."""
    wanted = typed.casefold()
    found = [
        offer
        for offer in offers
        if wanted in offer.text.casefold() or wanted in offer.also.casefold()
        # A name that cannot be shown cannot be typed either.
        if visible_line(offer.text) == offer.text
    ]
    found.sort(key=lambda offer: not _begins(offer, wanted))
    for offer in found:
        hint = visible_line(offer.hint)
        yield Completion(
            _quoted(offer.text),
            start_position=-len(typed),
            display=offer.text,
            display_meta=hint if len(hint) <= _LONGEST_HINT else hint[: _LONGEST_HINT - 1] + "…",
        )


def _begins(offer: _Offer, wanted: str) -> bool:
    return offer.text.casefold().startswith(wanted) or offer.also.casefold().startswith(wanted)


def _quoted(text: str) -> str:
    """A name as one word of a line."""
    if _PLAIN_WORD.fullmatch(text.removesuffix("=")):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
