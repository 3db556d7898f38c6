"""Tab completion, from the commands' declarations and the cached names."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from clearml_chatops.bot.frontends.console.name_cache import NameCache
from clearml_chatops.bot.frontends.sanitizing import sanitize_line
from clearml_chatops.handlers.command_line import Word, split_words
from clearml_chatops.handlers.registry import Command, CommandParameter, ParameterKind, Registry
from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.models.experiments import SHOWN_STATUSES

EXIT_WORDS = frozenset({"/exit", "exit", "/quit", "quit"})
_MAX_HINT_LENGTH = 60
_PLAIN_WORD = re.compile(r"[\w./:@%+,-]+")


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A text to insert. `hint` is shown next to it, and `alias` is another text that finds it."""

    text: str
    hint: str = ""
    alias: str = ""


class CommandCompleter(Completer):
    """Completes the word before the cursor."""

    def __init__(self, registry: Registry, name_cache: NameCache) -> None:
        self._registry = registry
        self._name_cache = name_cache

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:  # noqa: ARG002  # the interface of all completers
        self._name_cache.refresh_if_stale()
        text_before_cursor = document.text_before_cursor
        typed = re.split(r"\s", text_before_cursor)[-1]
        try:
            words = split_words(text_before_cursor[: len(text_before_cursor) - len(typed)])
        except ChatOpsError:
            # Inside an open quote, or in a line that is too long for a command.
            return
        if not words:
            yield from _complete_matching(self._list_commands(), typed)
            return
        try:
            command, name_word_count = self._registry.find([word.text for word in words], terminal=True)
        except ChatOpsError:
            return
        yield from _ArgumentCompleter(command, words[name_word_count:], self._registry, self._name_cache).complete(
            typed
        )

    def _list_commands(self) -> Iterator[_Candidate]:
        for command in self._registry:
            if " " not in command.name:
                yield _Candidate(f"/{command.name}", command.summary, alias=command.name)
        yield _Candidate("/exit", "Leave the chat.", alias="exit")


class _ArgumentCompleter:
    """Completes the arguments of a command after the words that are typed already."""

    def __init__(self, command: Command, words: list[Word], registry: Registry, name_cache: NameCache) -> None:
        self._command = command
        self._words = words
        self._registry = registry
        self._name_cache = name_cache
        self._options = {
            parameter.name: parameter
            for parameter in command.shown_parameters
            if parameter.kind in {ParameterKind.OPTION, ParameterKind.FLAG}
        }

    def complete(self, typed: str) -> Iterator[Completion]:
        key, equals, value = typed.removeprefix("--").partition("=")
        if equals:
            if option := self._options.get(key.lower()):
                yield from _complete_matching(self._list_values(option), value)
            return
        if not self._words:
            subcommands = (
                _Candidate(name, self._get_summary(f"{self._command.name} {name}"))
                for name in self._registry.list_subcommands(self._command)
            )
            yield from _complete_matching(subcommands, typed)
        if parameter := self._find_next_parameter():
            yield from _complete_matching(self._list_values(parameter), typed)
        yield from _complete_matching(self._list_unused_options(), typed)

    def _get_summary(self, name: str) -> str:
        command = self._registry.get(name)
        return command.summary if command else ""

    def _find_next_parameter(self) -> CommandParameter | None:
        """Return the parameter that takes the next plain word."""
        plain_words = [word for word in self._words if not self._is_option(word) and word.key is None]
        parameters = [
            parameter
            for parameter in self._command.parameters
            if parameter.kind in {ParameterKind.POSITIONAL, ParameterKind.REST, ParameterKind.ASSIGNMENTS}
        ]
        for index, parameter in enumerate(parameters):
            if parameter.kind is not ParameterKind.POSITIONAL or index == len(plain_words):
                return parameter
        return None

    def _is_option(self, word: Word) -> bool:
        return self._get_option_name(word) in self._options

    def _get_option_name(self, word: Word) -> str:
        return (word.key or word.text).removeprefix("--").partition("=")[0].lower()

    def _list_unused_options(self) -> Iterator[_Candidate]:
        used_names = {self._get_option_name(word) for word in self._words}
        for name, option in self._options.items():
            if name not in used_names:
                yield _Candidate(_format_option(option), option.description, alias=name)

    def _list_values(self, parameter: CommandParameter) -> Iterator[_Candidate]:
        names = self._name_cache.current
        match parameter.converter.completion:
            case "experiment":
                yield from (_Candidate(short_id, name, alias=name) for short_id, name in names.experiments)
                yield _Candidate("last", "your experiment with the latest status change")
            case "queue":
                yield from map(_Candidate, names.queues)
            case "parameter":
                takes_assignments = any(
                    item.kind is ParameterKind.ASSIGNMENTS for item in self._command.parameters
                )
                yield from (_Candidate(f"{name}=" if takes_assignments else name) for name in names.parameters)
            case "status":
                yield from (_Candidate(status.label.lower()) for status in SHOWN_STATUSES)
            case "position":
                yield from (_Candidate("front", "first in the queue"), _Candidate("back", "last in the queue"))
            case "command":
                for command in self._registry:
                    # One word needs no quotes.
                    yield _Candidate(command.name.replace(" ", "_"), command.summary, alias=command.name)


def _format_option(option: CommandParameter) -> str:
    if option.kind is ParameterKind.OPTION:
        return f"{option.name}="
    return option.name if option.bare_word else f"--{option.name}"


def _complete_matching(candidates: Iterable[_Candidate], typed: str) -> Iterator[Completion]:
    """Yield the candidates that contain the typed text, those that start with it first."""
    query = typed.casefold()
    matches = [
        candidate
        for candidate in candidates
        if query in candidate.text.casefold() or query in candidate.alias.casefold()
        # A name with invisible characters can't be typed.
        if sanitize_line(candidate.text) == candidate.text
    ]
    matches.sort(key=lambda candidate: not _starts_with(candidate, query))
    for candidate in matches:
        hint = sanitize_line(candidate.hint)
        yield Completion(
            _quoted(candidate.text),
            start_position=-len(typed),
            display=candidate.text,
            display_meta=hint if len(hint) <= _MAX_HINT_LENGTH else hint[: _MAX_HINT_LENGTH - 1] + "…",
        )


def _starts_with(candidate: _Candidate, query: str) -> bool:
    return candidate.text.casefold().startswith(query) or candidate.alias.casefold().startswith(query)


def _quoted(text: str) -> str:
    """Return a name as one word of a command line."""
    name = text.removesuffix("=")
    if _PLAIN_WORD.fullmatch(name):
        return text
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"{text[len(name) :]}'
