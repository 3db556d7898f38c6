"""The tags and metrics that a search names, as they are written in ClearML. Pure."""

from collections.abc import Iterable, Sequence

from clearml_chatops.models.alerts import MetricCondition
from clearml_chatops.models.errors import InvalidValueError
from clearml_chatops.models.searches import SortField, SortOrder
from clearml_chatops.services.clearml_gateway.experiment_filters import MetricKey
from clearml_chatops.services.similar_names import find_similar_names, format_suggestion

_MAX_SUGGESTIONS = 5
_EXPECTED = {
    "metric": ("a metric that any experiment reported", "See an experiment's metrics with /plot."),
    "sort": ("something to sort by", f"Use {', '.join(SortField)} or a metric like val/acc."),
}


def find_tag(typed: str, known: Sequence[str]) -> str:
    """Return the tag, also if its letters differ in case. Raises InvalidValueError."""
    if typed in known:
        return typed
    for tag in known:
        if tag.casefold() == typed.casefold():
            return tag
    nearest = find_similar_names(typed, known)
    raise InvalidValueError(
        name="tag",
        value=typed,
        expected="a tag of any experiment",
        advice=format_suggestion(nearest).strip() or "Tags are set with /tag or in ClearML's web UI.",
        suggestions=nearest,
    )


def find_metric_key(condition: MetricCondition, known: Sequence[MetricKey]) -> MetricKey:
    """Return the metric of a condition, by its full name, else by its title or series alone.

    Raises:
        InvalidValueError: nothing has reported it, or several metrics have this title or series.
    """
    matching = _match(condition.metric, known)
    if len(matching) == 1:
        return matching[0]
    names = [key.name for key in matching] or _find_nearest_names(condition.metric, known)
    rest = f"{condition.comparison}{condition.threshold:.12g}"
    raise _build_metric_error("metric", condition.metric, names, [f"{name}{rest}" for name in names], matching)


def find_sort_metric(order: SortOrder, known: Sequence[MetricKey]) -> MetricKey:
    """Return the metric to sort by. Raises InvalidValueError."""
    matching = _match(order.by, known)
    if len(matching) == 1:
        return matching[0]
    if matching:
        names = [key.name for key in matching]
    else:
        names = find_similar_names(order.by, SortField) or _find_nearest_names(order.by, known)
    sign = "-" if order.reversed else ""
    raise _build_metric_error("sort", order.by, names, [f"{sign}{name}" for name in names], matching)


def _match(typed: str, known: Iterable[MetricKey]) -> list[MetricKey]:
    name = typed.casefold()
    exact = [key for key in known if key.name.casefold() == name]
    return exact or [key for key in known if name in {key.metric.casefold(), key.variant.casefold()}]


def _find_nearest_names(typed: str, known: Iterable[MetricKey]) -> list[str]:
    return find_similar_names(typed, [key.name for key in known])


def _build_metric_error(
    option: str, typed: str, names: Sequence[str], suggestions: Sequence[str], matching: Sequence[MetricKey]
) -> InvalidValueError:
    advice = format_suggestion(names[:_MAX_SUGGESTIONS]).strip()
    expected, default_advice = _EXPECTED[option]
    return InvalidValueError(
        name=option,
        value=typed,
        expected="a unique metric" if matching else expected,
        advice=advice or default_advice,
        suggestions=list(suggestions[:_MAX_SUGGESTIONS]),
    )
