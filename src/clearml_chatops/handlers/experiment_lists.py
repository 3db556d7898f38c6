"""Several experiments in one line: ids, quoted names, names with commas, `last 3`, and searches."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated

from clearml_chatops.handlers.arguments import ButtonOnly, PlainText, SeveralWords
from clearml_chatops.handlers.command_line import Word
from clearml_chatops.services.experiments.experiment_lookup import LAST_REFERENCE, is_explicit_reference

_COUNT = re.compile(r"\d{1,3}")


@dataclass(frozen=True, slots=True)
class SeveralExperiments(SeveralWords):
    """All remaining words, as references to experiments."""

    completion: str = "experiment"


@dataclass(frozen=True, slots=True)
class SearchWords(PlainText):
    """The words of a search: in quotes, or else all that follow and are no option of the command."""


ExperimentReferences = Annotated[tuple[str, ...], SeveralExperiments()]
SearchText = Annotated[str, SearchWords()]
ConfirmationToken = Annotated[str, PlainText(), ButtonOnly()]


def split_references(words: Sequence[Word]) -> tuple[str, ...]:
    """Return the references in the words of a line.

    Each quoted word is one. Other words are one each if all of them can only mean experiments (ids, links,
    `last`, `last 3`); else they are the words of one name, as `first run` is. Names with commas between them
    stay together: only a look at ClearML tells whether the commas are part of a name.
    """
    references: list[str] = []
    for is_quoted, group in groupby(words, key=lambda word: word.quoted):
        texts = [word.text for word in group]
        references += [text.rstrip(",") for text in texts] if is_quoted else _split_unquoted(texts)
    return tuple(reference for reference in references if reference.strip(", "))


def _split_unquoted(texts: Sequence[str]) -> list[str]:
    parts = [part for text in texts for part in text.split(",") if part]
    joined = _join_last_counts(parts)
    if all(is_explicit_reference(part.partition(" ")[0]) for part in joined):
        return joined
    return [" ".join(texts)]


def _join_last_counts(parts: Iterable[str]) -> list[str]:
    """Return the parts with `last` and a count after it as one."""
    joined: list[str] = []
    for part in parts:
        if joined and joined[-1].casefold() == LAST_REFERENCE and _COUNT.fullmatch(part):
            joined[-1] = f"{LAST_REFERENCE} {part}"
        else:
            joined.append(part)
    return joined
