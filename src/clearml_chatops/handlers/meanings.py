"""Which commands a text is likely about: its words against the table of intents and the commands' help."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from rapidfuzz import fuzz, process

from clearml_chatops.handlers.intents import INTENTS, Intent
from clearml_chatops.handlers.registry import Command

_FILLERS = frozenset(
    """
    a an and are as at be but by can could did do does for from had has have how i if in is it its just let me my
    of on or our please should so that the their them then there this to us want was we were will with would you
    your what im id ive lets which who where some any not no yes use used using here up down
    """.split()  # noqa: SIM905  # a list of words reads better as a text
)
_CURRENT_EXPERIMENT = frozenset({"run", "experiment", "task", "job", "training"})
_MIN_SIMILARITY = 84
_MIN_TYPO_LENGTH = 3
_MAIN_WEIGHT, _OTHER_WEIGHT, _NAME_WEIGHT, _HELP_WEIGHT = 5.0, 2.0, 0.8, 0.8


def list_words(text: str) -> list[str]:
    """Return the words of a text that carry a meaning, in lower case."""
    words = re.findall(r"[^\W_][\w-]*", text.casefold().replace("'", "").replace("’", ""))
    return [word for word in words if word not in _FILLERS]


def is_filler(word: str) -> bool:
    """Return whether a word only stands for the experiment that is meant anyway."""
    return word.casefold().strip("?!.,") in _FILLERS | _CURRENT_EXPERIMENT


def is_verb(word: str) -> bool:
    """Return whether a word is in the table of intents, spelled exactly so."""
    return any(word.casefold() in intent.words for intent in INTENTS)


def find_intent(word: str) -> Intent | None:
    """Return the intent of a verb, also of a misspelled one."""
    folded = word.casefold().strip("?!.,:;")
    exact = next((intent for intent in INTENTS if folded in intent.words), None)
    if exact or len(folded) < _MIN_TYPO_LENGTH:
        return exact
    words = {known: intent for intent in INTENTS for known in intent.words if len(known) > _MIN_TYPO_LENGTH}
    found = process.extractOne(folded, words.keys(), scorer=fuzz.ratio, score_cutoff=_MIN_SIMILARITY)
    return words[found[0]] if found else None


def find_main_intent(text: str) -> Intent | None:
    """Return the intent that most words of a text are about; of equals, the first of the text."""
    intents = [intent for word in list_words(text) if (intent := find_intent(word))]
    counted = Counter(id(intent) for intent in intents)
    return max(intents, key=lambda intent: (intent.carries_rest, counted[id(intent)]), default=None)


def count_shared_words(text: str, other: str) -> int:
    """Return how many words of a text are in the other one, whatever their endings."""
    return len({_stem(word) for word in list_words(text)} & {_stem(word) for word in list_words(other)})


def rank_commands(text: str, commands: Iterable[Command]) -> list[Command]:
    """Return the commands that a text is likely about, best first; none if it is about none."""
    words = list_words(text)
    by_name = {command.name: command for command in commands}
    scores: dict[str, float] = defaultdict(float)
    main = find_main_intent(text)
    for intent in (intent for word in words if (intent := find_intent(word))):
        for index, offer in enumerate(intent.offers):
            # A greeting counts only where nothing else is asked.
            weight = _MAIN_WEIGHT if intent is main else _OTHER_WEIGHT * intent.carries_rest
            scores[offer.command] += weight / (1 + index / 3)
    for name, score in _score_help(words, by_name).items():
        scores[name] += score
    ranked = sorted(scores, key=lambda name: -scores[name])
    return [by_name[name] for name in ranked if name in by_name and scores[name] > 0]


def _score_help(words: Iterable[str], commands: dict[str, Command]) -> dict[str, float]:
    """Return how well the words fit each command's name and summary. Rare words count more."""
    texts = {name: {_stem(word) for word in list_words(item.summary)} for name, item in commands.items()}
    frequencies = Counter(word for text in texts.values() for word in text)
    scores: dict[str, float] = defaultdict(float)
    for stem in {_stem(word) for word in words}:
        for name, text in texts.items():
            in_name = stem in {_stem(part) for part in name.split()}
            scores[name] += _NAME_WEIGHT * in_name
            scores[name] += _HELP_WEIGHT / frequencies[stem] if stem in text else 0
    return scores


def _stem(word: str) -> str:
    """Return a word without its usual endings, enough to compare words."""
    for ending in ("ings", "ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= _MIN_TYPO_LENGTH:
            return word.removesuffix(ending)
    return word
