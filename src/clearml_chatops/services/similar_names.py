"""What a person may have meant by a name that does not exist."""

from collections.abc import Iterable

from rapidfuzz import fuzz, process

_MIN_SIMILARITY = 60
"""Of 100: below it a suggestion puzzles more than it helps."""

_MAX_SUGGESTIONS = 3


def find_similar_names(typed: str, names: Iterable[str]) -> list[str]:
    """The names most like what was typed, best first; empty when none is like it. Case is the same."""
    found = process.extract(
        typed,
        list(names),
        scorer=fuzz.ratio,
        processor=str.casefold,
        limit=_MAX_SUGGESTIONS,
        score_cutoff=_MIN_SIMILARITY,
    )
    return [name for name, _, _ in found]


def format_suggestion(names: Iterable[str]) -> str:
    """The question that names them, with a space before; empty where there are none."""
    choices = " or ".join(names)
    return f" Did you mean {choices}?" if choices else ""
