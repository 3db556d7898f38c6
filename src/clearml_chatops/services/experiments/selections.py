"""Selections: which experiments a command for several means, and the lists that wait for a confirmation."""

import asyncio
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from clearml_chatops.models.actions import Action
from clearml_chatops.models.errors import (
    ExperimentNotFoundError,
    SelectionExpiredError,
    SelectionInProgressError,
    TooManyExperimentsError,
)
from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.searches import ExperimentSearch
from clearml_chatops.models.selections import SelectedExperiment
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.clearml_gateway.experiment_filters import ExperimentFilter
from clearml_chatops.services.experiments.experiment_lookup import LAST_REFERENCE, ExperimentLookup
from clearml_chatops.services.experiments.ownership import Ownership
from clearml_chatops.services.experiments.search import ExperimentSearcher
from clearml_chatops.services.people.actions import ActionService

MAX_SELECTED = 500
_MAX_CONCURRENT_LOOKUPS = 4
_FULL_ID = re.compile(r"[0-9a-fA-F]{32}")
_SEPARATOR = re.compile(r",(?:\s+and\s)?|\s+(?:and|&)\s+", re.IGNORECASE)
_LAST_FEW = re.compile(rf"{LAST_REFERENCE}\s+(\d{{1,3}})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a command's arguments mean: one experiment by its reference, or several.

    `token` is that of several that were shown before, and that the person has confirmed.
    """

    reference: str = ""
    several: tuple[Experiment, ...] | None = None
    token: str | None = None

    @property
    def is_several(self) -> bool:
        return self.token is not None or self.several is not None


class SelectionService:
    """Selections of one person."""

    def __init__(
        self,
        *,
        clearml: ClearML,
        lookup: ExperimentLookup,
        searcher: ExperimentSearcher,
        ownership: Ownership,
        actions: ActionService,
        in_progress: set[str],
    ) -> None:
        self._clearml = clearml
        self._lookup = lookup
        self._searcher = searcher
        self._ownership = ownership
        self._actions = actions
        self._in_progress = in_progress

    async def choose(self, references: Sequence[str]) -> Chosen:
        """Return what the references mean. No request for one reference without a comma or “and”.

        A name may contain these, so a text with them is a list only if it's no experiment as a whole.

        Raises:
            TooManyExperimentsError, and what `ExperimentLookup.find` raises for any of the references.
        """
        if len(references) == 1 and _SEPARATOR.search(references[0]):
            try:
                return Chosen((await self._lookup.find(references[0])).id)
            except ExperimentNotFoundError:
                references = [part.strip() for part in _SEPARATOR.split(references[0]) if part.strip()]
        if len(references) <= 1 and not any(map(_LAST_FEW.fullmatch, references)):
            return Chosen(references[0] if references else "")
        found = await self._find_each(references)
        unique = tuple({item.id: item for item in found}.values())
        _require_few(unique)
        return Chosen(unique[0].id) if len(unique) == 1 else Chosen(several=unique)

    async def search(self, search: ExperimentSearch) -> Chosen:
        """Return what a search finds: always as several, because nobody has named them.

        Raises:
            TooManyExperimentsError, and what `ExperimentSearcher.find` raises.
        """
        found = (await self._searcher.find(search, limit=MAX_SELECTED + 1)).experiments
        _require_few(found)
        return Chosen(several=found)

    async def store(self, experiments: Iterable[SelectedExperiment]) -> str:
        """Store what a person was shown, for a week, and return the token."""
        rows = [(item.id, item.name, item.status, item.status_changed.isoformat()) for item in experiments]
        return await self._actions.create_token(Action(json.dumps(rows)))

    async def load(self, token: str) -> tuple[SelectedExperiment, ...]:
        """Return what was shown. Raises SelectionExpiredError."""
        action = await self._actions.find_action(token)
        if action is None or not action.command.startswith("["):
            raise SelectionExpiredError
        return tuple(
            SelectedExperiment(id_, name, Status(status), datetime.fromisoformat(changed))
            for id_, name, status, changed in json.loads(action.command)
        )

    @contextmanager
    def claim(self, token: str) -> Iterator[None]:
        """Keep a second press from starting while the first one runs. Raises SelectionInProgressError."""
        if token in self._in_progress:
            raise SelectionInProgressError
        self._in_progress.add(token)
        try:
            yield
        finally:
            self._in_progress.discard(token)

    async def name_owners(self, experiments: Sequence[Experiment]) -> tuple[Experiment, ...]:
        return await self._ownership.name_owners(experiments)

    async def _find_each(self, references: Sequence[str]) -> list[Experiment]:
        ids = [reference.lower() for reference in references if _FULL_ID.fullmatch(reference)]
        by_id = await self._clearml.get_experiments(ids, with_details=False) if ids else {}
        limit = asyncio.Semaphore(_MAX_CONCURRENT_LOOKUPS)

        async def find(reference: str) -> tuple[Experiment, ...]:
            if _FULL_ID.fullmatch(reference):
                if reference.lower() not in by_id:
                    raise ExperimentNotFoundError(reference=reference)
                return (by_id[reference.lower()],)
            async with limit:
                if last_few := _LAST_FEW.fullmatch(reference):
                    count = min(int(last_few[1]), MAX_SELECTED + 1)
                    return await self._lookup.find_own(ExperimentFilter(), limit=count) if count else ()
                return (await self._lookup.find(reference),)

        return [item for items in await asyncio.gather(*map(find, references)) for item in items]


def _require_few(experiments: Sequence[Experiment]) -> None:
    if len(experiments) > MAX_SELECTED:
        raise TooManyExperimentsError(limit=MAX_SELECTED)
