"""Suggestions for a name that does not exist."""

from collections.abc import Iterable

from rapidfuzz import fuzz, process

_MIN_SIMILARITY = 60
"""Out of 100. Below this, a suggestion confuses more than it helps."""

_MAX_SUGGESTIONS = 3


def find_similar_names(typed: str, names: Iterable[str], *, min_similarity: int = _MIN_SIMILARITY) -> list[str]:
    """Return the names most similar to the typed one, best first; empty if none is. Ignores case."""
    found = process.extract(
        typed,
        list(names),
        scorer=fuzz.ratio,
        processor=str.casefold,
        limit=_MAX_SUGGESTIONS,
        score_cutoff=min_similarity,
    )
    return [name for name, _, _ in found]


def format_suggestion(names: Iterable[str]) -> str:
    """Return a question that suggests these names, with a leading space; empty for no names."""
    choices = " or ".join(names)
    return f" Did you mean {choices}?" if choices else ""
