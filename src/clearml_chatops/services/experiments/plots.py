"""Pictures of what runs reported: one experiment's scalars, or the same scalars of several."""

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
from clearml_chatops.models.figures import MOST_PANELS, Line, Panel
from clearml_chatops.models.scalars import Curve, LineSummary, is_of_the_machine
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.experiments.curve_names import named_like, nearest_names
from clearml_chatops.services.experiments.differences import VaryingParameter, varying_parameters
from clearml_chatops.services.experiments.drawing import Drawing
from clearml_chatops.services.experiments.experiment_lookup import ExperimentLookup, is_unmistakable

FEWEST_COMPARED, MOST_COMPARED = 2, 6
_SAMPLES = 1000
"""Points of a curve; a picture is 1280 dots wide."""


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture, empty where there is nothing to draw, and what it shows in numbers.

    `left_out` names what is not in the picture. `single_values` were reported once for the whole run.
    """

    png: bytes
    lines: tuple[LineSummary, ...]
    left_out: tuple[str, ...]
    single_values: tuple[Metric, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """`labels` tell the experiments apart, in their order, also those that have one name."""

    experiments: tuple[Experiment, ...]
    labels: tuple[str, ...]
    plot: Plot
    parameters: tuple[VaryingParameter, ...]


class PlotService:
    """Draws for one person in one conversation."""

    def __init__(self, *, clearml: ClearML, lookup: ExperimentLookup, drawing: Drawing) -> None:
        self._clearml = clearml
        self._lookup = lookup
        self._drawing = drawing

    async def plot(self, reference: str, metrics: Sequence[str]) -> tuple[Experiment, Plot]:
        """The scalars of an experiment whose names hold these words; without words those of its script.

        A reference that names a scalar of the current experiment means that one. Two requests.

        Raises:
            MetricNotFoundError, and what `ExperimentLookup.find` raises.
        """
        experiment, curves, words = await self._meant(reference, metrics)
        single_values = _single_values(experiment, curves)
        if words:
            scalars: tuple[Curve | Metric, ...] = (*curves, *single_values)
            named = named_like(words, scalars, experiment=experiment.name)
            chosen = [item for item in named if isinstance(item, Curve)]
            single_values = tuple(item for item in named if isinstance(item, Metric))
        else:
            chosen = _of_the_script(curves)
        panels = [
            (found[0].name if len(found) == 1 else metric, {curve.variant: curve for curve in found})
            for metric, found in _grouped(chosen, lambda curve: curve.metric)
        ]
        left_out = [] if words else [item.metric for item in curves if item not in chosen]
        drawn = await self._drawn(experiment.name, panels, [experiment], left_out)
        return experiment, replace(drawn, single_values=single_values)

    async def compare(self, references: Sequence[str], metrics: Sequence[str]) -> Comparison:
        """The scalars that experiments have in common, one panel each, and the parameters that differ.

        Raises:
            InvalidValueError: these are not 2 to 6 different experiments.
            MetricNotFoundError, and what `ExperimentLookup.find` raises.
        """
        if not FEWEST_COMPARED <= len(references) <= MOST_COMPARED:
            raise _not_comparable(references)
        found = await asyncio.gather(*(self._lookup.find(reference) for reference in references))
        experiments = {item.id: item for item in found}
        if len(experiments) < FEWEST_COMPARED:
            raise _not_comparable(references)
        compared = tuple(experiments.values())
        curves = _in_order(await self._clearml.curves_of_several(list(experiments), samples=_SAMPLES))
        if metrics:
            chosen = named_like(metrics, curves, experiment=" and ".join(item.name for item in compared))
        else:
            chosen = _of_the_script(curves)
        labels = dict(zip(experiments, _labels(compared), strict=True))
        panels = [
            (name, {labels[id_]: curve for id_ in experiments for curve in found if curve.experiment_id == id_})
            for name, found in _grouped(chosen, lambda curve: curve.name)
        ]
        if not metrics:
            # What most of them have is what can be compared.
            panels.sort(key=lambda panel: -len(panel[1]))
        left_out = [] if metrics else [item.name for item in curves if item not in chosen]
        plot = await self._drawn(f"{len(compared)} experiments", panels, compared, left_out)
        return Comparison(compared, tuple(labels.values()), plot, varying_parameters(compared))

    async def _drawn(
        self,
        title: str,
        panels: Sequence[tuple[str, Mapping[str, Curve]]],
        experiments: Sequence[Experiment],
        left_out: Sequence[str],
    ) -> Plot:
        """The first panels as a picture; each has a title and its curves by their labels."""
        shown = panels[:MOST_PANELS]
        known = {(item.id, metric.name): metric for item in experiments for metric in item.metrics}
        drawings = [
            Panel(name, tuple(Line(label, item.iterations, item.values) for label, item in curves.items()))
            for name, curves in shown
        ]
        return Plot(
            png=await self._drawing.curves(title, drawings) if drawings else b"",
            lines=tuple(
                _summary(
                    curve.name if len(experiments) == 1 else f"{curve.name}, {label}",
                    curve,
                    known.get((curve.experiment_id, curve.name)),
                )
                for _, curves in shown
                for label, curve in curves.items()
            ),
            left_out=tuple(dict.fromkeys((*(name for name, _ in panels[MOST_PANELS:]), *left_out))),
        )

    async def _meant(
        self, reference: str, metrics: Sequence[str]
    ) -> tuple[Experiment, tuple[Curve, ...], Sequence[str]]:
        """The experiment, its curves, and the words that choose among them."""
        if not reference or is_unmistakable(reference) or not await self._lookup.current_id():
            return *(await self._read(reference)), metrics
        try:
            current, curves = await self._read("")
        except ExperimentNotFoundError:
            # The current one was deleted, which says nothing about what was named.
            return *(await self._read(reference)), metrics
        names = [item.name for item in curves] + [item.name for item in _single_values(current, curves)]
        if any(reference.casefold() in name.casefold() for name in names):
            return current, curves, (reference, *metrics)
        try:
            return *(await self._read(reference)), metrics
        except ExperimentNotFoundError as error:
            if nearest := nearest_names(reference, names):
                raise MetricNotFoundError(experiment=current.name, name=reference, nearest=nearest) from error
            raise

    async def _read(self, reference: str) -> tuple[Experiment, tuple[Curve, ...]]:
        experiment = await self._lookup.find(reference)
        return experiment, _in_order(await self._clearml.curves(experiment.id, samples=_SAMPLES))


def _in_order(curves: Iterable[Curve]) -> tuple[Curve, ...]:
    """By name, what the machine did behind what the script did."""
    return tuple(sorted(curves, key=lambda curve: (is_of_the_machine(curve.metric), curve.metric, curve.variant)))


def _single_values(experiment: Experiment, curves: Sequence[Curve]) -> tuple[Metric, ...]:
    """What has a value and no curve."""
    drawable = {curve.name for curve in curves}
    return tuple(item for item in experiment.metrics if item.name not in drawable)


def _of_the_script(curves: Sequence[Curve]) -> list[Curve]:
    """Without the machine's load, unless there is nothing else."""
    return [curve for curve in curves if not is_of_the_machine(curve.metric)] or list(curves)


