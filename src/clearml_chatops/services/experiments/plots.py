"""Plots of scalars: of one experiment, or the same scalars of several."""

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from clearml_chatops.models.errors import (
    ExperimentNotFoundError,
    InvalidValueError,
    MetricNotFoundError,
)
from clearml_chatops.models.experiments import Experiment, Metric
from clearml_chatops.models.figures import MAX_PANELS, Line, Panel
from clearml_chatops.models.scalars import Curve, CurveSummary, is_machine_metric
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.experiments.differences import VaryingParameter, find_varying_parameters
from clearml_chatops.services.experiments.experiment_lookup import ExperimentLookup, is_explicit_reference
from clearml_chatops.services.experiments.figure_renderer import FigureRenderer
from clearml_chatops.services.experiments.scalar_names import find_scalars, suggest_scalar_names

MIN_COMPARED_EXPERIMENTS, MAX_COMPARED_EXPERIMENTS = 2, 6
_SAMPLES_PER_CURVE = 1000
"""Points per curve; a picture is 1280 pixels wide."""


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture, empty if there is nothing to draw, with its curves in numbers.

    `omitted` are the names of scalars that are not in the picture. `single_values` were reported once for the
    whole run.
    """

    png: bytes
    lines: tuple[CurveSummary, ...]
    omitted: tuple[str, ...]
    single_values: tuple[Metric, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """A plot of several experiments. `labels`, in the same order, are unique even for equal names."""

    experiments: tuple[Experiment, ...]
    labels: tuple[str, ...]
    plot: Plot
    parameters: tuple[VaryingParameter, ...]


class PlotService:
    """Plots for one person in one conversation."""

    def __init__(self, *, clearml: ClearML, lookup: ExperimentLookup, figure_renderer: FigureRenderer) -> None:
        self._clearml = clearml
        self._lookup = lookup
        self._figure_renderer = figure_renderer

    async def plot(self, reference: str, metrics: Sequence[str]) -> tuple[Experiment, Plot]:
        """Plot an experiment's scalars with these words in their names; without words its script's scalars.

        A reference that is part of a scalar name of the current experiment means that scalar. Two requests.

        Raises:
            MetricNotFoundError, and what `ExperimentLookup.find` raises.
        """
        experiment, curves, words = await self._resolve_reference(reference, metrics)
        single_values = _find_single_values(experiment, curves)
        if words:
            scalars: tuple[Curve | Metric, ...] = (*curves, *single_values)
            matching = find_scalars(words, scalars, experiment=experiment.name)
            selected = [item for item in matching if isinstance(item, Curve)]
            single_values = tuple(item for item in matching if isinstance(item, Metric))
        else:
            selected = _select_script_curves(curves)
        panels = [
            (found[0].name if len(found) == 1 else metric, {curve.variant: curve for curve in found})
            for metric, found in _group_curves(selected, lambda curve: curve.metric)
        ]
        omitted = [] if words else [item.metric for item in curves if item not in selected]
        rendered = await self._render(experiment.name, panels, [experiment], omitted)
        return experiment, replace(rendered, single_values=single_values)

    async def compare(self, references: Sequence[str], metrics: Sequence[str]) -> Comparison:
        """Plot the scalars of several experiments, one panel each, and list the parameters that differ.

        Raises:
            InvalidValueError: these are not 2 to 6 different experiments.
            MetricNotFoundError, and what `ExperimentLookup.find` raises.
        """
        if not MIN_COMPARED_EXPERIMENTS <= len(references) <= MAX_COMPARED_EXPERIMENTS:
            raise _build_comparison_error(references)
        found = await asyncio.gather(*(self._lookup.find(reference) for reference in references))
        experiments_by_id = {item.id: item for item in found}
        if len(experiments_by_id) < MIN_COMPARED_EXPERIMENTS:
            raise _build_comparison_error(references)
        compared = tuple(experiments_by_id.values())
        curves = _sort_curves(
            await self._clearml.get_curves_of_experiments(list(experiments_by_id), samples=_SAMPLES_PER_CURVE)
        )
        if metrics:
            selected = find_scalars(metrics, curves, experiment=" and ".join(item.name for item in compared))
        else:
            selected = _select_script_curves(curves)
        labels = dict(zip(experiments_by_id, _build_labels(compared), strict=True))
        panels = [
            (
                name,
                {labels[id_]: curve for id_ in experiments_by_id for curve in found if curve.experiment_id == id_},
            )
            for name, found in _group_curves(selected, lambda curve: curve.name)
        ]
        if not metrics:
            # Scalars that most experiments have are the most useful to compare.
            panels.sort(key=lambda panel: -len(panel[1]))
        omitted = [] if metrics else [item.name for item in curves if item not in selected]
        plot = await self._render(f"{len(compared)} experiments", panels, compared, omitted)
        return Comparison(compared, tuple(labels.values()), plot, find_varying_parameters(compared))

    async def _render(
        self,
        title: str,
        panels: Sequence[tuple[str, Mapping[str, Curve]]],
        experiments: Sequence[Experiment],
        omitted: Sequence[str],
    ) -> Plot:
        """Render the first panels; each has a title and its curves by label."""
        first_panels = panels[:MAX_PANELS]
        metrics_by_name = {(item.id, metric.name): metric for item in experiments for metric in item.metrics}
        figure_panels = [
            Panel(name, tuple(Line(label, item.iterations, item.values) for label, item in curves.items()))
            for name, curves in first_panels
        ]
        return Plot(
            png=await self._figure_renderer.render_curves(title, figure_panels) if figure_panels else b"",
            lines=tuple(
                _summarize_curve(
                    curve.name if len(experiments) == 1 else f"{curve.name}, {label}",
                    curve,
                    metrics_by_name.get((curve.experiment_id, curve.name)),
                )
                for _, curves in first_panels
                for label, curve in curves.items()
            ),
            omitted=tuple(dict.fromkeys((*(name for name, _ in panels[MAX_PANELS:]), *omitted))),
        )

    async def _resolve_reference(
        self, reference: str, metrics: Sequence[str]
    ) -> tuple[Experiment, tuple[Curve, ...], Sequence[str]]:
        """Return the experiment, its curves, and the words to filter them by."""
        if not reference or is_explicit_reference(reference) or not await self._lookup.get_current_id():
            return *(await self._read(reference)), metrics
        try:
            current, curves = await self._read("")
        except ExperimentNotFoundError:
            # The current experiment was deleted; the reference may still name another one.
            return *(await self._read(reference)), metrics
        names = [item.name for item in curves] + [item.name for item in _find_single_values(current, curves)]
        if any(reference.casefold() in name.casefold() for name in names):
            return current, curves, (reference, *metrics)
        try:
            return *(await self._read(reference)), metrics
        except ExperimentNotFoundError as error:
            if nearest := suggest_scalar_names(reference, names):
                raise MetricNotFoundError(experiment=current.name, name=reference, nearest=nearest) from error
            raise

    async def _read(self, reference: str) -> tuple[Experiment, tuple[Curve, ...]]:
        experiment = await self._lookup.find(reference)
        return experiment, _sort_curves(await self._clearml.get_curves(experiment.id, samples=_SAMPLES_PER_CURVE))


def _sort_curves(curves: Iterable[Curve]) -> tuple[Curve, ...]:
    """Sort by name, with machine metrics after the script's scalars."""
    return tuple(sorted(curves, key=lambda curve: (is_machine_metric(curve.metric), curve.metric, curve.variant)))


