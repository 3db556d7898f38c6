"""Reading the scalars that tasks have reported: curves, latest values, names."""

from collections.abc import Iterable
from itertools import islice

from clearml_chatops.sandbox.documents import Document, generate_id
from clearml_chatops.sandbox.events import SCALAR_EVENT, find_task_events
from clearml_chatops.sandbox.registry import Call, endpoint
from clearml_chatops.sandbox.state import State
from clearml_chatops.sandbox.validation import (
    FLAG,
    INTEGER,
    REQUIRED_DICTIONARY,
    REQUIRED_LIST,
    REQUIRED_TEXT,
    TEXT,
)

DEFAULT_RAW_BATCH_SIZE = 10_000
DEFAULT_CURVE_POINTS = 5_000

SINGLE_VALUE_ITERATION = -(2**31)
"""The iteration that the SDK uses for a value reported once for the whole run."""

Curves = dict[str, dict[str, list[Document]]]


def _group_curves(scalars: Iterable[Document]) -> Curves:
    """Return the scalar events by metric and variant, each sorted by iteration."""
    curves: Curves = {}
    for event in scalars:
        if event["type"] == SCALAR_EVENT:
            curves.setdefault(event["metric"], {}).setdefault(event["variant"], []).append(event)
    for variants in curves.values():
        for events in variants.values():
            events.sort(key=lambda event: event["iter"])
    return curves


def _load_curves(state: State, task_id: str) -> Curves:
    state.require_readable_task(task_id)
    events = state.events.get(task_id)
    return _group_curves(events.scalars) if events else {}


def _load_plotted_curves(state: State, task_id: str) -> Curves:
    """Return the curves without values that were reported once for the whole run."""
    curves = {
        metric: {
            variant: [event for event in events if event["iter"] > SINGLE_VALUE_ITERATION]
            for variant, events in variants.items()
            if events[-1]["iter"] > SINGLE_VALUE_ITERATION
        }
        for metric, variants in _load_curves(state, task_id).items()
    }
    return {metric: variants for metric, variants in curves.items() if variants}