def _grouped(curves: Iterable[Curve], key: Callable[[Curve], str]) -> list[tuple[str, list[Curve]]]:
    groups: dict[str, list[Curve]] = {}
    for curve in curves:
        groups.setdefault(key(curve), []).append(curve)
    return list(groups.items())


def _summary(name: str, curve: Curve, known: Metric | None) -> LineSummary:
    """By what the server noted of the whole run: where a curve is thinned, its extremes are gone."""
    finite = [value for value in curve.values if math.isfinite(value)]
    lowest = [value for value in (known.lowest if known else None, *finite) if value is not None]
    highest = [value for value in (known.highest if known else None, *finite) if value is not None]
    last = curve.values[-1] if curve.values else math.nan
    return LineSummary(
        name,
        known.value if known and math.isfinite(last) else last,
        min(filter(math.isfinite, lowest), default=None),
        max(filter(math.isfinite, highest), default=None),
    )


def _labels(experiments: Sequence[Experiment]) -> list[str]:
    names = [item.name for item in experiments]
    return [item.name if names.count(item.name) == 1 else f"{item.name} {item.short_id}" for item in experiments]


def _not_comparable(references: Sequence[str]) -> InvalidValueError:
    return InvalidValueError(
        value=" ".join(references),
        expected=f"a list of {FEWEST_COMPARED} to {MOST_COMPARED} different experiments",
        name="experiments",
        advice="name them one after the other, as in /compare baseline 4f2a.",
    )