def _find_single_values(experiment: Experiment, curves: Sequence[Curve]) -> tuple[Metric, ...]:
    """Return the metrics that have a value but no curve."""
    curve_names = {curve.name for curve in curves}
    return tuple(item for item in experiment.metrics if item.name not in curve_names)


def _select_script_curves(curves: Sequence[Curve]) -> list[Curve]:
    """Return the curves without machine metrics, unless there are no others."""
    return [curve for curve in curves if not is_machine_metric(curve.metric)] or list(curves)


def _group_curves(curves: Iterable[Curve], key: Callable[[Curve], str]) -> list[tuple[str, list[Curve]]]:
    groups: dict[str, list[Curve]] = {}
    for curve in curves:
        groups.setdefault(key(curve), []).append(curve)
    return list(groups.items())


def _summarize_curve(name: str, curve: Curve, metric: Metric | None) -> CurveSummary:
    """Summarize a curve with the server's extremes of the whole run, which a thinned curve may lack."""
    finite = [value for value in curve.values if math.isfinite(value)]
    lowest = [value for value in (metric.lowest if metric else None, *finite) if value is not None]
    highest = [value for value in (metric.highest if metric else None, *finite) if value is not None]
    last = curve.values[-1] if curve.values else math.nan
    return CurveSummary(
        name,
        metric.value if metric and math.isfinite(last) else last,
        min(filter(math.isfinite, lowest), default=None),
        max(filter(math.isfinite, highest), default=None),
    )


def _build_labels(experiments: Sequence[Experiment]) -> list[str]:
    names = [item.name for item in experiments]
    return [item.name if names.count(item.name) == 1 else f"{item.name} {item.short_id}" for item in experiments]


def _build_comparison_error(references: Sequence[str]) -> InvalidValueError:
    return InvalidValueError(
        value=" ".join(references),
        expected=f"a list of {MIN_COMPARED_EXPERIMENTS} to {MAX_COMPARED_EXPERIMENTS} different experiments",
        name="experiments",
        advice="Write them one after the other, like /compare baseline 4f2a.",
    )
