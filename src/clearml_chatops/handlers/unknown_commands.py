"""The answer to a line that is no command: what it probably means, as buttons with the rest of the line."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, permutations

from clearml_chatops.handlers.command_line import Word
from clearml_chatops.handlers.intents import INTENTS, Intent
from clearml_chatops.handlers.line_fitting import fit_line, shorten_line
from clearml_chatops.handlers.meanings import find_intent, find_main_intent, is_filler, is_verb, rank_commands
from clearml_chatops.handlers.registry import Command, ParameterKind, Registry, normalize_name
from clearml_chatops.models.errors import UnknownCommandError
from clearml_chatops.models.replies import Button, Buttons, Outcome, Reply, Text, Tone
from clearml_chatops.services.similar_names import find_similar_names, format_suggestion

_MAX_BUTTONS = 4
_MAX_TEXT_BUTTONS = 3
_MIN_SUBCOMMAND_SIMILARITY = 75
_MIN_TEXT_SIMILARITY = 80
"""Below these, a word is rather another word than a typo."""
_MAX_VERB_WORDS = 3
"""A line without a slash that is longer, or a question, is free text."""
_ADDRESSING_WORDS = frozenset({"me", "us", "you", "please"})
_LINK_CODE_LENGTH = 16
"""A shorter word after `start` isn't a code that links an account, but prose: “start training”."""
_DEFAULT_COMMANDS = ("find", "home", "help")
_LABELS = {offer.command: offer.label for intent in reversed(INTENTS) for offer in intent.offers}
_FREE_TEXT_ANSWER = "That isn't a command."


@dataclass(frozen=True, slots=True)
class UnknownLine:
    """A line that no command's name begins, and the commands that the person may use."""

    words: Sequence[Word]
    registry: Registry
    commands: Sequence[Command]

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @property
    def is_free_text(self) -> bool:
        """Whether it is prose, and not an attempt to type a command."""
        first = self.words[0].text
        if first.startswith("/"):
            return False
        if is_prose(self.words):
            return True
        intent = find_intent(first)
        if len(self.words) > _MAX_VERB_WORDS:
            return True
        return not (intent and intent.carries_rest) and not self._names_command(first)

    def _names_command(self, word: str) -> bool:
        names = [command.name.split()[0] for command in self.commands]
        return bool(find_similar_names(word, names, min_similarity=_MIN_TEXT_SIMILARITY))

    def find_intent(self) -> Intent | None:
        """Return the intent of its first word, unless that names a command such as /worker."""
        first = normalize_name(self.words[0].text)
        return None if self.registry.get(first) else find_intent(first)

    def find_command(self, name: str) -> Command | None:
        return next((command for command in self.commands if command.name == name), None)


def is_prose(words: Sequence[Word]) -> bool:
    """Return whether a line is prose although its first word may name a command: "show me my runs"."""
    if words[0].text.startswith("/") or any(word.quoted or word.key is not None for word in words):
        return False
    if len(words) == 1:
        return False
    first, second = (word.text.casefold() for word in words[:2])
    is_question = len(words) >= _MAX_VERB_WORDS and words[-1].text.endswith("?")
    return is_question or second in _ADDRESSING_WORDS or (first == "start" and len(second) < _LINK_CODE_LENGTH)


def build_unknown_command_reply(line: UnknownLine) -> Reply:
    """Return the answer to a line that is no command. Nothing is run: each suggestion is a button."""
    if line.is_free_text:
        return _build_free_text_reply(line)
    intent = None if any(_list_subcommand_buttons(line)) else line.find_intent()
    buttons = tuple(islice(_drop_repeated(_list_buttons(line)), _MAX_BUTTONS))
    advice = f" {intent.answer}" if intent else format_suggestion(button.command for button in buttons[:1])
    text = Text(str(UnknownCommandError(name=_name_unknown(line), nearest=advice)), Tone.FAILURE)
    return Reply((text, Buttons(buttons)) if buttons else (text,), Outcome.REFUSED)


def is_for_bot(text: str, registry: Registry) -> bool:
    """Return whether a line is a command, or looks like one by its verb or its spelling.

    Where many people write, prose that nobody addresses to the bot gets no answer.
    """
    words = [Word(word) for word in text.split()]
    try:
        registry.find([word.text for word in words], terminal=False)
    except UnknownCommandError:
        line = UnknownLine(words, registry, [command for command in registry if not command.terminal_only])
        return bool(words) and not line.is_free_text and any(_list_buttons(line))
    return True


def _build_free_text_reply(line: UnknownLine) -> Reply:
    intent = find_main_intent(line.text)
    commands = rank_commands(line.text, line.commands)
    defaults = [command for name in _DEFAULT_COMMANDS if (command := line.find_command(name))]
    own_labels = {offer.command: offer.label for offer in intent.offers} if intent else {}
    find = line.find_command("find")
    # A few words without a meaning may be a name.
    is_name = find and not commands and len(line.words) <= _MAX_VERB_WORDS
    find_line = fit_line(find, line.words) if find and is_name else None
    found_buttons = [Button(_label("Find", line.words), find_line)] if find_line else []
    buttons = _drop_repeated(
        Button(own_labels.get(command.name) or _LABELS.get(command.name, f"/{command.name}"), button_line)
        for command in (*commands, *defaults)
        if (button_line := fit_line(command, []))
    )
    return Reply(
        (
            Text(intent.answer if intent else _FREE_TEXT_ANSWER),
            Buttons(tuple(islice(chain(found_buttons, buttons), _MAX_TEXT_BUTTONS))),
            Text("See all commands with /help.", Tone.SUBTLE),
        ),
        Outcome.REFUSED,
    )


