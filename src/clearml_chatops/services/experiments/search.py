"""Searches: from the names that a person typed to ClearML's ids, and from there to experiments."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from clearml_chatops.models.alerts import MetricCondition
from clearml_chatops.models.experiments import Experiment
from clearml_chatops.models.searches import ExperimentSearch, SortField
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.clearml_gateway.experiment_filters import ExperimentFilter, MetricKey, ValueRange
from clearml_chatops.services.experiments.owners import Owned, OwnerDirectory
from clearml_chatops.services.experiments.ownership import Ownership
from clearml_chatops.services.experiments.projects import find_projects
from clearml_chatops.services.experiments.search_names import find_metric_key, find_sort_metric, find_tag
from clearml_chatops.services.experiments.search_order import build_order, get_metric_value, sort_experiments

EXPERIMENTS_PER_PAGE = 10


@dataclass(frozen=True, slots=True)
class FoundExperiments:
    """A part of what a search found. `metrics` are those that it is about, for a column each.

    `only_hidden_match` is whether nothing was found because ClearML's web UI hides all that matches.
    """

    experiments: tuple[Experiment, ...]
    has_more: bool = False
    metrics: tuple[MetricKey, ...] = ()
    only_hidden_match: bool = False


@dataclass(frozen=True, slots=True)
class _ResolvedSearch:
    """A search in ClearML's terms. What matches one of the filters is found."""

    search: ExperimentSearch
    filters: tuple[ExperimentFilter, ...]
    conditions: tuple[tuple[MetricCondition, MetricKey], ...]
    sort_metric: MetricKey | None

    @property
    def metrics(self) -> tuple[MetricKey, ...]:
        keys = [key for _, key in self.conditions] + [key for key in (self.sort_metric,) if key]
        return tuple(dict.fromkeys(keys))

    def accepts(self, item: Experiment) -> bool:
        """Return whether an experiment really matches: a server may not have checked all that it was asked."""
        if item.hidden and not self.search.include_hidden:
            return False
        if any(get_metric_value(item, key) is None for key in self.metrics):
            return False
        return all(
            condition.comparison.is_met(value, condition.threshold)
            for condition, key in self.conditions
            if (value := get_metric_value(item, key)) is not None
        )


class ExperimentSearcher:
    """Searches for one person."""

    def __init__(
        self,
        *,
        clearml: ClearML,
        owners: OwnerDirectory,
        ownership: Ownership,
        clock: Callable[[], datetime],
    ) -> None:
        self._clearml = clearml
        self._owners = owners
        self._ownership = ownership
        self._clock = clock

    async def find_page(self, search: ExperimentSearch, page: int) -> FoundExperiments:
        """Return a page of matches, with the people as owners that the bot created them for.

        Raises what `find` raises.
        """
        found = await self.find(search, limit=page * EXPERIMENTS_PER_PAGE)
        if not found.experiments and not search.include_hidden and search != ExperimentSearch():
            hidden = await self.find(replace(search, include_hidden=True), limit=1)
            return replace(found, only_hidden_match=bool(hidden.experiments))
        shown = found.experiments[(page - 1) * EXPERIMENTS_PER_PAGE :]
        return replace(found, experiments=await self._ownership.name_owners(shown))

    async def find(self, search: ExperimentSearch, *, limit: int) -> FoundExperiments:
        """Return the first matches. One request, and one more for each kind of name in the search.

        Raises:
            InvalidValueError, ProjectNotFoundError: there is no such owner, tag, metric or project.
        """
        resolved = await self._resolve(search)
        lists = await asyncio.gather(
            *(
                self._clearml.search_experiments(item, accepts=resolved.accepts, limit=limit + 1)
                for item in resolved.filters
            )
        )
        merged = _merge(lists, resolved)
        return FoundExperiments(tuple(merged[:limit]), len(merged) > limit, resolved.metrics)

    async def _resolve(self, search: ExperimentSearch) -> _ResolvedSearch:
        project_ids, owned, tags, (conditions, sort_metric) = await asyncio.gather(
            self._find_project_ids(search),
            self._find_owned(search),
            self._find_tags(search),
            self._find_metrics(search),
        )
        ranges: dict[MetricKey, ValueRange] = {sort_metric: ValueRange()} if sort_metric else {}
        for condition, key in conditions:
            ranges[key] = _narrow(ranges.get(key, ValueRange()), condition)
        base = ExperimentFilter(
            text=search.text,
            project_ids=project_ids,
            statuses=search.statuses,
            tags=tags[: len(search.tags)],
            excluded_tags=tags[len(search.tags) :],
            changed_since=None if search.changed_within is None else self._clock() - search.changed_within,
            ranges=ranges,
            include_hidden=search.include_hidden,
            order_by=build_order(search.sort, sort_metric),
        )
        return _ResolvedSearch(search, _split_by_owner(base, owned), conditions, sort_metric)

    async def _find_project_ids(self, search: ExperimentSearch) -> tuple[str, ...]:
        if not search.project:
            return ()
        found = await find_projects(self._clearml, search.project, include_hidden=search.include_hidden)
        return tuple(found.values())

    async def _find_owned(self, search: ExperimentSearch) -> Owned | None:
        """Return what may be found; None for everybody's experiments."""
        owned = await self._owners.find(search.owners) if search.owners else None
        if search.mine:
            owned = (owned or Owned()) | await self._owners.find_own()
        return owned

    async def _find_tags(self, search: ExperimentSearch) -> tuple[str, ...]:
        """Return the tags and then the excluded tags, as they are written in ClearML."""
        typed = (*search.tags, *search.excluded_tags)
        known = await self._clearml.list_tags() if typed else ()
        return tuple(find_tag(tag, known) for tag in typed)

    async def _find_metrics(
        self, search: ExperimentSearch
    ) -> tuple[tuple[tuple[MetricCondition, MetricKey], ...], MetricKey | None]:
        is_sorted_by_metric = not isinstance(search.sort.by, SortField)
        if not search.metrics and not is_sorted_by_metric:
            return (), None
        known = await self._clearml.list_metric_keys()
        conditions = tuple((item, find_metric_key(item, known)) for item in search.metrics)
        return conditions, find_sort_metric(search.sort, known) if is_sorted_by_metric else None


def _split_by_owner(base: ExperimentFilter, owned: Owned | None) -> tuple[ExperimentFilter, ...]:
    """Return a filter for what the owners have on the server, and one for what the bot has for them."""
    if owned is None:
        return (base,)
    of_users = replace(base, user_ids=owned.user_ids)
    of_bot = replace(base, ids=owned.experiment_ids)
    return (*((of_users,) if owned.user_ids else ()), *((of_bot,) if owned.experiment_ids else ()))


def _merge(lists: Sequence[tuple[Experiment, ...]], resolved: _ResolvedSearch) -> list[Experiment]:
    if len(lists) == 1:
        return list(lists[0])
    found = {item.id: item for items in lists for item in items}
    return sort_experiments(found.values(), resolved.search.sort, resolved.sort_metric)


def _narrow(bounds: ValueRange, condition: MetricCondition) -> ValueRange:
    """Return the bounds that also a condition sets. The server includes both; `accepts` excludes them again."""
    threshold = condition.threshold
    if condition.comparison.is_met_by_high_values:
        lowest = threshold if bounds.lowest is None else max(bounds.lowest, threshold)
        return replace(bounds, lowest=lowest)
    highest = threshold if bounds.highest is None else min(bounds.highest, threshold)
    return replace(bounds, highest=highest)