def _sample_points(events: list[Document], key: str, samples: int) -> Document:
    """Return x and y of a curve. A long one is thinned to every n-th point, including the last."""
    step = -(-len(events) // max(samples, 1))
    sampled = events if step <= 1 else events[(len(events) - 1) % step :: step]
    axis = "iter" if key == "iter" else "timestamp"
    return {"x": [event[axis] for event in sampled], "y": [event["value"] for event in sampled]}


@endpoint("events.scalar_metrics_iter_histogram", task=REQUIRED_TEXT, samples=INTEGER, key=TEXT)
def scalar_metrics_iter_histogram(call: Call) -> Document:
    """Return all curves of a task: {metric: {variant: {name, x, y}}}."""
    key = call.get_text("key") or "iter"
    samples = call.data.get("samples") or DEFAULT_CURVE_POINTS
    return {
        metric: {
            variant: {"name": variant, **_sample_points(events, key, samples)}
            for variant, events in variants.items()
        }
        for metric, variants in _load_plotted_curves(call.state, call.data["task"]).items()
    }


@endpoint("events.multi_task_scalar_metrics_iter_histogram", tasks=REQUIRED_LIST, samples=INTEGER, key=TEXT)
def multi_task_scalar_metrics_iter_histogram(call: Call) -> Document:
    """Return the curves of several tasks: {metric: {variant: {task: {name, x, y}}}}."""
    key = call.get_text("key") or "iter"
    samples = call.data.get("samples") or DEFAULT_CURVE_POINTS
    metrics: Document = {}
    for id_ in call.data["tasks"]:
        for metric, variants in _load_plotted_curves(call.state, id_).items():
            for variant, events in variants.items():
                curve = {"name": call.state.tasks[id_]["name"], **_sample_points(events, key, samples)}
                metrics.setdefault(metric, {}).setdefault(variant, {})[id_] = curve
    return {"metrics": metrics}


@endpoint(
    "events.scalar_metrics_iter_raw",
    since="2.16",
    task=REQUIRED_TEXT,
    metric=REQUIRED_DICTIONARY,
    batch_size=INTEGER,
    count_total=FLAG,
)
def scalar_metrics_iter_raw(call: Call) -> Document:
    """Return every point of one metric, in batches by scroll."""
    metric_filter = call.data["metric"]
    variants = _load_curves(call.state, call.data["task"]).get(metric_filter.get("metric", ""), {})
    variant_names = [name for name in metric_filter.get("variants") or variants if name in variants]
    events = [event for name in variant_names for event in variants[name]]
    size = call.data.get("batch_size") or DEFAULT_RAW_BATCH_SIZE
    scroll_id = call.get_text("scroll_id") or generate_id()
    start = call.state.scroll_positions.get(scroll_id, 0)
    batch = events[start : start + size]
    call.state.scroll_positions[scroll_id] = start + len(batch)
    axis = call.get_text("key") or "iter"
    series: Document = {}
    for event in batch:
        points = series.setdefault(event["variant"], {"y": [], axis: []})
        points["y"].append(event["value"])
        points[axis].append(event.get(axis, event["timestamp"]))
    answer: Document = {"returned": len(batch), "scroll_id": scroll_id, "variants": series}
    if call.get_flag("count_total"):
        answer["total"] = len(events)
    return answer


@endpoint("events.get_scalar_metric_data", task=REQUIRED_TEXT)
def get_scalar_metric_data(call: Call) -> Document:
    metric = call.data.get("metric")
    curves = _load_curves(call.state, call.data["task"])
    found = [variants for name, variants in curves.items() if not metric or name == metric]
    events = [event for variants in found for curve in variants.values() for event in curve]
    return {"events": events, "returned": len(events), "total": len(events), "scroll_id": generate_id()}


@endpoint("events.get_task_events", task=REQUIRED_TEXT, event_type=TEXT, batch_size=INTEGER, order=TEXT)
def get_task_events(call: Call) -> Document:
    """Return a task's events of one type or all, oldest first unless `order` is desc, in batches by scroll."""
    task_events = find_task_events(call)
    event_type = call.get_text("event_type")
    events = [
        event
        for event in (*task_events.log, *task_events.scalars)
        if not event_type or event["type"] == event_type
    ]
    events.sort(key=lambda event: event["timestamp"], reverse=call.get_text("order") == "desc")
    scroll_id = call.get_text("scroll_id") or generate_id()
    start = call.state.scroll_positions.get(scroll_id, 0)
    batch = list(islice(events, start, start + int(call.data.get("batch_size") or 500)))
    call.state.scroll_positions[scroll_id] = start + len(batch)
    return {"events": batch, "returned": len(batch), "total": len(events), "scroll_id": scroll_id}


@endpoint("events.get_task_latest_scalar_values", task=REQUIRED_TEXT)
def get_task_latest_scalar_values(call: Call) -> Document:
    """Return the last value of each curve."""
    task = call.state.require_readable_task(call.data["task"])
    metrics: list[Document] = []
    newest = 0
    for metric, variants in _load_curves(call.state, task["id"]).items():
        values: list[Document] = []
        for variant, events in variants.items():
            last = events[-1]
            newest = max(newest, last["timestamp"])
            values.append(
                {
                    "name": variant,
                    "last_value": last["value"],
                    "last_timestamp": last["timestamp"],
                    "last_100_value": sum(e["value"] for e in events[-100:]) / len(events[-100:]),
                }
            )
        metrics.append({"name": metric, "variants": values})
    return {
        "metrics": metrics,
        "last_iter": task["last_iteration"],
        "name": task["name"],
        "status": task["status"],
        "last_timestamp": newest,
    }


@endpoint("events.get_scalar_metrics_and_variants", task=REQUIRED_TEXT)
def get_scalar_metrics_and_variants(call: Call) -> Document:
    curves = _load_curves(call.state, call.data["task"])
    return {"metrics": {metric: list(variants) for metric, variants in curves.items()}}


@endpoint("events.get_task_metrics", tasks=REQUIRED_LIST, event_type=TEXT)
def get_task_metrics(call: Call) -> Document:
    """Return the names of the metrics that tasks reported."""
    event_type = call.get_text("event_type")
    answer: list[Document] = []
    for id_ in call.data["tasks"]:
        call.state.require_readable_task(id_)
        events = call.state.events.get(id_)
        names = {
            e["metric"] for e in (events.scalars if events else ()) if not event_type or e["type"] == event_type
        }
        answer.append({"task": id_, "metrics": sorted(names)})
    return {"metrics": answer}
