"""Lookup of scalars by a part of `metric/variant`, ignoring case."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from clearml_chatops.models.errors import MetricNotFoundError
from clearml_chatops.models.experiments import Metric
from clearml_chatops.models.scalars import Curve
from clearml_chatops.services.similar_names import find_similar_names, format_suggestion

Scalar = TypeVar("Scalar", bound=Curve | Metric)


def find_scalars(words: Iterable[str], scalars: Sequence[Scalar], *, experiment: str) -> list[Scalar]:
    """Return the scalars that the words match, in the order of the words. A whole name matches only itself.

    Raises:
        MetricNotFoundError: a word is in no name. The error contains similar names.
    """
    found: list[Scalar] = []
    for word in words:
        folded_word = word.casefold()
        exact = [item for item in scalars if folded_word in {item.metric.casefold(), item.name.casefold()}]
        matching = exact or [item for item in scalars if folded_word in item.name.casefold()]
        if not matching:
            nearest = suggest_scalar_names(word, [item.name for item in scalars])
            raise MetricNotFoundError(experiment=experiment, name=word, nearest=nearest)
        found += [item for item in matching if item not in found]
    return found


def suggest_scalar_names(word: str, names: Sequence[str]) -> str:
    """Return a question that suggests similar names or parts of names; empty if none is similar."""
    parts = {part: None for name in names for part in (name, *name.split("/"))}
    return format_suggestion(find_similar_names(word, parts))
