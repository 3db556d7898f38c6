"""Filters for experiments, and their translation into the fields of `tasks.get_all_ex`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from clearml_chatops.models.experiments import Status

NEWEST_CHANGE_FIRST = "-last_update"
_ID_LENGTH = 32
_LOWEST_NUMBER = -1.7e308
"""In place of no lower bound, with which ClearML would also find what never reported the metric."""


@dataclass(frozen=True, slots=True)
class MetricKey:
    """A scalar as ClearML stores its last value: under the hashes of its title and its series."""

    metric: str
    variant: str
    metric_hash: str
    variant_hash: str

    @property
    def name(self) -> str:
        return f"{self.metric}/{self.variant}"

    @property
    def path(self) -> str:
        return f"last_metrics.{self.metric_hash}.{self.variant_hash}"


@dataclass(frozen=True, slots=True)
class ValueRange:
    """The bounds of a metric's last value, both included. None is no bound."""

    lowest: float | None = None
    highest: float | None = None


@dataclass(frozen=True, slots=True)
class ExperimentFilter:
    """Search criteria. `text` is matched literally, never as a pattern, and ignoring case.

    With `exact`, `text` must be the whole name or the start of the id. An experiment must have all `tags` and
    none of the `excluded_tags`. `order_by` is ClearML's name of a field, with a minus for the highest first.
    """

    text: str = ""
    exact: bool = False
    ids: tuple[str, ...] = ()
    project_ids: tuple[str, ...] = ()
    user_ids: tuple[str, ...] = ()
    statuses: tuple[Status, ...] = ()
    tags: tuple[str, ...] = ()
    excluded_tags: tuple[str, ...] = ()
    changed_since: datetime | None = None
    ranges: Mapping[MetricKey, ValueRange] = field(default_factory=dict)
    include_hidden: bool = False
    order_by: str = NEWEST_CHANGE_FIRST


def build_query(experiment_filter: ExperimentFilter) -> dict[str, object]:
    """Return the fields of a request. Servers leave out fields that they don't know, so check what is found."""
    query: dict[str, object] = {
        "order_by": [experiment_filter.order_by],
        "system_tags": ["-archived"] if experiment_filter.include_hidden else ["-archived", "-hidden", "-dataset"],
        "search_hidden": experiment_filter.include_hidden,
    }
    if experiment_filter.text:
        query["_any_"] = {"fields": ["id", "name"], "pattern": _build_pattern(experiment_filter)}
    lists: dict[str, list[str]] = {
        "id": list(experiment_filter.ids),
        "project": list(experiment_filter.project_ids),
        "user": list(experiment_filter.user_ids),
        "status": [status.value for status in experiment_filter.statuses],
        "tags": _build_tag_condition(experiment_filter),
    }
    query |= {name: values for name, values in lists.items() if values}
    if experiment_filter.changed_since:
        query["status_changed"] = [f">={experiment_filter.changed_since.isoformat()}"]
    for key, bounds in experiment_filter.ranges.items():
        lowest = _LOWEST_NUMBER if bounds.lowest is None else bounds.lowest
        query[f"{key.path}.value"] = [lowest, bounds.highest]
    return query


def _build_tag_condition(experiment_filter: ExperimentFilter) -> list[str]:
    wanted, excluded = experiment_filter.tags, experiment_filter.excluded_tags
    conditions = ["__$all", *wanted] if wanted else []
    if not excluded:
        return conditions
    # After "any", excluded values mean none of them; after "all", not all of them.
    return [*conditions, "__$any", *(word for tag in excluded for word in ("__$not", tag))]


def _build_pattern(experiment_filter: ExperimentFilter) -> str:
    """Return the regular expression for names and ids."""
    text = re.escape(experiment_filter.text)
    if not experiment_filter.exact:
        return text
    rest_of_id = max(0, _ID_LENGTH - len(experiment_filter.text))
    return rf"^{text}$|^{text}[0-9a-f]{{{rest_of_id}}}$"