def _list_buttons(line: UnknownLine) -> Iterator[Button]:
    """Yield what the line probably means, the likeliest first."""
    typed = normalize_name(line.words[0].text)
    buttons = list(_list_misspelled_buttons(line, typed)) or list(_list_subcommand_buttons(line))
    if buttons:
        yield from buttons
    elif line.registry.get(typed):
        yield from _list_family_buttons(line, typed)
    elif intent := find_intent(typed):
        yield from _list_intent_buttons(line, intent)
    else:
        names = find_similar_names(typed, [command.name for command in line.commands])
        yield from _build_line_buttons(line, names, line.words[1:])


def _list_intent_buttons(line: UnknownLine, intent: Intent) -> Iterator[Button]:
    """Yield the offers of an intent with the rest of the line; without it if none can take it."""
    rest = line.words[1:] if intent.carries_rest else []
    if all(word.key is None and is_filler(word.text) for word in rest):
        rest = []
    offers = [(offer.label, command) for offer in intent.offers if (command := line.find_command(offer.command))]
    for words in (rest, []):
        fitted = [(label, fit_line(command, words)) for label, command in offers]
        buttons = [Button(_label(label, words), command) for label, command in fitted if command]
        if buttons:
            yield from buttons
            return


def _build_line_buttons(line: UnknownLine, names: Iterable[str], rest: Sequence[Word]) -> Iterator[Button]:
    """Yield these commands with the rest of the line; without it if none can take it."""
    commands = [command for name in names if (command := line.find_command(name))]
    lines = [fitted for command in commands if (fitted := fit_line(command, rest))]
    for fitted in lines or [f"/{command.name}" for command in commands]:
        yield Button(shorten_line(fitted), fitted)


def _list_misspelled_buttons(line: UnknownLine, family: str) -> Iterator[Button]:
    """Yield the subcommands with a name similar to the word after the family."""
    seconds = [command.name.split()[1] for command in line.commands if command.name.startswith(f"{family} ")]
    if line.registry.get(family) and len(line.words) > 1 and not is_verb(line.words[1].text):
        similar = find_similar_names(line.words[1].text, seconds, min_similarity=_MIN_SUBCOMMAND_SIMILARITY)
        yield from _build_line_buttons(line, [f"{family} {second}" for second in similar], line.words[2:])


def _list_family_buttons(line: UnknownLine, family: str) -> Iterator[Button]:
    """Yield the commands of a family that take the words after it: `/queue alice_queue`."""
    rest = line.words[1:]
    for command in line.commands:
        takes_names = any(
            item.kind is ParameterKind.POSITIONAL and item.converter.completion == family
            for item in command.parameters
        )
        is_own = command.name == family or (command.name.startswith(f"{family} ") and takes_names)
        if is_own and (fitted := fit_line(command, rest)):
            yield Button(shorten_line(fitted), fitted)
    yield from _build_line_buttons(line, [family], [])


def _list_subcommand_buttons(line: UnknownLine) -> Iterator[Button]:
    """Yield the subcommands that a family and a verb name in any order: `/worker kill x`, `/list queues`."""
    names = [normalize_name(word.text) for word in line.words[:3]]
    families = {command.name.split()[0] for command in line.commands if " " in command.name}
    for index, verb_index in permutations(range(len(names)), 2):
        name = names[index]
        family = next((item for item in (name, name.removesuffix("s"), f"{name}s") if item in families), None)
        if family is None or 0 not in {index, verb_index}:
            continue
        rest = [word for at, word in enumerate(line.words) if at not in {index, verb_index}]
        for command in _find_subcommands(line, family, names[verb_index]):
            fitted = fit_line(command, rest) or f"/{command.name}"
            yield Button(shorten_line(fitted), fitted)


def _find_subcommands(line: UnknownLine, family: str, verb: str) -> Iterator[Command]:
    intent = find_intent(verb)
    offered = [offer.command for offer in intent.offers] if intent else []
    if command := line.find_command(f"{family} {verb}"):
        yield command
    for name in offered:
        if name.split()[0] == family and (command := line.find_command(name)):
            yield command


def _drop_repeated(buttons: Iterable[Button]) -> Iterator[Button]:
    seen: set[str] = set()
    for button in buttons:
        if button.command not in seen:
            seen.add(button.command)
            yield button


def _label(label: str, rest: Sequence[Word]) -> str:
    return shorten_line(" ".join((label, *(word.text for word in rest))))


def _name_unknown(line: UnknownLine) -> str:
    """Return what no command is named: the first word, with the second if the first is a family."""
    first = normalize_name(line.words[0].text)
    return f"{first} {line.words[1].text}" if line.registry.get(first) and len(line.words) > 1 else first
