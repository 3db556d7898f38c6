"""Searches for experiments: the conditions, and the order of what is found."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from clearml_chatops.models.alerts import MetricCondition
from clearml_chatops.models.experiments import Status


class SortField(StrEnum):
    """What every experiment can be sorted by."""

    CHANGED = "changed"
    CREATED = "created"
    STARTED = "started"
    FINISHED = "finished"
    NAME = "name"
    ITERATIONS = "iterations"


@dataclass(frozen=True, slots=True)
class SortOrder:
    """What found experiments are sorted by: a field, or a metric by its name.

    The newest or highest come first, and names from A to Z; `reversed` turns that around.
    """

    by: SortField | str = SortField.CHANGED
    reversed: bool = False


@dataclass(frozen=True, slots=True)
class ExperimentSearch:
    """What a person looks for. Names are as they typed them, so a part of a project or an owner is enough.

    An experiment matches if it has one of the owners, one of the statuses, all of the tags and none of the
    excluded ones, and meets all metric conditions. `changed_within` is how long ago its status changed at most.
    """

    text: str = ""
    project: str = ""
    owners: tuple[str, ...] = ()
    statuses: tuple[Status, ...] = ()
    tags: tuple[str, ...] = ()
    excluded_tags: tuple[str, ...] = ()
    changed_within: timedelta | None = None
    metrics: tuple[MetricCondition, ...] = ()
    sort: SortOrder = SortOrder()
    mine: bool = False
    include_hidden: bool = False
    """Whether to include what ClearML's web UI hides: datasets, steps of pipelines, hidden projects."""
