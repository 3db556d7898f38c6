"""Reading the scalars that tasks reported: curves, latest values, names."""

from collections.abc import Iterable
from itertools import islice

from clearml_chatops.sandbox.documents import Document, new_id
from clearml_chatops.sandbox.events import SCALAR, events_of
from clearml_chatops.sandbox.registry import Call, endpoint
from clearml_chatops.sandbox.state import State
from clearml_chatops.sandbox.validation import (
    FLAG,
    REQUIRED_DICTIONARY,
    REQUIRED_LIST,
    REQUIRED_TEXT,
    TEXT,
    WHOLE_NUMBER,
)

RAW_BATCH = 10_000
CURVE_POINTS = 5_000

SINGLE_VALUE = -(2**31)
"""The iteration that the SDK gives to a value reported once for the whole run."""

Curves = dict[str, dict[str, list[Document]]]


def _curves(scalars: Iterable[Document]) -> Curves:
    """The scalar events by metric and variant, each in order of iteration."""
    found: Curves = {}
    for event in scalars:
        if event["type"] == SCALAR:
            found.setdefault(event["metric"], {}).setdefault(event["variant"], []).append(event)
    for variants in found.values():
        for events in variants.values():
            events.sort(key=lambda event: event["iter"])
    return found


def _curves_of(state: State, task: str) -> Curves:
    state.readable_task(task)
    events = state.events.get(task)
    return _curves(events.scalars) if events else {}


def _drawn_curves_of(state: State, task: str) -> Curves:
    """The curves without values that were reported once for the whole run."""
    iterations = {
        metric: {
            variant: [event for event in events if event["iter"] > SINGLE_VALUE]
            for variant, events in variants.items()
            if events[-1]["iter"] > SINGLE_VALUE
        }
        for metric, variants in _curves_of(state, task).items()
    }
    return {metric: variants for metric, variants in iterations.items() if variants}


def _points(events: list[Document], key: str, samples: int) -> Document:
    """X and y of a curve; of a long one every so-manieth point, the last among them."""
    step = -(-len(events) // max(samples, 1))
    kept = events if step <= 1 else events[(len(events) - 1) % step :: step]
    axis = "iter" if key == "iter" else "timestamp"
    return {"x": [event[axis] for event in kept], "y": [event["value"] for event in kept]}


@endpoint("events.scalar_metrics_iter_histogram", task=REQUIRED_TEXT, samples=WHOLE_NUMBER, key=TEXT)
def scalar_metrics_iter_histogram(call: Call) -> Document:
    """All curves of a task: {metric: {variant: {name, x, y}}}."""
    key = call.text("key") or "iter"
    samples = call.data.get("samples") or CURVE_POINTS
    return {
        metric: {
            variant: {"name": variant, **_points(events, key, samples)} for variant, events in variants.items()
        }
        for metric, variants in _drawn_curves_of(call.state, call.data["task"]).items()
    }


@endpoint("events.multi_task_scalar_metrics_iter_histogram", tasks=REQUIRED_LIST, samples=WHOLE_NUMBER, key=TEXT)
def multi_task_scalar_metrics_iter_histogram(call: Call) -> Document:
    """The curves of several tasks: {metric: {variant: {task: {name, x, y}}}}."""
    key = call.text("key") or "iter"
    samples = call.data.get("samples") or CURVE_POINTS
    metrics: Document = {}
    for id_ in call.data["tasks"]:
        for metric, variants in _drawn_curves_of(call.state, id_).items():
            for variant, events in variants.items():
                curve = {"name": call.state.tasks[id_]["name"], **_points(events, key, samples)}
                metrics.setdefault(metric, {}).setdefault(variant, {})[id_] = curve
    return {"metrics": metrics}


@endpoint(
    "events.scalar_metrics_iter_raw",
    since="2.16",
    task=REQUIRED_TEXT,
    metric=REQUIRED_DICTIONARY,
    batch_size=WHOLE_NUMBER,
    count_total=FLAG,
)
def scalar_metrics_iter_raw(call: Call) -> Document:
    """Every point of one metric, in batches by scroll."""
    asked = call.data["metric"]
    variants = _curves_of(call.state, call.data["task"]).get(asked.get("metric", ""), {})
    wanted = [name for name in asked.get("variants") or variants if name in variants]
    events = [event for name in wanted for event in variants[name]]
    size = call.data.get("batch_size") or RAW_BATCH
    scroll_id = call.text("scroll_id") or new_id()
    start = call.state.scrolls.get(scroll_id, 0)
    batch = events[start : start + size]
    call.state.scrolls[scroll_id] = start + len(batch)
    axis = call.text("key") or "iter"
    series: Document = {}
    for event in batch:
        points = series.setdefault(event["variant"], {"y": [], axis: []})
        points["y"].append(event["value"])
        points[axis].append(event.get(axis, event["timestamp"]))
    answer: Document = {"returned": len(batch), "scroll_id": scroll_id, "variants": series}
    if call.flag("count_total"):
        answer["total"] = len(events)
    return answer


@endpoint("events.get_scalar_metric_data", task=REQUIRED_TEXT)
def get_scalar_metric_data(call: Call) -> Document:
    metric = call.data.get("metric")
    events = [
        event
        for name, variants in _curves_of(call.state, call.data["task"]).items()
        if not metric or name == metric
        for found in variants.values()
        for event in found
    ]
    return {"events": events, "returned": len(events), "total": len(events), "scroll_id": new_id()}


@endpoint("events.get_task_events", task=REQUIRED_TEXT, event_type=TEXT, batch_size=WHOLE_NUMBER, order=TEXT)
def get_task_events(call: Call) -> Document:
    """A task's events of one type (or all), oldest first unless `order` is desc, in batches by scroll."""
    found = events_of(call)
    kind = call.text("event_type")
    events = [event for event in (*found.log, *found.scalars) if not kind or event["type"] == kind]
    events.sort(key=lambda event: event["timestamp"], reverse=call.text("order") == "desc")
    scroll_id = call.text("scroll_id") or new_id()
    start = call.state.scrolls.get(scroll_id, 0)
    batch = list(islice(events, start, start + int(call.data.get("batch_size") or 500)))
    call.state.scrolls[scroll_id] = start + len(batch)
    return {"events": batch, "returned": len(batch), "total": len(events), "scroll_id": scroll_id}


@endpoint("events.get_task_latest_scalar_values", task=REQUIRED_TEXT)
def get_task_latest_scalar_values(call: Call) -> Document:
    """The last value of each curve."""
    task = call.state.readable_task(call.data["task"])
    metrics: list[Document] = []
    newest = 0
    for metric, variants in _curves_of(call.state, task["id"]).items():
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
    curves = _curves_of(call.state, call.data["task"])
    return {"metrics": {metric: list(variants) for metric, variants in curves.items()}}


@endpoint("events.get_task_metrics", tasks=REQUIRED_LIST, event_type=TEXT)
def get_task_metrics(call: Call) -> Document:
    """The names of the metrics that tasks reported."""
    kind = call.text("event_type")
    answer: list[Document] = []
    for id_ in call.data["tasks"]:
        call.state.readable_task(id_)
        events = call.state.events.get(id_)
        names = {e["metric"] for e in (events.scalars if events else ()) if not kind or e["type"] == kind}
        answer.append({"task": id_, "metrics": sorted(names)})
    return {"metrics": answer}
