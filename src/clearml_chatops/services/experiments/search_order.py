"""The order of found experiments: as ClearML sorts them, and for merging the results of several requests."""

from collections.abc import Iterable
from datetime import datetime

from clearml_chatops.models.experiments import Experiment
from clearml_chatops.models.searches import SortField, SortOrder
from clearml_chatops.services.clearml_gateway.experiment_filters import NEWEST_CHANGE_FIRST, MetricKey

_CLEARML_FIELDS = {
    SortField.CHANGED: NEWEST_CHANGE_FIRST,
    SortField.CREATED: "-created",
    SortField.STARTED: "-started",
    SortField.FINISHED: "-completed",
    SortField.NAME: "name",
    SortField.ITERATIONS: "-last_iteration",
}


def build_order(order: SortOrder, metric: MetricKey | None) -> str:
    """Return ClearML's name for the order. `metric` is given if it's the order by a metric."""
    field = f"-{metric.path}.value" if metric else _CLEARML_FIELDS[SortField(order.by)]
    if not order.reversed:
        return field
    return field.removeprefix("-") if field.startswith("-") else f"-{field}"


def sort_experiments(
    experiments: Iterable[Experiment], order: SortOrder, metric: MetricKey | None
) -> list[Experiment]:
    """Return the experiments in this order; those without the value come last."""
    values = [(_get_value(item, order, metric), item) for item in experiments]
    present = [(value, item) for value, item in values if value is not None]
    names_ascend = order.by is SortField.NAME
    present.sort(key=lambda pair: pair[0], reverse=order.reversed == names_ascend)
    return [item for _, item in present] + [item for value, item in values if value is None]


def _get_value(item: Experiment, order: SortOrder, metric: MetricKey | None) -> float | str | None:
    if metric:
        return get_metric_value(item, metric)
    match order.by:
        case SortField.NAME:
            return item.name
        case SortField.ITERATIONS:
            return float(item.last_iteration)
        case SortField.CREATED:
            return _to_number(item.created)
        case SortField.STARTED:
            return _to_number(item.started)
        case SortField.FINISHED:
            return _to_number(item.completed)
        case _:
            return _to_number(item.status_changed)


def get_metric_value(item: Experiment, metric: MetricKey) -> float | None:
    """Return the last value that an experiment reported of this metric; None if it never did."""
    return next((found.value for found in item.metrics if found.name == metric.name), None)


def _to_number(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
