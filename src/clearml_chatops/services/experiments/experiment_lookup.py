"""Lookup of experiments by id, id prefix, name, link, `last`, or nothing for the current one."""

import asyncio
import heapq
import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

from clearml_chatops.models.errors import (
    AmbiguousExperimentError,
    ExperimentNotFoundError,
    NoCurrentExperimentError,
)
from clearml_chatops.models.experiments import Experiment
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.people import Person
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.clearml_gateway.experiment_filters import ExperimentFilter
from clearml_chatops.services.experiments.ownership import Ownership
from clearml_chatops.storage.current_experiments import CurrentExperimentStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.watcher import WatcherStore

LAST_REFERENCE = "last"
MIN_ID_PREFIX_LENGTH = 4
MAX_CHOICES = 8
_MAX_COMPARED = 100
"""Experiments with the same name of which the newest are offered."""

_FULL_ID = re.compile(r"[0-9a-f]{32}")
_ID_PREFIX = re.compile(rf"[0-9a-f]{{{MIN_ID_PREFIX_LENGTH},31}}")
_WEB_LINK = re.compile(r"https?://\S*/(?:experiments|tasks)/([0-9a-f]{32})")


class ExperimentLookup:
    """Finds experiments for one person in one conversation.

    `context_experiment_id` is the experiment of the card or thread that the message replies to, if any.
    """

    def __init__(
        self,
        *,
        clearml: ClearML,
        database: Database,
        ownership: Ownership,
        person: Person,
        conversation: Conversation,
        context_experiment_id: str,
    ) -> None:
        self._clearml = clearml
        self._ownership = ownership
        self._database = database
        self._person = person
        self._conversation = conversation
        self._context_experiment_id = context_experiment_id

    async def find(self, reference: str) -> Experiment:
        """Return the experiment for a reference. One request, a second one for a name with many matches.

        Raises:
            ExperimentNotFoundError, AmbiguousExperimentError, NoCurrentExperimentError.
        """
        return (await self.find_with_parent(reference))[0]

    async def find_with_parent(self, reference: str) -> tuple[Experiment, Experiment | None]:
        """Return the experiment, and its parent if the bot knows the parent's id. No additional request."""
        reference = reference.strip()
        experiment_id = await self._resolve_id(reference)
        if experiment_id:
            async with self._database.reading() as session:
                state = (await WatcherStore(session).find_states([experiment_id])).get(experiment_id)
            parent_id = state.parent_id if state else ""
            found = await self._clearml.get_experiments(
                [experiment_id, parent_id] if parent_id else [experiment_id]
            )
            if experiment_id not in found:
                raise ExperimentNotFoundError(reference=reference or experiment_id)
            return found[experiment_id], found.get(parent_id)
        if reference.casefold() == LAST_REFERENCE:
            return await self._find_last(), None
        return await self._find_by_text(reference), None

    async def find_own(
        self, experiment_filter: ExperimentFilter, *, limit: int, skip: int = 0, with_details: bool = False
    ) -> tuple[Experiment, ...]:
        """Return the person's own matching experiments, the last changed first, without the first `skip`.

        One request. If the bot created experiments for the person that it owns on the server, a second
        concurrent one; both results are read from the start, because they are merged before skipping.
        """
        own_filter = replace(experiment_filter, user_ids=(await self._ownership.get_user_id(),))
        created_ids = await self._ownership.list_created_ids()
        if not created_ids:
            return await self._clearml.find_experiments(
                own_filter, skip=skip, limit=limit, with_details=with_details
            )
        lists = await asyncio.gather(
            self._clearml.find_experiments(own_filter, limit=skip + limit, with_details=with_details),
            self._clearml.find_experiments(
                replace(experiment_filter, ids=tuple(created_ids)), limit=skip + limit, with_details=with_details
            ),
        )
        merged = heapq.merge(*lists, key=lambda item: item.status_changed, reverse=True)
        return tuple(islice(merged, skip, skip + limit))

    async def set_current(self, experiment_id: str) -> None:
        """Make an experiment the one that commands without a reference use in this conversation."""
        async with self._database.writing() as session:
            await CurrentExperimentStore(session).set(self._conversation, self._person.id, experiment_id)

    async def forget_current(self, experiment_id: str) -> None:
        """Leave the conversation without a current experiment if it is this one."""
        if await self.get_current_id() == experiment_id:
            async with self._database.writing() as session:
                await CurrentExperimentStore(session).remove(self._conversation, self._person.id)

    async def get_current_id(self) -> str:
        """Return the id that commands without a reference use; empty if there is none."""
        if self._context_experiment_id:
            return self._context_experiment_id
        async with self._database.reading() as session:
            return await CurrentExperimentStore(session).get(self._conversation, self._person.id)

    async def _resolve_id(self, reference: str) -> str:
        """Return the full id that the reference contains; empty if ClearML has to be searched."""
        if not reference:
            current = await self.get_current_id()
            if not current:
                raise NoCurrentExperimentError
            return current
        if link := _WEB_LINK.match(reference):
            return link[1]
        return reference.lower() if _FULL_ID.fullmatch(reference.lower()) else ""

    async def _find_last(self) -> Experiment:
        """Return the person's experiment that changed last."""
        found = await self.find_own(ExperimentFilter(), limit=1, with_details=True)
        if not found:
            raise ExperimentNotFoundError(reference=LAST_REFERENCE)
        return found[0]

    async def _find_by_text(self, reference: str) -> Experiment:
        matching = await self._find_matches(reference) or await self._find_matches(reference, include_hidden=True)
        if not matching:
            raise ExperimentNotFoundError(reference=reference)
        if len(matching) > 1:
            newest = sorted(matching, key=lambda item: item.status_changed, reverse=True)[:MAX_CHOICES]
            raise AmbiguousExperimentError(
                reference=reference,
                count=len(matching),
                has_more=len(matching) >= _MAX_COMPARED,
                candidates=await self._ownership.name_owners(newest),
            )
        return matching[0]

    async def _find_matches(self, reference: str, *, include_hidden: bool = False) -> list[Experiment]:
        """Return the best matches, with all details if there is only one."""
        experiment_filter = ExperimentFilter(text=reference, include_hidden=include_hidden)
        found = await self._clearml.find_experiments(experiment_filter, limit=MAX_CHOICES + 1, with_details=True)
        if len(found) > MAX_CHOICES:
            return await self._find_among_many(experiment_filter)
        return _select_best_matches([item for item in found if include_hidden or not item.hidden], reference)

    async def _find_among_many(self, experiment_filter: ExperimentFilter) -> list[Experiment]:
        """Return the best matches for a text that many experiments have in their name."""
        matching: list[Experiment] = []
        # An exact match may have changed too long ago to be among the first results.
        for is_exact in (True, False):
            found = await self._clearml.search_experiments(
                replace(experiment_filter, exact=is_exact),
                accepts=lambda item: experiment_filter.include_hidden or not item.hidden,
                limit=_MAX_COMPARED,
            )
            matching = _select_best_matches(found, experiment_filter.text)
            if matching:
                break
        if len(matching) == 1:
            return list((await self._clearml.get_experiments([matching[0].id])).values())
        return matching


def is_explicit_reference(reference: str) -> bool:
    """Return whether it can only mean an experiment: an id or id prefix, a link, `last`."""
    folded_text = reference.strip().casefold()
    return bool(
        folded_text == LAST_REFERENCE
        or _FULL_ID.fullmatch(folded_text)
        or _ID_PREFIX.fullmatch(folded_text)
        or _WEB_LINK.match(reference)
    )


def _select_best_matches(found: Iterable[Experiment], reference: str) -> list[Experiment]:
    """Return the matches by id prefix, or else by whole name, or else by part of the name."""
    items, folded_text = list(found), reference.casefold()
    by_id = (
        [item for item in items if item.id.startswith(folded_text)] if _ID_PREFIX.fullmatch(folded_text) else []
    )
    by_name = [item for item in items if item.name.casefold() == folded_text]
    return by_id or by_name or [item for item in items if folded_text in item.name.casefold()]
